// Numbers, acknowledgement and resume of one session: what makes a frame arrive exactly once, in
// order, although sockets come and go. Pure: the socket sends what the methods return.

/** @typedef {import('./protocol.js').Outgoing} Outgoing */

const ACK_AFTER = 8;
const REMEMBER = 64;
const MOST_KEPT = 512;

export class Numbers {
  #sent = 0;
  #seen = 0;
  #told = 0; // the highest n that the server knows we have
  /** @type {{c: number, frame: Outgoing}[]} frames that the server has not acknowledged */
  #kept = [];
  /** @type {Map<number, Outgoing>} the newest frames, acknowledged or not: an error may name one */
  #recent = new Map();

  /** reset forgets everything: the session is gone and another one begins. */
  reset() {
    this.#sent = this.#seen = this.#told = 0;
    this.#kept = [];
    this.#recent.clear();
  }

  /** The highest number received. */
  get last() {
    return this.#seen;
  }

  /** Whether so much waits that the session is better given up. */
  get full() {
    return this.#kept.length >= MOST_KEPT;
  }

  /** number gives a frame its number and keeps it until the server has it.
   * @param {Outgoing} frame @returns {Outgoing} */
  number(frame) {
    const c = ++this.#sent;
    this.#kept.push({ c, frame });
    this.#recent.set(c, frame);
    this.#recent.delete(c - REMEMBER);
    return this.#stamp(c, frame);
  }

  /** again returns the frames that the server lacks, after it said that it has c.
   * @param {number} c @returns {Outgoing[]} */
  again(c) {
    this.acknowledged(c);
    return this.#kept.map((k) => this.#stamp(k.c, k.frame));
  }

  /** @param {number} c */
  acknowledged(c) {
    this.#kept = this.#kept.filter((k) => k.c > c);
  }

  /** arrived decides about a frame numbered n: take it, drop it as a repetition, or gap when one
   * before it is missing, which only a new resume can heal.
   * @param {number} n @returns {'take' | 'drop' | 'gap'} */
  arrived(n) {
    if (n <= this.#seen) return 'drop';
    if (n > this.#seen + 1) return 'gap';
    this.#seen = n;
    return 'take';
  }

  /** Whether so many frames came that they must be acknowledged now. */
  get ackDue() {
    return this.#seen - this.#told >= ACK_AFTER;
  }

  /** Whether anything is to be acknowledged. */
  get ackOpen() {
    return this.#seen > this.#told;
  }

  /** tell returns the number to acknowledge and takes it as told.
   * @returns {number} */
  tell() {
    this.#told = this.#seen;
    return this.#seen;
  }

  /** frame returns the frame with number c, if it is recent.
   * @param {number} c @returns {Outgoing | undefined} */
  frame(c) {
    return this.#recent.get(c);
  }

  /** @param {number} c @param {Outgoing} frame @returns {Outgoing} */
  #stamp(c, frame) {
    const { t, ...rest } = frame;
    return { t, c, a: this.tell(), ...rest }; // the order of the table: the server reads it fastest
  }
}
