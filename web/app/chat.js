// What goes beside the voice, over a data channel of the call and never over the server: text,
// "I have muted myself", and goodbye.

/** @typedef {{kind: 'text', text: string} | {kind: 'muted', on: boolean} | {kind: 'bye'}} Note */
/** @typedef {{type: 'peer-text', text: string} | {type: 'peer-muted', on: boolean} | {type: 'peer-bye'}} ChatEvent */
/** @typedef {{readyState: string, send(data: string): void, onopen: ((event: any) => any) | null,
 *    onmessage: ((event: any) => any) | null}} Channel */

const LONGEST = 2000;
const LONGEST_NOTE = 16384; // every letter of the longest text may be escaped
const MOST_WAITING = 50;
const MOST_NOTES = 30; // in SPAN: more is noise
const SPAN = 10000;

export class Chat {
  #hear;
  #now;
  /** @type {Channel | null} */
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
   * @param {Channel} channel */
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
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push(data);
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
