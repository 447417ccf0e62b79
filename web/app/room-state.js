// What the page of a room knows, as plain data, and the names of everything that can happen to it. The view
// reads it; only the reducer (room-step.js) makes a new one.

import { lock } from './room-lock.js';

/** @typedef {'form' | 'preview' | 'entering' | 'knocking' | 'inside' | 'ended'} Place */
/** @typedef {'link' | 'channel'} Kind */
/** @typedef {'here' | 'held' | 'pairing' | 'other' | 'joined' | 'live' | 'away'} Phase here: the server named them; held: they get no
 *  answer, for the channel is locked or too many guessed; pairing: keys are being made; other: they do not share our
 *  secret, as far as anybody can tell; joined: they do; live: connected, and nobody in between; away: their page or line is gone */
/** @typedef {{symbols: number[], digits: string}} Sas */
/** @typedef {{id: string, number: number, phase: Phase, known: boolean, since: number, mic: boolean, camera: boolean,
 *    path: '' | 'relayed' | 'direct', sas: Sas | null, video: boolean, weak: boolean}} Peer number: by arrival, for those who have no name; known: shared
 *  our secret before; since: of the phase; video: their picture comes */
/** @typedef {{from: number, text: string, at: number}} Line from: number of the peer, 0 for us */
/** @typedef {'' | 'denied' | 'blocked' | 'dismissed' | 'none' | 'busy' | 'insecure' | 'webview'} MediaError */
/** @typedef {{phase: 'off' | 'asking' | 'on', error: MediaError, device: string}} Device */
/** @typedef {{mic: Device, camera: Device, muted: boolean}} Media */
/** @typedef {'left' | 'over' | 'expired' | 'full' | 'burnt' | 'unknown' | 'turned_away' | 'nobody_answered' | 'other_tab' | 'crowded'
 *    | 'taken' | 'replaced' | 'hello' | 'version' | 'unavailable' | 'too_many' | 'bad_state' | 'bad_value'} Why */
/** @typedef {{guesses: readonly number[], pass: string, tickets: Record<string, string>, retryAt: number}} Own what only the reducer needs;
 *  tickets: by member, with which they let us back in */
/** @typedef {{place: Place, kind: Kind, make: boolean, words: string[], channel: number, password: string, tag: string, capacity: number, knock: boolean,
 *    expires: number, me: string, peers: Peer[], arrived: number, knocks: string[], lock: import('./room-lock.js').Lock, locked: boolean, media: Media,
 *    hidden: boolean, online: boolean, chat: Line[], unread: number, advice: import('./room-plan.js').Advice | null, picture: import('./room-plan.js').Plan | null,
 *    full: boolean, again: boolean, why: Why | '', own: Own}} State tag: what the server knows the room by; again: a reloaded page comes
 *  back; full: somebody told us that eight are in their group */

/** @typedef {{type: 'go', kind: Kind, make: boolean, words: string[], channel: number, password: string, capacity: number, knock: boolean}
 *    | {type: 'device', kind: 'mic' | 'camera', on: boolean} | {type: 'hide', on: boolean} | {type: 'text', text: string} | {type: 'door', knock: boolean}
 *    | {type: 'admit', member: string, yes: boolean} | {type: 'enter' | 'allow' | 'mute' | 'leave' | 'cancel' | 'read'}} Action */
/** @typedef {{type: 'media', kind: 'mic' | 'camera', on: boolean, error: MediaError, device: string}} MediaEvent */
/** @typedef {{type: 'tag', tag: string} | {type: 'approach', id: string} | {type: 'guess', at: number} | {type: 'paired', id: string, back: boolean, guess: number}
 *    | {type: 'unpaired', id: string} | {type: 'live', id: string} | {type: 'lost', id: string} | {type: 'told-full', id: string}
 *    | {type: 'path', id: string, path: 'relayed' | 'direct'} | {type: 'sas', id: string, sas: Sas} | {type: 'video', id: string, on: boolean}
 *    | {type: 'quality', id: string, weak: boolean} | {type: 'note', id: string, note: Note} | {type: 'ticket', id: string, ticket: string}
 *    | {type: 'plan', advice: import('./room-plan.js').Advice, picture: import('./room-plan.js').Plan}} PairEvent approach: they begin; paired: they share our
 *  secret; back: and came back with an old ticket; guess: when the guess was made that was none; unpaired: they do not */
/** @typedef {{kind: 'text', text: string} | {kind: 'state', mic: boolean, camera: boolean} | {kind: 'bye'} | import('./room-lock.js').Word} Note what members say to each other */
/** @typedef {{type: 'frame', frame: any} | {type: 'welcome', resumed: boolean} | {type: 'offline'} | {type: 'closed', how: 'stop' | 'show' | 'reload'} | {type: 'tick'}} Outside */
/** @typedef {Action | MediaEvent | PairEvent | Outside} Event */

/** @typedef {{do: 'send', frame: {t: string, [field: string]: unknown}} | {do: 'derive'} | {do: 'pair' | 'drop' | 'turn-away' | 'again', id: string}
 *    | {do: 'ice', ice: import('./protocol.js').Ice} | {do: 'room', me: string, tag: string} | {do: 'close'} | {do: 'media', kind: 'mic' | 'camera', on: boolean}
 *    | {do: 'mute', on: boolean} | {do: 'hide', on: boolean} | {do: 'say', note: Note, except: string, to: string}
 *    | {do: 'keep' | 'forget'} | {do: 'notify', what: 'knock' | 'joined' | 'message'}} Effect pair: keys may be made with them now; say: to one when to
 *  is not ''; keep: for a reload of this page */
/** @typedef {{now: number, out: (effect: Effect) => void}} Context */

/** Members of a group, with us. */
export const MOST_MEMBERS = 8;

/** @returns {Device} */
const off = () => ({ phase: 'off', error: '', device: '' });

/** start is the room before anything happened.
 * @param {number} now @returns {State} */
export const start = (now) => ({
  place: 'form',
  kind: 'link',
  make: false,
  words: [],
  channel: 0,
  password: '',
  tag: '',
  capacity: MOST_MEMBERS,
  knock: true,
  expires: 0,
  me: '',
  peers: [],
  arrived: 0,
  knocks: [],
  lock: lock(now),
  locked: false,
  media: { mic: off(), camera: off(), muted: false },
  hidden: false,
  online: false,
  chat: [],
  unread: 0,
  advice: null,
  picture: null,
  full: false,
  again: false,
  why: '',
  own: { guesses: [], pass: '', tickets: {}, retryAt: 0 },
});

/** peer finds somebody by member id.
 * @param {State} s @param {string} id */
export const peer = (s, id) => s.peers.find((p) => p.id === id);

/** ours are those who share our secret.
 * @param {State} s */
export const ours = (s) => s.peers.filter((p) => p.known && p.phase !== 'other');

/** stateOf is the value of <html data-state>.
 * @param {State} s */
export function stateOf({ place, peers }) {
  if (place === 'form') return 'home';
  if (place === 'preview') return 'mic';
  if (place === 'entering' || place === 'knocking') return 'connecting';
  if (place === 'ended') return 'ended';
  if (peers.some((p) => p.phase === 'live')) return 'live';
  return peers.some((p) => p.known && p.phase === 'away') ? 'reconnecting' : 'queued';
}
