// The lock of a channel: ten minutes after it opened every member's browser stops answering newcomers.
// Any member may open it again for 60 seconds, for all: that is said over the data channels of the members
// and each passes it on once, so that the server is not asked and somebody who is joined to only some of
// them reaches all. There is no clock that all share: what travels are ages and spans, never times.
//
// A link is not locked but knocked at, so this is for channels only.

export const LOCK_AFTER = 600000;
export const OPEN_FOR = 60000;
// Of acts of opening, so that the same one is not passed on for ever.
const MOST_ACTS = 32;

/** @typedef {{openedAt: number, openUntil: number, acts: readonly string[]}} Lock times in ms of this browser; acts: the
 *  last times it was opened, by their ids */
/** @typedef {{kind: 'opened', age: number} | {kind: 'allow', act: string, left: number}} Word what members say of the lock: how
 *  long ago the channel opened; that somebody opened it, for how long still */

/** lock begins with the channel, as far as this browser knows.
 * @param {number} now @returns {Lock} */
export const lock = (now) => ({ openedAt: now, openUntil: 0, acts: [] });

/** locked tells whether newcomers get no answer.
 * @param {Lock} l @param {number} now */
export const locked = ({ openedAt, openUntil }, now) => now - openedAt >= LOCK_AFTER && now >= openUntil;

/** left says in how many ms newcomers get no answer any more; 0 when they get none now.
 * @param {Lock} l @param {number} now */
export const left = ({ openedAt, openUntil }, now) => Math.max(openedAt + LOCK_AFTER, openUntil, now) - now;

/** allow opens the channel, by this member; the word is for all others.
 * @param {Lock} l @param {number} now @param {string} act a new random id @returns {[Lock, Word]} */
export const allow = (l, now, act) => [note(l, now, act, OPEN_FOR), { kind: 'allow', act, left: OPEN_FOR }];

/** greet is what a member says to one who has just come.
 * @param {Lock} l @param {number} now @returns {Word[]} */
export function greet({ openedAt, openUntil, acts }, now) {
  /** @type {Word[]} */
  const words = [{ kind: 'opened', age: now - openedAt }];
  const act = acts.at(-1);
  if (openUntil > now && act) words.push({ kind: 'allow', act, left: openUntil - now });
  return words;
}

/** hear takes in what a member says. The second result is to be passed on to all others, or null.
 * The channel is as old as the oldest member says: nobody can make it younger, and so open, but by allow.
 * @param {Lock} l @param {number} now @param {Word} word @returns {[Lock, Word | null]} */
export function hear(l, now, word) {
  if (word.kind === 'opened') return [{ ...l, openedAt: Math.min(l.openedAt, now - word.age) }, null];
  if (l.acts.includes(word.act)) return [l, null];
  const span = Math.min(word.left, OPEN_FOR);
  return [note(l, now, word.act, span), { ...word, left: span }];
}

/** @param {Lock} l @param {number} now @param {string} act @param {number} span @returns {Lock} */
const note = (l, now, act, span) => ({
  ...l,
  openUntil: Math.max(l.openUntil, now + span),
  acts: [...l.acts, act].slice(-MOST_ACTS),
});

/** readWord checks what came from a member, or returns null.
 * @param {any} value @returns {Word | null} */
export function readWord(value) {
  const { kind, age, act, left } = value ?? {};
  const span = (/** @type {unknown} */ v) => Number.isFinite(v) && Number(v) >= 0;
  if (kind === 'opened' && span(age)) return { kind, age };
  if (kind === 'allow' && typeof act === 'string' && /^[\w-]{22}$/.test(act) && span(left)) return { kind, act, left };
  return null;
}
