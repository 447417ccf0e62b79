// Short authentication string. Both people see the same symbols if and only if nobody sits between
// their two DTLS connections, up to a guess of 2^-30.
//
//   offer  -> answer  commit   SHA-256(label, fingerprint of offer, nonce of offer)
//   answer -> offer   nonce    nonce of answer
//   offer  -> answer  reveal   nonce of offer
//   string = first 30 bits of HKDF-SHA-256(both nonces; info = both fingerprints)
//   either -> other   mismatch somebody found a difference: both turn red
//
// Without the commitment a server could try nonces until two strings agree. The messages go over
// the data channel of the call, never over the server.

/** @typedef {import('./protocol.js').Role} Role */
/** @typedef {{send(data: string): void, onmessage: ((event: MessageEvent) => void) | null}} Channel */
/** @typedef {(kind: string) => Promise<Uint8Array<ArrayBuffer>>} Next */
/** @typedef {{symbols: number[], digits: string}} Sas */

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

/** verify runs the exchange over an open channel, reading by its inbox, and returns five symbol
 * numbers (0 to 63) and the same 30 bits as digits. mine and theirs are fingerprints.
 * @param {Channel} channel @param {Next} next @param {Role} role @param {{mine: string, theirs: string}} prints
 * @returns {Promise<Sas>} */
export async function verify(channel, next, role, { mine, theirs }) {
  /** @param {string} kind @param {Uint8Array} value */
  const send = (kind, value) => channel.send(JSON.stringify({ kind, value: hex(value) }));
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  if (role === 'offer') {
    send('commit', await sha256(COMMIT, utf8.encode(mine), nonce));
    const other = await next('nonce');
    send('reveal', nonce);
    return short(join(nonce, other), utf8.encode(`${mine}\0${theirs}`));
  }
  const commit = await next('commit');
  send('nonce', nonce);
  const other = await next('reveal');
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
