// The protocol parley.v1 as the browser speaks it: builders of every frame it sends, the check of
// every frame it receives, and what each close code asks for. The table is signaling/doc.go.
//
// A frame of an unknown type, or one with a missing or wrong field, is not an error of the user:
// read returns a note instead of a frame and the caller goes on.

/** @typedef {{urls: string[], username: string, credential: string}} Relay */
/** @typedef {{servers: Relay[], ttl_ms: number}} Ice */
/** @typedef {{t: 'welcome', token: string, resumed: boolean, c: number, grace_ms: number, age: string}} Welcome */
/** @typedef {{t: 'queued', place: string, since_ms: number, widens_ms: number, steps: {at_ms: number, look: string}[],
 *    wait: {p50_ms: number, p90_ms: number} | null, waiting: number | null}} Queued */
/** @typedef {{t: 'matched', match: string, role: Role, shared: string[], language: string, within_ms: number}} Matched */
/** @typedef {{t: 'connected', room: string, me: string, peer: string, role: Role, ice: Ice, handle: string,
 *    avoid: string, pass: string, shared: string[], language: string}} Connected */
/** @typedef {{t: 'relay', from: string, seq: number, box: string}} Envelope */
/** @typedef {{t: 'error', of: number, code: string, text: string, about?: string, wait_ms?: number}} Refusal about: type of the
 *  refused frame; wait_ms: with the code too_many */
/** @typedef {{t: 'puzzle', of: number, challenge: string, bits: number, within_ms: number}} Riddle */
/** @typedef {{t: 'held', of: number, until_ms: number, reasons: string[]}} Holding */
/** @typedef {{t: 'standing', band: 'clear' | 'watch' | 'restricted' | 'cooldown', until_ms: number, reasons: string[],
 *    expires_ms: number, records: boolean, stored: ('own' | 'alike' | 'gave_up')[]}} Stand */
/** @typedef {{t: 'joined', room: string, kind: 'link' | 'channel', me: string, members: {id: string, away: boolean}[], capacity: number,
 *    knock: boolean, expires_ms: number, ice: Ice, pass: string}} Joined */
/** @typedef {'offer' | 'answer'} Role */
/** @typedef {{n?: number, c?: number}} Numbered */
/** @typedef {Welcome | Queued | Matched | Connected | Envelope | Refusal | Riddle | Holding | Stand
 *    | {t: 'erased'} | {t: 'review', code: string} | {t: 'answer', state: 'open' | 'expunged' | 'kept' | 'unknown'}
 *    | {t: 'cancelled' | 'expired'} | {t: 'aborted', why: 'peer' | 'late'} | {t: 'peer', state: 'away' | 'back'}
 *    | {t: 'ended', why: string} | {t: 'relays', ice: Ice} | {t: 'blocked', avoid: string}
 *    | {t: 'reported', avoid: string, next: 'counted' | 'counted_before'}
 *    | {t: 'knocking', of: number, within_ms: number} | {t: 'shut', of: number, why: string} | Joined | {t: 'door', knock: boolean}
 *    | {t: 'member', member: string, state: 'joined' | 'away' | 'back' | 'left' | 'lost'} | {t: 'knock', member: string, state: 'here' | 'gone'}
 *    | {t: 'ack', c: number} | {t: 'ping'} | {t: 'notice', code: string, text: string} | {t: 'drain', within_ms: number}} Message */
/** @typedef {Message & Numbered} Frame */
/** @typedef {{t: string, [field: string]: unknown}} Outgoing */

export const SUBPROTOCOL = 'parley.v1';
// Beyond that a puzzle would be no puzzle but a refusal.
const MOST_BITS = 24;

/** @typedef {(value: unknown) => boolean} Check */

/** @type {Check} */
const text = (v) => typeof v === 'string' && v.length <= 4096;
/** @type {Check} */
const id = (v) => typeof v === 'string' && /^[\w.-]{1,128}$/.test(v);
/** @type {Check} */
const box = (v) => typeof v === 'string' && v.length <= 32768;
/** @type {Check} */
const whole = (v) => Number.isSafeInteger(v) && Number(v) >= 0;
/** @type {Check} */
const flag = (v) => typeof v === 'boolean';
/** @type {(...allowed: string[]) => Check} */
const oneOf =
  (...allowed) =>
  (v) =>
    typeof v === 'string' && allowed.includes(v);
/** @type {(check: Check) => Check} */
const orNull = (check) => (v) => v === null || check(v);
/** @type {(check: Check, most: number) => Check} */
const list = (check, most) => (v) => Array.isArray(v) && v.length <= most && v.every(check);
/** @type {(fields: Record<string, Check>) => Check} */
const object = (fields) => (v) => typeof v === 'object' && v !== null && wrong(v, fields) === '';
/** @type {Check} */
const relayURL = (v) =>
  typeof v === 'string' && v.length <= 256 && /^turns?:[\w.:[\]-]+(\?transport=(udp|tcp))?$/.test(v);

const reasons = list(oneOf('sexual', 'hate', 'threat', 'minor', 'spam', 'other'), 8);
const role = oneOf('offer', 'answer');
const shared = list(id, 8);
const relay = object({ urls: list(relayURL, 8), username: text, credential: text });
const ice = object({ servers: list(relay, 8), ttl_ms: whole });
const step = object({ at_ms: whole, look: oneOf('interests', 'anything', 'languages') });
const wait = object({ p50_ms: whole, p90_ms: whole });

/** @type {Record<string, Record<string, Check>>} */
const FRAMES = {
  welcome: { token: text, resumed: flag, c: whole, grace_ms: whole, age: text },
  puzzle: {
    of: whole,
    challenge: (v) => typeof v === 'string' && /^[\w.-]{1,512}$/.test(v),
    bits: (v) => whole(v) && Number(v) <= MOST_BITS,
    within_ms: whole,
  },
  held: { of: whole, until_ms: whole, reasons },
  queued: {
    place: text,
    since_ms: whole,
    widens_ms: whole,
    steps: list(step, 8),
    wait: orNull(wait),
    waiting: orNull(whole),
  },
  cancelled: {},
  expired: {},
  matched: { match: id, role, shared, language: text, within_ms: whole },
  aborted: { why: oneOf('peer', 'late') },
  connected: { room: id, me: id, peer: id, role, ice, handle: text, avoid: text, pass: text, shared, language: text },
  relay: { from: id, seq: whole, box },
  peer: { state: oneOf('away', 'back') },
  ended: { why: text },
  relays: { ice },
  reported: { avoid: text, next: oneOf('counted', 'counted_before') },
  blocked: { avoid: text },
  standing: {
    band: oneOf('clear', 'watch', 'restricted', 'cooldown'),
    until_ms: whole,
    reasons,
    expires_ms: whole,
    records: flag,
    stored: list(oneOf('own', 'alike', 'gave_up'), 3),
  },
  erased: {},
  review: { code: (v) => text(v) && v !== '' },
  answer: { state: oneOf('open', 'expunged', 'kept', 'unknown') },
  error: { of: whole, code: text, text },
  ack: { c: whole },
  ping: {},
  notice: { code: text, text },
  drain: { within_ms: whole },
  knocking: { of: whole, within_ms: whole },
  shut: { of: whole, why: text },
  joined: {
    room: id,
    kind: oneOf('link', 'channel'),
    me: id,
    members: list(object({ id, away: flag }), 64),
    capacity: whole,
    knock: flag,
    expires_ms: whole,
    ice,
    pass: text,
  },
  member: { member: id, state: oneOf('joined', 'away', 'back', 'left', 'lost') },
  knock: { member: id, state: oneOf('here', 'gone') },
  door: { knock: flag },
};

/** wrong names the first field that is missing or wrong, or ''.
 * @param {any} value @param {Record<string, Check>} fields */
function wrong(value, fields) {
  for (const [name, check] of Object.entries(fields)) {
    if (!Object.hasOwn(value, name) || !check(value[name])) return name;
  }
  return '';
}

/** read checks one text frame. A frame that cannot be used still says its number, so that nothing
 * waits for it for ever.
 * @param {string} data
 * @returns {{frame: Frame, note: ''} | {frame: null, note: string, n: number}} */
export function read(data) {
  /** @type {any} */
  let value;
  try {
    value = JSON.parse(data);
  } catch {
    return { frame: null, note: 'not JSON', n: 0 };
  }
  if (typeof value !== 'object' || value === null) return { frame: null, note: 'not an object', n: 0 };
  const { t, n, c } = value;
  const number = whole(n) ? Number(n) : 0;
  const fields = typeof t === 'string' && Object.hasOwn(FRAMES, t) ? FRAMES[t] : undefined;
  if (!fields) return { frame: null, note: `unknown type ${String(t).slice(0, 32)}`, n: number };
  let bad = wrong(value, fields);
  if (n !== undefined && !whole(n)) bad ||= 'n';
  if (c !== undefined && !whole(c)) bad ||= 'c';
  if (bad) return { frame: null, note: `${t}: bad ${bad}`, n: number };
  return { frame: value, note: '' };
}

/** @typedef {{device: string, digest: string, age: string}} Who what the server is told of this browser: the digests of its
 *  install token and of its coarse attributes, and the age ticket */

/** hello resumes the session of token, or starts one when it is empty.
 * @param {string} token @param {number} last @param {Who} who @returns {Outgoing} */
export const hello = (token, last, { device, digest, age }) => ({ t: 'hello', token, last, device, digest, age });

/** find searches with the given choices.
 * @param {{languages: string[], interests: string[], widen: boolean}} choices @param {string[]} avoid @param {string} place
 * @param {string} proof that work was done, or '' @returns {Outgoing} */
export const find = ({ languages, interests, widen }, avoid, place, proof) => ({
  t: 'find',
  languages: languages.slice(0, 5),
  interests: interests.slice(0, 5),
  widen,
  avoid: [...new Set(avoid)].slice(0, 128),
  place,
  proof,
});

/** @returns {Outgoing} */
export const cancel = () => ({ t: 'cancel' });
/** @param {string} match @returns {Outgoing} */
export const confirm = (match) => ({ t: 'confirm', match });
/** @param {string} match @returns {Outgoing} */
export const decline = (match) => ({ t: 'decline', match });
/** @param {string} to @param {number} seq @param {string} box @returns {Outgoing} */
export const envelope = (to, seq, box) => ({ t: 'relay', to, seq, box });
/** @returns {Outgoing} */
export const leave = () => ({ t: 'leave' });
/** @param {string} pass @returns {Outgoing} */
export const rejoin = (pass) => ({ t: 'rejoin', pass });
/** @returns {Outgoing} */
export const relays = () => ({ t: 'relays' });
/** @param {string} handle @param {string} reason @returns {Outgoing} */
export const report = (handle, reason) => ({ t: 'report', handle, reason });
/** @param {string} handle @returns {Outgoing} */
export const block = (handle) => ({ t: 'block', handle });
/** @returns {Outgoing} */
export const standing = () => ({ t: 'standing' });
/** @returns {Outgoing} */
export const erase = () => ({ t: 'erase' });
/** @returns {Outgoing} */
export const review = () => ({ t: 'review' });
/** @param {string} code @returns {Outgoing} */
export const answer = (code) => ({ t: 'answer', code });
/** @param {number} a @returns {Outgoing} */
export const ack = (a) => ({ t: 'ack', a });
/** @returns {Outgoing} */
export const pong = () => ({ t: 'pong' });

/** @typedef {'resume' | 'stop' | 'show' | 'reload'} Closing resume: come back; stop: another tab took over;
 *  show: say that this page and the server do not understand each other; reload: the page is too old */

/** closing says what a close code asks for. Codes below 4000 are the network's, except 1009.
 * @param {number} code @returns {Closing} */
export function closing(code) {
  if (code === 4501) return 'stop';
  if (code === 4526) return 'reload';
  if (code === 1009 || (code >= 4500 && code <= 4999)) return 'show';
  return 'resume';
}

// Numbers, acknowledgement and resume of one session: what makes a frame arrive exactly once, in
// order, although sockets come and go. The socket sends what the methods return.

const ACK_AFTER = 8;
const REMEMBER = 64;
const MOST_KEPT = 512;

export class Numbers {
  #sent = 0;
  #seen = 0;
  // The highest n that the server knows we have.
  #told = 0;
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
    // The order of the table: the server reads it fastest.
    return { t, c, a: this.tell(), ...rest };
  }
}
