// The small work that a search may cost: find a nonce such that SHA-256(challenge "." nonce) begins with
// so many zero bits. The hash is our own, since that of the browser answers one question at a time, and
// later: ten times as slow. What of it depends only on the challenge is done once.

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

const words = new Int32Array(64);

/** block takes 64 bytes into the state.
 * @param {Int32Array} state @param {DataView} bytes @param {number} offset */
function block(state, bytes, offset) {
  const w = words;
  for (let i = 0; i < 16; i++) w[i] = bytes.getInt32(offset + i * 4);
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15] ?? 0;
    const y = w[i - 2] ?? 0;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = ((w[i - 16] ?? 0) + s0 + (w[i - 7] ?? 0) + s1) | 0;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const one = (h + s1 + ((e & f) ^ (~e & g)) + (K[i] ?? 0) + (w[i] ?? 0)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((value, i) => {
    state[i] = ((state[i] ?? 0) + value) | 0;
  });
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
  #tail;
  #view;
  #at;
  #tried = 0;

  /** @param {string} challenge ASCII @param {number} bits */
  constructor(challenge, bits) {
    this.#challenge = challenge;
    this.#bits = bits;
    const text = new TextEncoder().encode(`${challenge}.`);
    const whole = text.length - (text.length % 64);
    this.#from = start();
    const view = new DataView(text.buffer);
    for (let i = 0; i < whole; i += 64) block(this.#from, view, i);
    // What is left, the nonce of 8 letters, and the end that the hash prescribes.
    const rest = text.subarray(whole);
    this.#at = rest.length;
    const length = rest.length + 8;
    this.#tail = new Uint8Array(length + 9 <= 64 ? 64 : 128);
    this.#tail.set(rest);
    this.#tail[length] = 0x80;
    this.#view = new DataView(this.#tail.buffer);
    this.#view.setUint32(this.#tail.length - 4, (whole + length) * 8);
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
    const state = new Int32Array(8);
    for (const end = this.#tried + tries; this.#tried < end; this.#tried++) {
      const nonce = this.#write();
      state.set(this.#from);
      for (let i = 0; i < this.#tail.length; i += 64) block(state, this.#view, i);
      if (Math.clz32(state[0] ?? 0) >= this.#bits) return `${this.#challenge}.${nonce}`;
    }
    return '';
  }

  /** write puts the next nonce in its place. */
  #write() {
    let n = this.#tried;
    for (let i = 7; i >= 0; i--) {
      this.#tail[this.#at + i] = LETTERS.charCodeAt(n % 36);
      n = Math.floor(n / 36);
    }
    return String.fromCharCode(...this.#tail.subarray(this.#at, this.#at + 8));
  }
}
