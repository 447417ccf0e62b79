// The call: from the moment both confirmed to its end.

import { closeMic } from './app-search.js';
import { go, newCall, REPORTABLE } from './app-state.js';
import * as protocol from './protocol.js';

/** @typedef {import('./app-state.js').State} State */
/** @typedef {import('./app-state.js').Context} Context */
/** @typedef {import('./app-state.js').Call} Call */

const MOST_LINES = 200;
const PAUSE = 5000; // time to stay, or to report
const MOST_UNASKED = 3; // nobody should meet an empty chair again and again
const LONGEST_LINE = 2000;

/** finish ends the call here; telling the server is the caller's affair.
 * @param {State} s @param {Context} x @param {import('./app-state.js').Why} why @param {{bye?: boolean}} [how] */
export function finish(s, x, why, { bye = false } = {}) {
  if (!s.call) return;
  const { liveAt, verified } = s.call;
  s.after = {
    why: verified === 'mismatch' ? 'mismatch' : why,
    talked: liveAt ? x.now - liveAt : 0,
    canReport: s.own.handle !== '',
    until: x.now + REPORTABLE,
    reported: false,
    blocked: false,
    next: 0,
  };
  Object.assign(s.own, { lastHandle: s.own.handle, handle: '', pass: '', rejoining: false });
  s.call = null;
  s.alert = '';
  x.out({ do: 'hang-up', bye });
}

/** over ends the call and shows why. Whom the other one left, the search goes on by itself for after a
 * moment; the microphone stays open for that, so that the browser need not ask again.
 * @param {State} s @param {Context} x @param {import('./app-state.js').Why} why @param {{bye?: boolean}} [how] */
export function over(s, x, why, how) {
  finish(s, x, why, how);
  const goesOn = s.after?.why === 'peer_left' || s.after?.why === 'peer_lost';
  if (s.after && goesOn && s.panel !== 'report' && s.own.unasked < MOST_UNASKED) s.after.next = x.now + PAUSE;
  else closeMic(s, x);
  go(s, 'ended');
}

/** differ turns the call red: somebody may be listening.
 * @param {State} s @param {Context} x @param {Call} call */
function differ(s, x, call) {
  call.verified = 'mismatch';
  call.muted = true;
  s.panel = '';
  x.out({ do: 'mismatch' });
}

/** @param {Call} call @param {boolean} mine @param {string} text @param {number} at */
function say(call, mine, text, at) {
  call.chat = [...call.chat, { mine, text, at }].slice(-MOST_LINES);
}

export const callFrames = {
  /** @param {State} s @param {import('./protocol.js').Connected} f @param {Context} x */
  connected(s, f, x) {
    const rejoined = s.call !== null && s.own.rejoining;
    if (!rejoined && !s.own.searching) return x.out({ do: 'send', frame: protocol.leave() });
    Object.assign(s.own, { handle: f.handle, pass: f.pass, rejoining: false });
    x.out({ do: 'remember', kind: 'met', avoid: f.avoid });
    if (rejoined) return x.out({ do: 'rejoined', frame: f });
    Object.assign(s.own, { searching: false, place: '', match: '', relayed: false });
    s.call = newCall(f, x.now);
    go(s, 'connecting');
    x.out({ do: 'call', frame: f });
    x.out({ do: 'notify', what: 'matched' });
  },
  /** @param {State} s @param {{state: 'away' | 'back'}} f @param {Context} x */
  peer(s, f, x) {
    if (!s.call) return;
    s.call.peerAway = f.state === 'away';
    if (f.state === 'back') x.out({ do: 'resync' });
  },
  /** @param {State} s @param {{why: string}} f @param {Context} x */
  ended(s, f, x) {
    if (!s.call) return; // the answer to our own leave
    over(s, x, f.why === 'left' || f.why === 'peer_left' ? f.why : 'peer_lost');
    x.out({ do: 'notify', what: 'ended' });
  },
  /** @param {State} s @param {{ice: import('./protocol.js').Ice}} f @param {Context} x */
  relays(s, f, x) {
    if (s.call) x.out({ do: 'ice', ice: f.ice });
  },
};

/** inCall makes a handler of one that needs a call.
 * @template E @param {(s: State, e: E, x: Context, call: Call) => void} handle @returns {(s: State, e: E, x: Context) => void} */
const inCall = (handle) => (s, e, x) => {
  if (s.call) handle(s, e, x, s.call);
};

export const callActions = {
  mute: inCall((_, __, x, call) => {
    if (call.verified === 'mismatch') return; // stays muted
    call.muted = !call.muted;
    x.out({ do: 'mute', on: call.muted });
  }),
  /** @type {(s: State, e: {value: number}, x: Context) => void} */
  volume: inCall((_, { value }, x, call) => {
    call.volume = Math.min(1, Math.max(0, Number(value) || 0));
    x.out({ do: 'volume', value: call.volume });
  }),
  /** @type {(s: State, e: {text: string}, x: Context) => void} */
  chat: inCall((_, { text }, x, call) => {
    const line = text.trim().slice(0, LONGEST_LINE);
    if (!line || call.verified === 'mismatch') return;
    say(call, true, line, x.now);
    x.out({ do: 'chat', text: line });
  }),
  /** @type {(s: State, e: {ok: boolean}, x: Context) => void} */
  verified: inCall((s, { ok }, x, call) => {
    if (call.verified === 'mismatch') return;
    if (!ok) differ(s, x, call);
    else if (call.sas) call.verified = 'verified';
  }),
  direct: inCall((_, __, x, call) => {
    if (call.verified === 'mismatch') return;
    call.direct.mine = !call.direct.mine;
    x.out({ do: 'direct', on: call.direct.mine });
  }),
};

export const peerEvents = {
  'peer-live': inCall((s, _, x, call) => {
    call.liveAt ||= x.now;
    call.slow = '';
    go(s, 'live');
  }),
  'peer-reconnecting': inCall((s) => go(s, 'reconnecting')),
  'peer-lost': inCall((s, _, x, call) => {
    x.out({ do: 'send', frame: protocol.leave() });
    over(s, x, call.liveAt === 0 && !s.own.relayed ? 'no_relay' : 'lost', { bye: true });
    x.out({ do: 'notify', what: 'ended' });
  }),
  'peer-bye': inCall((s, _, x) => {
    x.out({ do: 'send', frame: protocol.leave() });
    over(s, x, 'peer_left');
    x.out({ do: 'notify', what: 'ended' });
  }),
  'peer-mismatch': inCall((s, _, x, call) => {
    if (call.verified !== 'mismatch') differ(s, x, call);
  }),
  /** @type {(s: State, e: {sas: import('./app-state.js').Sas}, x: Context) => void} */
  'peer-sas': inCall((_, { sas }, __, call) => {
    call.sas = sas;
  }),
  /** @type {(s: State, e: {path: 'relayed' | 'direct'}, x: Context) => void} */
  'peer-path': inCall((_, { path }, __, call) => {
    call.path = path;
  }),
  /** @type {(s: State, e: {quality: '' | 'good' | 'weak', silent: boolean}, x: Context) => void} */
  'peer-quality': inCall((_, { quality, silent }, __, call) => {
    call.quality = quality;
    call.peerSilent = silent;
  }),
  /** @type {(s: State, e: {text: string}, x: Context) => void} */
  'peer-text': inCall((_, { text }, x, call) => {
    say(call, false, text.slice(0, LONGEST_LINE), x.now);
    x.out({ do: 'notify', what: 'message' });
  }),
  /** @type {(s: State, e: {on: boolean}, x: Context) => void} */
  'peer-muted': inCall((_, { on }, __, call) => {
    call.peerMuted = on;
  }),
  /** @type {(s: State, e: {on: boolean}, x: Context) => void} */
  'peer-direct': inCall((_, { on }, __, call) => {
    call.direct.theirs = on;
  }),
  'peer-relayed': inCall((s) => {
    s.own.relayed = true;
  }),
  'peer-relays': inCall((_, __, x) => x.out({ do: 'send', frame: protocol.relays() })),
  /** @type {(s: State, e: {on: boolean}, x: Context) => void} */
  'peer-tap': inCall((s, { on }) => {
    if (on) s.alert = 'tap';
    else if (s.alert === 'tap') s.alert = '';
  }),
};
