// Leaving a call, going on to the next one, and what can be done about somebody after it.

import { finish, over } from './app-call.js';
import { closeMic, enter, search, toHome } from './app-search.js';
import { go, retryLater } from './app-state.js';
import * as protocol from './protocol.js';

/** @typedef {import('./app-state.js').State} State */
/** @typedef {import('./app-state.js').Context} Context */

/** @param {State} s @param {Context} x */
function sendReport(s, x) {
  const { reporting } = s.own;
  if (reporting) x.out({ do: 'send', frame: protocol.report(reporting.handle, reporting.reason) });
}

/** part leaves the running call and tells both the peer and the server.
 * @param {State} s @param {Context} x @param {import('./app-state.js').Why} why */
function part(s, x, why) {
  x.out({ do: 'send', frame: protocol.leave() });
  over(s, x, why, { bye: true });
}

/** stay keeps the search from going on by itself.
 * @param {State} s @param {Context} x */
function stay(s, x) {
  if (!s.after?.next) return;
  s.after.next = 0;
  if (s.screen === 'ended') closeMic(s, x);
}

export const afterActions = {
  /** @param {State} s @param {unknown} _ @param {Context} x */
  stay: (s, _, x) => stay(s, x),
  /** @param {State} s @param {unknown} _ @param {Context} x */
  leave(s, _, x) {
    if (s.call) part(s, x, 'left');
  },
  /** @param {State} s @param {unknown} _ @param {Context} x */
  next(s, _, x) {
    if (s.screen === 'ended') return enter(s, x);
    if (!s.call) return;
    x.out({ do: 'send', frame: protocol.leave() });
    finish(s, x, 'left', { bye: true });
    search(s, x);
  },
  /** @param {State} s @param {unknown} _ @param {Context} x */
  again(s, _, x) {
    if (s.screen === 'ended' || s.screen === 'home') enter(s, x);
  },
  /** @param {State} s @param {unknown} _ @param {Context} x */
  home(s, _, x) {
    if (s.screen === 'blocked') return;
    if (s.call) part(s, x, 'left');
    s.after = null;
    if (!s.own.reporting) s.own.lastHandle = '';
    toHome(s, x, '');
  },
  /** @param {State} s @param {{name: string}} e @param {Context} x */
  panel(s, { name }, x) {
    s.panel = name;
    if (name === 'report') stay(s, x);
  },
  /** @param {State} s @param {{reason: string}} e @param {Context} x */
  report(s, { reason }, x) {
    const handle = s.call ? s.own.handle : s.after?.canReport ? s.own.lastHandle : '';
    if (!handle) {
      s.alert = 'bad_handle';
      return;
    }
    if (s.own.reporting || (!s.call && s.after?.reported)) return;
    s.own.reporting = { handle, reason };
    s.panel = '';
    sendReport(s, x);
    if (s.call) part(s, x, 'reported');
    s.panel = '';
  },
  /** @param {State} s @param {unknown} _ @param {Context} x */
  block(s, _, x) {
    const handle = s.call ? s.own.handle : s.own.lastHandle;
    if (!handle) return;
    x.out({ do: 'send', frame: protocol.block(handle) });
    stay(s, x);
    if (s.call) part(s, x, 'left');
  },
};

export const afterFrames = {
  /** @param {State} s @param {{avoid: string}} f @param {Context} x */
  reported(s, f, x) {
    if (s.after && s.own.reporting?.handle === s.own.lastHandle) s.after.reported = true;
    s.own.reporting = null;
    x.out({ do: 'remember', kind: 'reported', avoid: f.avoid });
  },
  /** @param {State} s @param {{avoid: string}} f @param {Context} x */
  blocked(s, f, x) {
    if (s.after) s.after.blocked = true;
    x.out({ do: 'remember', kind: 'blocked', avoid: f.avoid });
  },
};

/** refusedAfter answers an error about report, block, rejoin, leave or cancel.
 * @param {State} s @param {import('./protocol.js').Refusal} f @param {Context} x */
export function refusedAfter(s, f, x) {
  /** @type {any} */
  const what = f.about;
  if (f.code === 'unavailable') return retryLater(s, x, what);
  if (what === 'rejoin') s.own.rejoining = false; // the call goes on between the browsers alone
  if (what !== 'report' && what !== 'block') return;
  if (what === 'report') s.own.reporting = null;
  if (s.after && f.code === 'bad_handle') s.after.canReport = false;
  s.alert = f.code;
}

/** redo tries again what the server could not do, if it is still wanted.
 * @param {State} s @param {Context} x @param {import('./app-state.js').Retry} what */
export function redo(s, x, what) {
  if (what === 'find' && s.own.searching && s.screen === 'queued') x.out({ do: 'find', place: s.own.place });
  else if (what === 'confirm' && s.own.match) x.out({ do: 'send', frame: protocol.confirm(s.own.match) });
  else if (what === 'cancel' && !s.own.searching) x.out({ do: 'send', frame: protocol.cancel() });
  else if (what === 'leave' && !s.call) x.out({ do: 'send', frame: protocol.leave() });
  else if (what === 'rejoin' && s.call && s.own.rejoining) x.out({ do: 'send', frame: protocol.rejoin(s.own.pass) });
  else if (what === 'block' && s.own.lastHandle) x.out({ do: 'send', frame: protocol.block(s.own.lastHandle) });
  else if (what === 'report') sendReport(s, x);
}

/** blocked shows a screen that only a reload leaves.
 * @param {State} s @param {Context} x @param {string} why */
export function blocked(s, x, why) {
  if (s.call) finish(s, x, 'lost', { bye: true });
  s.own.searching = false;
  toHome(s, x, why);
  go(s, 'blocked');
  x.out({ do: 'disconnect' });
}
