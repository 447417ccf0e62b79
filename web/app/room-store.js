// What one tab keeps of the room that it is in, so that a reload does not lose it: in sessionStorage, which no other
// tab sees, until the person leaves. It holds the phrase or the password, since without them there is no way
// back; that is said on the page of what is kept.

import { start } from './room-state.js';

/** @typedef {import('./room-state.js').State} State */

const KEY = 'parley-room';
// ms: after that the place in the room is gone anyway.
const LATEST = 86400000;

/** @typedef {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} Memory */

/** @returns {Memory | null} */
function memory() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

/** keep remembers the room.
 * @param {State} s @param {number} now @param {Memory | null} [into] */
export function keep(s, now, into = memory()) {
  const { kind, words, channel, password, capacity, hidden, lock, own } = s;
  const kept = {
    kind,
    words,
    channel,
    password,
    capacity,
    hidden,
    lock,
    pass: own.pass,
    tickets: own.tickets,
    at: now,
  };
  try {
    into?.setItem(KEY, JSON.stringify(kept));
  } catch {
    // Full or forbidden: a reload will have to knock again.
  }
}

/** @param {Memory | null} [into] */
export function forget(into = memory()) {
  into?.removeItem(KEY);
}

/** there tells whether this tab was in a room.
 * @param {number} now @param {Memory | null} [from] @returns {State | null} */
export function remembered(now, from = memory()) {
  try {
    const kept = JSON.parse(from?.getItem(KEY) ?? 'null');
    if (!kept || typeof kept.pass !== 'string' || now - kept.at > LATEST) return null;
    const { pass, tickets, at: _, ...rest } = kept;
    const state = { ...start(now), ...rest, place: 'preview', again: true };
    return { ...state, own: { ...state.own, pass, tickets } };
  } catch {
    return null;
  }
}
