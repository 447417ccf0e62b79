// What members of a room say over the data channel of their pair, never over the server: text, what their devices
// do, the words of the lock, goodbye, and a beat by which a dead line is noticed.

import { tidy } from './channels.js';
import { readWord } from './room-lock.js';

/** @typedef {import('./room-state.js').Note} Note */
/** @typedef {{readyState: string, bufferedAmount?: number, send(data: string): void, onopen: ((event: any) => any) | null,
 *    onmessage: ((event: any) => any) | null}} Channel */

// Every letter of the longest text may be escaped.
const LONGEST_NOTE = 16384;
const MOST_WAITING = 50;
// In SPAN: more is noise.
const MOST_NOTES = 60;
const SPAN = 10000;
// Bytes: who takes nothing gets no more.
const MOST_BUFFERED = 262144;
const BEAT = JSON.stringify({ kind: 'beat' });

export class Talk {
  #hear;
  #now;
  /** @type {Channel | null} */
  #channel = null;
  /** @type {string[]} texts that wait for the first channel, or the next */
  #waiting = [];
  /** @type {number[]} when the last notes came */
  #came = [];
  /** How many messages came, beats too. */
  beats = 0;

  /** @param {(note: Note) => void} hear @param {() => number} [now] */
  constructor(hear, now = () => performance.now()) {
    this.#hear = hear;
    this.#now = now;
  }

  /** attach uses a channel from now on.
   * @param {Channel} channel @param {() => void} opened */
  attach(channel, opened) {
    this.#channel = channel;
    channel.onmessage = ({ data }) => this.#receive(data);
    channel.onopen = () => {
      if (channel !== this.#channel) return;
      opened();
      for (const data of this.#waiting.splice(0)) channel.send(data);
    };
  }

  /** say sends a note; text waits for the line, everything else is said anew when it is there.
   * @param {Note} note */
  say(note) {
    const said = note.kind === 'text' ? { ...note, text: tidy(note.text) } : note;
    const data = JSON.stringify(said);
    if (this.#open) this.#channel?.send(data);
    else if (note.kind === 'text' && this.#waiting.length < MOST_WAITING) this.#waiting.push(data);
  }

  /** Whether notes reach the line. */
  get ready() {
    return this.#channel?.readyState === 'open';
  }

  beat() {
    if (this.#open) this.#channel?.send(BEAT);
  }

  get #open() {
    return this.ready && (this.#channel?.bufferedAmount ?? 0) < MOST_BUFFERED;
  }

  /** @param {unknown} data */
  #receive(data) {
    this.beats += 1;
    if (data === BEAT) return;
    const note = read(data);
    if (!note) return;
    const now = this.#now();
    this.#came = [...this.#came.filter((at) => now - at < SPAN), now].slice(-MOST_NOTES - 1);
    if (this.#came.length <= MOST_NOTES || note.kind === 'bye') this.#hear(note);
  }
}

/** read returns a note, or null for what is none.
 * @param {unknown} data @returns {Note | null} */
export function read(data) {
  if (typeof data !== 'string' || data.length > LONGEST_NOTE) return null;
  try {
    const value = JSON.parse(data);
    const { kind, text, mic, camera } = value ?? {};
    if (kind === 'text') return typeof text === 'string' && text.trim() ? { kind, text: tidy(text) } : null;
    if (kind === 'state') return { kind, mic: mic === true, camera: camera === true };
    return kind === 'bye' ? { kind } : readWord(value);
  } catch {
    return null;
  }
}
