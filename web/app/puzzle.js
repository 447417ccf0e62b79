// The small work that a search may cost: find a nonce such that SHA-256(challenge "." nonce) begins with
// so many zero bits. The hash is our own, since that of the browser answers one question at a time, and
// later: ten times as slow. What of it depends only on the challenge is done once.

/** @type {any} */
const K = constants();
const LETTERS = '0123456789abcdefghijklmnopqrstuvwxyz';

/** The first 32 bits of the fractions of the cube roots of the first 64 primes, as FIPS 180-4 has them. */
function constants() {
  const found = new Int32Array(64);
  /** @param {number} n */
  const prime = (n) => {
    for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
    return true;
  };
  for (let n = 2, at = 0; at < 64; n++) if (prime(n)) found[at++] = (Math.cbrt(n) % 1) * 2 ** 32;
  return found;
}

/** The state before the first block: the same of the square roots of the first 8 primes. */
const start = () => Int32Array.from([2, 3, 5, 7, 11, 13, 17, 19], (n) => (Math.sqrt(n) % 1) * 2 ** 32);

/** The words of one block: typed so that the loops below are free of questions that have no answer.
 * @type {any} */
const w = new Int32Array(64);

/** block takes 64 bytes, as 16 words from offset on, into the state.
 * @param {any} state @param {any} from @param {number} offset */
function block(state, from, offset) {
  for (let i = 0; i < 16; i++) w[i] = from[offset + i];
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15];
    const y = w[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
  }
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  let f = state[5];
  let g = state[6];
  let h = state[7];
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const one = (h + s1 + (g ^ (e & (f ^ g))) + K[i] + w[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const two = (s0 + ((a & b) | (c & (a | b)))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  state[0] = (state[0] + a) | 0;
  state[1] = (state[1] + b) | 0;
  state[2] = (state[2] + c) | 0;
  state[3] = (state[3] + d) | 0;
  state[4] = (state[4] + e) | 0;
  state[5] = (state[5] + f) | 0;
  state[6] = (state[6] + g) | 0;
  state[7] = (state[7] + h) | 0;
}

/** @typedef {{pace: number} | {proof: string} | {late: true}} News pace: ms that it takes here in the mean */

// ms after which the speed is measured, from one to the next. The first of them only begins: a browser
// makes code fast while it runs, and what it does in its first 50 ms is up to twenty times as slow.
const MARKS = [150, 400, 1600, 6400];
const BATCH = 500;

/** solve works until there is a proof, or the time within which it counts is over.
 * @param {Puzzle} puzzle @param {number} within ms @param {() => number} clock @param {(news: News) => void} tell */
export function solve(puzzle, within, clock, tell) {
  const began = clock();
  const marks = [...MARKS];
  let last = { at: 0, tried: 0 };
  for (;;) {
    const proof = puzzle.work(BATCH);
    if (proof) return tell({ proof });
    const at = clock() - began;
    if (at >= within) return tell({ late: true });
    if (at < (marks[0] ?? within)) continue;
    const speed = (puzzle.tried - last.tried) / (at - last.at);
    if (marks.shift() !== MARKS[0]) tell({ pace: puzzle.usual / speed });
    last = { at, tried: puzzle.tried };
  }
}

export class Puzzle {
  #challenge;
  #bits;
  #from;
  #state = new Int32Array(8);
  // The last block or two, as bytes where the nonce is written, and as the words that are hashed.
  #tail;
  #words;
  #at;
  #tried = 0;

  /** @param {string} challenge ASCII @param {number} bits */
  constructor(challenge, bits) {
    this.#challenge = challenge;
    this.#bits = bits;
    const text = new TextEncoder().encode(`${challenge}.`);
    const whole = text.length - (text.length % 64);
    this.#from = start();
    const head = words(text.subarray(0, whole));
    for (let i = 0; i < head.length; i += 16) block(this.#from, head, i);
    // What is left, the nonce of 8 letters, and the end that the hash prescribes.
    const rest = text.subarray(whole);
    this.#at = rest.length;
    const length = rest.length + 8;
    this.#tail = new Uint8Array(length + 9 <= 64 ? 64 : 128);
    this.#tail.set(rest);
    this.#tail[length] = 0x80;
    new DataView(this.#tail.buffer).setUint32(this.#tail.length - 4, (whole + length) * 8);
    this.#words = words(this.#tail);
  }

  get tried() {
    return this.#tried;
  }

  /** How many tries it takes in the mean. */
  get usual() {
    return 2 ** this.#bits;
  }

  /** work makes so many tries and returns the proof, or '' if none of them was good.
   * @param {number} tries @returns {string} */
  work(tries) {
    const state = this.#state;
    for (const end = this.#tried + tries; this.#tried < end; this.#tried++) {
      this.#write(this.#tried);
      state.set(this.#from);
      for (let i = 0; i < this.#words.length; i += 16) block(state, this.#words, i);
      if (Math.clz32(state[0] ?? 0) >= this.#bits) return `${this.#challenge}.${this.#nonce()}`;
    }
    return '';
  }

  /** write puts a nonce in its place. @param {number} n */
  #write(n) {
    let rest = n;
    for (let i = 7; i >= 0; i--) {
      const next = Math.floor(rest / 36);
      this.#tail[this.#at + i] = LETTERS.charCodeAt(rest - next * 36);
      rest = next;
    }
    // Only the words that hold it.
    const first = this.#at >> 2;
    for (let i = first; i < first + 3 && i < this.#words.length; i++) this.#words[i] = word(this.#tail, i);
  }

  #nonce() {
    return String.fromCharCode(...this.#tail.subarray(this.#at, this.#at + 8));
  }
}

/** word is the i-th 32 bits of bytes. @param {any} bytes @param {number} i */
const word = (bytes, i) => (bytes[4 * i] << 24) | (bytes[4 * i + 1] << 16) | (bytes[4 * i + 2] << 8) | bytes[4 * i + 3];

/** @param {Uint8Array} bytes */
const words = (bytes) => Int32Array.from({ length: bytes.length >> 2 }, (_, i) => word(bytes, i));
