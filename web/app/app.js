// The reducer of the page: step(state, event, now) gives the next state and what is to be done.
// Pure: no DOM, no timer, no socket; main.js carries the effects out and brings the events.

import {
  afterActions,
  afterFrames,
  blocked,
  callActions,
  callFrames,
  giveUp,
  late,
  peerEvents,
  redo,
  refusedAfter,
} from './app-call.js';
import { deviceActions, deviceFrames } from './app-device.js';
import {
  again,
  dropAhead,
  enter,
  micActions,
  micEvents,
  puzzleEvents,
  refused,
  searchActions,
  searchFrames,
  waited,
} from './app-search.js';
import { draft, reasonOf, retryLater } from './app-state.js';
import * as protocol from './protocol.js';

export { start } from './app-state.js';

/** @typedef {import('./app-state.js').State} State */
/** @typedef {import('./app-state.js').Event} Event */
/** @typedef {import('./app-state.js').Effect} Effect */
/** @typedef {import('./app-state.js').Context} Context */
/** @typedef {import('./protocol.js').Frame} Frame */
/** @typedef {{[K in Event['type']]: (s: State, e: Event & {type: K}, x: Context) => void}} Handlers */
/** @typedef {'welcome' | 'relay' | 'ack' | 'ping' | 'drain' | 'knocking' | 'shut' | 'joined' | 'member' | 'knock' | 'door'} Lower what
 *  the socket, the call and the room deal with */
/** @typedef {{[K in Exclude<Frame['t'], Lower>]: (s: State, f: Frame & {t: K}, x: Context) => void}} FrameHandlers */

const SLOW = 8000;

/** @type {Record<string, 'replaced' | 'hello' | 'version'>} */
const CLOSED = { stop: 'replaced', show: 'hello', reload: 'version' };

const actions = { ...searchActions, ...micActions, ...callActions, ...afterActions, ...deviceActions };

/** @type {FrameHandlers} */
const frames = {
  ...searchFrames,
  ...callFrames,
  ...afterFrames,
  ...deviceFrames,
  error(s, f, x) {
    if (f.code === 'too_many') s.again = x.now + (f.wait_ms ?? 0);
    if (f.about === 'confirm' && f.code === 'unavailable') retryLater(s, x, 'confirm');
    else if (f.about === 'find' || f.about === 'confirm') refused(s, f, x);
    else if (f.about && f.about !== 'relay' && f.about !== 'relays') refusedAfter(s, f, x);
  },
};

/** @type {Handlers} */
const handlers = {
  ...actions,
  ...micEvents,
  ...peerEvents,
  ...puzzleEvents,
  frame: (s, { frame }, x) => {
    /** @type {any} */
    const all = frames;
    all[frame.t]?.(s, frame, x);
  },
  welcome(s, { resumed, age }, x) {
    s.online = true;
    if (age) x.out({ do: 'age', ticket: age });
    if (!resumed) revive(s, x);
  },
  offline(s) {
    s.online = false;
    late(s);
  },
  closed(s, { how }, x) {
    s.online = false;
    blocked(s, x, CLOSED[how] ?? 'hello');
  },
  unsupported: (s, _, x) => blocked(s, x, 'unsupported'),
  tick,
};

/** step returns the next state and the effects of an event, in order.
 * @param {State} state @param {Event} event @param {number} now ms since 1970
 * @returns {[State, Effect[]]} */
export function step(state, event, now) {
  const s = draft(state);
  /** @type {Effect[]} */
  const effects = [];
  if (event.type in actions) {
    // Said once.
    s.alert = '';
    s.own.unasked = 0;
  }
  /** @type {any} */
  const all = handlers;
  /** @type {Context} */
  const x = { now, out: (effect) => effects.push(effect) };
  all[event.type](s, event, x);
  s.reason = reasonOf(s);
  return [s, effects];
}

/** revive asks a server that has forgotten this session for what was under way.
 * @param {State} s @param {Context} x */
function revive(s, x) {
  const { pass, searching } = s.own;
  dropAhead(s, x);
  redo(s, x, 'report');
  redo(s, x, 'block');
  redo(s, x, 'device');
  if (s.call && pass) {
    s.own.rejoining = true;
    x.out({ do: 'send', frame: protocol.rejoin(pass) });
  } else if (searching) again(s, x);
}

/** tick is what time alone brings about.
 * @param {State} s @param {unknown} _ @param {Context} x */
function tick(s, _, x) {
  const { call, after, own } = s;
  giveUp(s, x);
  if (call && s.screen === 'connecting' && x.now - call.since >= SLOW) {
    call.slow = !s.online ? 'network' : own.relayed ? 'peer' : 'relay';
  }
  if (after?.canReport && x.now >= after.until) {
    after.canReport = false;
    own.lastHandle = '';
  }
  if (after?.next && s.screen === 'ended' && x.now >= after.next) {
    own.unasked += 1;
    enter(s, x);
  }
  waited(s, x);
  const due = own.retries.filter((r) => x.now >= r.at);
  if (due.length === 0) return;
  own.retries = own.retries.filter((r) => x.now < r.at);
  for (const { what } of due) redo(s, x, what);
}
