// Sealed envelopes: what two browsers say to each other through a server that cannot read it.
//
// Each side makes an X25519 key for one call and sends the public half in a box of kind 1. Both
// derive one AES-256-GCM key for each direction by HKDF-SHA-256 over everything that was said: both
// public keys, the room and both member ids. The nonce is the number of the envelope, which with room,
// sender and receiver is authenticated too. A server that exchanges the keys can read: the short
// authentication string (channels.js) is what finds it.
//
// In a private room both also know a secret that the server does not: of the phrase, or of the pair (room-keys.js,
// room-cpace.js). It goes into the keys, and a server that exchanges the public ones gets nowhere.
//
//   box    = version kind body, base64url
//   kind 1 = public key, 32 bytes
//   kind 2 = AES-GCM of: length (2 bytes) text zeros, padded to one of four sizes

import { encode } from './bytes.js';

const VERSION = 1;
const KEY = 1;
const SEALED = 2;
const SIZES = [512, 2048, 8192, 23000];
const TAG = 16;
// Envelopes may overtake one another by so many.
const WINDOW = 64;

const utf8 = new TextEncoder();

/** @typedef {{room: string, me: string, peer: string}} Ids */
/** @typedef {{publicKey: CryptoKey, privateKey: CryptoKey}} Pair */

/** pair makes the key of one call. It may be made before the call, but serves one call only.
 * @returns {Promise<Pair>} */
export async function pair() {
  /** @type {any} */
  const made = await crypto.subtle.generateKey({ name: 'X25519' }, false, ['deriveBits']);
  return made;
}

/** @param {CryptoKey} key */
async function exported(key) {
  /** @type {any} */
  const raw = await crypto.subtle.exportKey('raw', key);
  return new Uint8Array(raw);
}

export class Seal {
  #ids;
  #pair;
  #secret;
  #seq = 0;
  /** @type {Promise<Uint8Array>} */
  #mine;
  /** @type {Uint8Array | null} */
  #theirs = null;
  /** @type {{send: CryptoKey, receive: CryptoKey} | null} */
  #keys = null;
  #newest = 0;
  /** @type {Set<number>} */
  #seen = new Set();

  /** @param {Ids} ids @param {Pair} keys @param {Uint8Array<ArrayBuffer>} [secret] that both knew before */
  constructor(ids, keys, secret = new Uint8Array()) {
    if ([ids.room, ids.me, ids.peer].some((id) => id === '' || id.includes('|')) || ids.me === ids.peer) {
      throw new Error('bad ids of a room');
    }
    this.#ids = ids;
    this.#pair = keys;
    this.#secret = secret;
    this.#mine = exported(keys.publicKey);
  }

  /** Whether the peer's key is known, so that seal and open work. */
  get ready() {
    return this.#keys !== null;
  }

  /** early tells whether a box is sealed with a key that has not come yet.
   * @param {string} box */
  early(box) {
    return !this.#keys && decode(box)[1] === SEALED;
  }

  /** hello is the box with the public key. It may be sent again, always with a new number.
   * @returns {Promise<{seq: number, box: string}>} */
  async hello() {
    const seq = ++this.#seq;
    return { seq, box: encode(new Uint8Array([VERSION, KEY, ...(await this.#mine)])) };
  }

  /** seal closes a text for the peer.
   * @param {string} text @returns {Promise<{seq: number, box: string}>} */
  async seal(text) {
    if (!this.#keys) throw new Error('the peer has sent no key yet');
    const plain = pad(utf8.encode(text));
    const seq = ++this.#seq;
    const { room, me, peer } = this.#ids;
    const algorithm = { name: 'AES-GCM', iv: nonce(seq), additionalData: bound(room, me, peer, seq) };
    const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, this.#keys.send, plain));
    const box = new Uint8Array(2 + sealed.length);
    box.set([VERSION, SEALED]);
    box.set(sealed, 2);
    return { seq, box: encode(box) };
  }

  /** open returns the text of an envelope, or '' when it held the peer's key. It throws for whatever
   * is not from this peer, for this call, and new.
   * @param {string} from @param {number} seq @param {string} box @returns {Promise<string>} */
  async open(from, seq, box) {
    if (from !== this.#ids.peer) throw new Error('envelope of somebody else');
    const bytes = decode(box);
    if (bytes[0] !== VERSION) throw new Error(`envelope of version ${bytes[0]}`);
    if (bytes[1] === KEY) {
      await this.#meet(bytes.subarray(2));
      return '';
    }
    if (bytes[1] !== SEALED) throw new Error(`envelope of kind ${bytes[1]}`);
    if (!this.#keys) throw new Error('sealed before its key');
    this.#fresh(seq);
    const { room, me, peer } = this.#ids;
    const algorithm = { name: 'AES-GCM', iv: nonce(seq), additionalData: bound(room, peer, me, seq) };
    const plain = new Uint8Array(await crypto.subtle.decrypt(algorithm, this.#keys.receive, bytes.subarray(2)));
    // Another with this number may have been opened meanwhile.
    this.#fresh(seq);
    this.#note(seq);
    return unpad(plain);
  }

  /** @param {number} seq */
  #fresh(seq) {
    if (!Number.isSafeInteger(seq) || seq < 1 || seq <= this.#newest - WINDOW || this.#seen.has(seq)) {
      throw new Error('envelope repeated or too old');
    }
  }

  /** @param {number} seq */
  #note(seq) {
    this.#seen.add(seq);
    this.#newest = Math.max(this.#newest, seq);
    for (const old of this.#seen) if (old <= this.#newest - WINDOW) this.#seen.delete(old);
  }

  /** meet takes the peer's public key. The first one holds; another one is refused.
   * @param {Uint8Array<ArrayBuffer>} theirs */
  async #meet(theirs) {
    if (theirs.length !== 32) throw new Error('bad public key');
    if (this.#theirs) {
      if (theirs.some((b, i) => b !== this.#theirs?.[i])) throw new Error('a second key of the same peer');
      return;
    }
    this.#theirs = theirs;
    const mine = await this.#mine;
    const publicKey = await crypto.subtle.importKey('raw', theirs, { name: 'X25519' }, false, []);
    const secret = await crypto.subtle.deriveBits({ name: 'X25519', public: publicKey }, this.#pair.privateKey, 256);
    if (new Uint8Array(secret).every((b) => b === 0)) throw new Error('bad public key');
    const { room, me, peer } = this.#ids;
    const said = me < peer ? [room, me, peer, mine, theirs] : [room, peer, me, theirs, mine];
    const transcript = new Uint8Array(await crypto.subtle.digest('SHA-256', listed(said)));
    const source = await crypto.subtle.importKey('raw', both(secret, this.#secret), 'HKDF', false, ['deriveBits']);
    const [send, receive] = await Promise.all([
      direction(source, transcript, me, peer),
      direction(source, transcript, peer, me),
    ]);
    this.#keys = { send, receive };
  }
}

/** Always 32 bytes of one and none or 32 of the other.
 * @param {ArrayBuffer} agreed @param {Uint8Array} known */
const both = (agreed, known) => new Uint8Array([...new Uint8Array(agreed), ...known]);

/** @param {CryptoKey} source @param {Uint8Array<ArrayBuffer>} salt @param {string} from @param {string} to */
async function direction(source, salt, from, to) {
  const info = listed(['parley seal1', from, to]);
  const bits = await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, source, 256);
  return crypto.subtle.importKey('raw', bits, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

/** listed joins parts so that no two lists give the same bytes.
 * @param {(string | Uint8Array)[]} parts */
function listed(parts) {
  const bytes = parts.map((p) => (typeof p === 'string' ? utf8.encode(p) : p));
  return new Uint8Array(bytes.flatMap((b) => [b.length >> 8, b.length & 255, ...b]));
}

/** @param {string} room @param {string} from @param {string} to @param {number} seq */
const bound = (room, from, to, seq) => utf8.encode(`parley seal1|${room}|${from}|${to}|${seq}`);

/** @param {number} seq */
function nonce(seq) {
  const iv = new Uint8Array(12);
  new DataView(iv.buffer).setBigUint64(4, BigInt(seq));
  return iv;
}

/** @param {Uint8Array} text */
function pad(text) {
  const size = SIZES.find((s) => text.length + 2 <= s);
  if (!size) throw new Error('too long for an envelope');
  const plain = new Uint8Array(size);
  plain.set([text.length >> 8, text.length & 255]);
  plain.set(text, 2);
  return plain;
}

/** @param {Uint8Array} plain */
function unpad(plain) {
  const length = ((plain[0] ?? 0) << 8) | (plain[1] ?? 0);
  if (!SIZES.includes(plain.length) || length > plain.length - 2) throw new Error('badly padded envelope');
  return new TextDecoder('utf-8', { fatal: true }).decode(plain.subarray(2, 2 + length));
}

/** carriesKey tells a box with a public key from a sealed one; it throws for what is neither.
 * @param {string} box */
export function carriesKey(box) {
  const [version, kind] = decode(box);
  if (version !== VERSION || (kind !== KEY && kind !== SEALED)) throw new Error('envelope of another kind');
  return kind === KEY;
}

/** @param {string} box */
function decode(box) {
  if (!/^[\w-]+$/.test(box) || box.length > ((SIZES.at(-1) ?? 0) + TAG + 2) * 1.4)
    throw new Error('envelope is not base64url');
  return Uint8Array.from(atob(box.replaceAll('-', '+').replaceAll('_', '/')), (ch) => ch.charCodeAt(0));
}
