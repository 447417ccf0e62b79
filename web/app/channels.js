// What two browsers say over the data channels of their call, never over the server: in one the proof
// that nobody is in between, in the other text, "I have muted myself", and goodbye.
//
// The proof is a short authentication string. Both people see the same symbols if and only if nobody
// sits between their two DTLS connections, up to a guess of 2^-30.
//
//   offer  -> answer  commit   SHA-256(label, fingerprint of offer, nonce of offer)
//   answer -> offer   nonce    nonce of answer
//   offer  -> answer  reveal   nonce of offer
//   string = first 30 bits of HKDF-SHA-256(both nonces; info = both fingerprints)
//   either -> other   mismatch somebody found a difference: both turn red
//
// Without the commitment a server could try nonces until two strings agree.
//
// A connection that is built anew within a call keeps both certificates, and so the string: somebody may be
// comparing it right now. The exchange is said again, since either side may have missed its end, but it
// is the same one: each side repeats its own nonce and takes no other value than it heard first. So the
// one who offers reveals its nonce to a single nonce of the other, chosen before, and the one who
// answers gives its nonce for a single commitment, however often the line breaks; a second try at a
// string is a mismatch. It would be a way in to take another nonce after the reveal.

/** @typedef {import('./protocol.js').Role} Role */
/** @typedef {{send(data: string): void, onmessage: ((event: MessageEvent) => void) | null}} Channel */
/** @typedef {(kind: string) => Promise<Uint8Array<ArrayBuffer>>} Next */
/** @typedef {{symbols: number[], digits: string}} Sas */
/** @typedef {{role: Role, nonce: Uint8Array<ArrayBuffer>, heard: Record<string, string>}} Exchange of one call: our nonce,
 *  and by its kind what the peer said first */

const MOST_WAITING = 4;
const utf8 = new TextEncoder();
const COMMIT = utf8.encode('parley sas1 commit\0');
const STRING = utf8.encode('parley sas1\0');

/** @param {...Uint8Array} parts */
const join = (...parts) => new Uint8Array(parts.flatMap((p) => [...p]));
/** @param {...Uint8Array} parts */
const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest('SHA-256', join(...parts)));
/** @param {Uint8Array} bytes */
const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
/** @param {string} text */
const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (h) => Number.parseInt(h, 16));

/** digest is the fingerprint of a certificate as the connection really uses it.
 * @param {ArrayBuffer} der @returns {Promise<string>} */
export const digest = async (der) => hex(await sha256(new Uint8Array(der)));

/** exchange begins one for the two certificates of a call.
 * @param {Role} role @returns {Exchange} */
export const exchange = (role) => ({ role, nonce: crypto.getRandomValues(new Uint8Array(32)), heard: {} });

/** verify says the exchange over an open channel, reading by its inbox, and returns five symbol
 * numbers (0 to 63) and the same 30 bits as digits. mine and theirs are fingerprints.
 * @param {Channel} channel @param {Next} next @param {Exchange} exchange @param {{mine: string, theirs: string}} prints
 * @returns {Promise<Sas>} */
export async function verify(channel, next, { role, nonce, heard }, { mine, theirs }) {
  /** @param {string} kind @param {Uint8Array} value */
  const send = (kind, value) => channel.send(JSON.stringify({ kind, value: hex(value) }));
  /** @param {string} kind */
  const hear = async (kind) => {
    const value = await next(kind);
    heard[kind] ??= hex(value);
    if (heard[kind] !== hex(value)) throw new Error(`another ${kind}`);
    return value;
  };
  if (role === 'offer') {
    send('commit', await sha256(COMMIT, utf8.encode(mine), nonce));
    const other = await hear('nonce');
    send('reveal', nonce);
    return short(join(nonce, other), utf8.encode(`${mine}\0${theirs}`));
  }
  const commit = await hear('commit');
  send('nonce', nonce);
  const other = await hear('reveal');
  const expected = await sha256(COMMIT, utf8.encode(theirs), other);
  if (hex(expected) !== hex(commit)) throw new Error('commitment mismatch: somebody is in between');
  return short(join(other, nonce), utf8.encode(`${theirs}\0${mine}`));
}

/** @param {Uint8Array<ArrayBuffer>} nonces @param {Uint8Array} fingerprints */
async function short(nonces, fingerprints) {
  const key = await crypto.subtle.importKey('raw', nonces, 'HKDF', false, ['deriveBits']);
  const algorithm = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(32), info: join(STRING, fingerprints) };
  const bits = await crypto.subtle.deriveBits(algorithm, key, 32);
  const word = new DataView(bits).getUint32(0) >>> 2;
  const symbols = [24, 18, 12, 6, 0].map((shift) => (word >>> shift) & 63);
  const digits = [word >>> 15, word & 0x7fff].map((half) => String(half).padStart(5, '0')).join(' ');
  return { symbols, digits };
}

/** warn tells the other side that the strings differ.
 * @param {Channel} channel */
export const warn = (channel) => channel.send(JSON.stringify({ kind: 'mismatch', value: '' }));

/** inbox collects the messages of a channel. Call it when the channel is created: a message that
 * arrives before onmessage is set is lost. next(kind) awaits the next message, which must be of that
 * kind and hold 32 bytes. A mismatch found by the other side goes to alarm at once.
 * @param {Channel} channel @param {() => void} alarm @returns {Next} */
export function inbox(channel, alarm) {
  /** @type {unknown[]} */
  const queue = [];
  /** @type {((data: unknown) => void)[]} */
  const wanted = [];
  channel.onmessage = ({ data }) => {
    if (parse(data).kind === 'mismatch') return alarm();
    const first = wanted.shift();
    if (first) first(data);
    else if (queue.length < MOST_WAITING) queue.push(data);
  };
  return async (kind) => {
    const data = queue.length ? queue.shift() : await new Promise((resolve) => wanted.push(resolve));
    const message = parse(data);
    if (message.kind !== kind || !/^[0-9a-f]{64}$/.test(message.value)) throw new Error(`expected ${kind}`);
    return unhex(message.value);
  };
}

/** @param {unknown} data @returns {{kind: string, value: string}} */
function parse(data) {
  try {
    const { kind, value } = JSON.parse(typeof data === 'string' ? data : '');
    return { kind: String(kind), value: String(value) };
  } catch {
    return { kind: '', value: '' };
  }
}

/** @typedef {{kind: 'text', text: string} | {kind: 'muted', on: boolean} | {kind: 'bye'}} Note */
/** @typedef {{type: 'peer-text', text: string} | {type: 'peer-muted', on: boolean} | {type: 'peer-bye'}} ChatEvent */
/** @typedef {{readyState: string, send(data: string): void, onopen: ((event: any) => any) | null,
 *    onmessage: ((event: any) => any) | null}} TextChannel */

const LONGEST = 2000;
// Every letter of the longest text may be escaped.
const LONGEST_NOTE = 16384;
const MOST_KEPT = 50;
// In SPAN: more is noise.
const MOST_NOTES = 30;
const SPAN = 10000;

export class Chat {
  #hear;
  #now;
  /** @type {TextChannel | null} */
  #channel = null;
  /** @type {string[]} */
  #waiting = [];
  #muted = false;
  /** @type {number[]} when the last notes came */
  #came = [];

  /** @param {(event: ChatEvent) => void} hear @param {() => number} [now] */
  constructor(hear, now = () => performance.now()) {
    this.#hear = hear;
    this.#now = now;
  }

  /** attach uses a channel from now on. What could not be sent before goes out when it opens.
   * @param {TextChannel} channel */
  attach(channel) {
    this.#channel = channel;
    channel.onmessage = ({ data }) => this.#receive(data);
    channel.onopen = () => {
      if (channel !== this.#channel) return;
      if (this.#muted) this.#send({ kind: 'muted', on: true });
      for (const data of this.#waiting.splice(0)) channel.send(data);
    };
  }

  /** @param {string} text */
  text(text) {
    this.#send({ kind: 'text', text: tidy(text) });
  }

  /** @param {boolean} on */
  muted(on) {
    this.#muted = on;
    if (this.#channel?.readyState === 'open') this.#send({ kind: 'muted', on });
  }

  /** bye says that this side hangs up now; it is not kept for later. */
  bye() {
    if (this.#channel?.readyState === 'open') this.#send({ kind: 'bye' });
  }

  /** @param {Note} note */
  #send(note) {
    const data = JSON.stringify(note);
    if (this.#channel?.readyState === 'open') this.#channel.send(data);
    else if (this.#waiting.length < MOST_KEPT) this.#waiting.push(data);
  }

  /** @param {unknown} data */
  #receive(data) {
    const note = read(data);
    if (!note) return;
    const now = this.#now();
    this.#came = [...this.#came.filter((at) => now - at < SPAN), now].slice(-MOST_NOTES - 1);
    if (note.kind === 'bye') this.#hear({ type: 'peer-bye' });
    else if (this.#came.length > MOST_NOTES) return;
    else if (note.kind === 'muted') this.#hear({ type: 'peer-muted', on: note.on });
    else if (note.text.trim()) this.#hear({ type: 'peer-text', text: note.text });
  }
}

/** read returns a note, or null for what is none.
 * @param {unknown} data @returns {Note | null} */
function read(data) {
  if (typeof data !== 'string' || data.length > LONGEST_NOTE) return null;
  try {
    const { kind, text, on } = JSON.parse(data);
    if (kind === 'bye') return { kind };
    if (kind === 'muted') return { kind, on: on === true };
    return kind === 'text' && typeof text === 'string' ? { kind, text: tidy(text) } : null;
  } catch {
    return null;
  }
}

// Controls, and the marks that let a text run backwards over its neighbours.
const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** tidy keeps letters and line breaks, up to the longest text.
 * @param {string} text @returns {string} */
export const tidy = (text) => text.slice(0, LONGEST).replace(UNSEEN, (ch) => (ch === '\n' || ch === '\t' ? ch : ''));
