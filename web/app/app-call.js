// The call: from the moment both confirmed to its end, and what can be done about somebody after it.

import { askAgain, askStanding, refusedDevice } from './app-device.js';
import { closeMic, enter, search, searchFrames, toHome } from './app-search.js';
import { go, newCall, REPORTABLE, retryLater } from './app-state.js';
import * as protocol from './protocol.js';

/** @typedef {import('./app-state.js').State} State */
/** @typedef {import('./app-state.js').Context} Context */
/** @typedef {import('./app-state.js').Call} Call */

const MOST_LINES = 200;
// ms to stay in, or to report.
const PAUSE = 5000;
// Nobody should meet an empty chair again and again.
const MOST_UNASKED = 3;
const LONGEST_LINE = 2000;
// ms: what breaks so soon after the server refused a call back broke with the server.
const SAME_OUTAGE = 5000;

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
    report: '',
    help: '',
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
    // Of a call that was left on the way back into it; the leave is on its way too.
    if (!rejoined && !s.own.match) return;
    Object.assign(s.own, { handle: f.handle, pass: f.pass, rejoining: false });
    x.out({ do: 'remember', kind: 'met', avoid: f.avoid });
    if (rejoined) return x.out({ do: 'rejoined', frame: f });
    Object.assign(s.own, { searching: false, place: '', match: '', relayed: false });
    s.call = newCall(f, x.now);
    go(s, 'connecting');
    x.out({ do: 'call', frame: f });
    x.out({ do: 'notify', what: 'matched' });
  },
  /** A call to which nobody came never was one: the search goes on.
   * @param {State} s @param {{why: 'peer' | 'late'}} f @param {Context} x */
  aborted(s, f, x) {
    if (s.call) {
      s.call = null;
      s.alert = '';
      Object.assign(s.own, { searching: true, handle: '', pass: '', rejoining: false });
      x.out({ do: 'hang-up', bye: false });
    }
    searchFrames.aborted(s, f, x);
  },
  /** @param {State} s @param {{state: 'away' | 'back'}} f @param {Context} x */
  peer(s, f, x) {
    if (!s.call) return;
    s.call.peerAway = f.state === 'away';
    if (f.state === 'back') x.out({ do: 'resync' });
  },
  /** @param {State} s @param {{why: string}} f @param {Context} x */
  ended(s, f, x) {
    // The answer to our own leave.
    if (!s.call) return;
    const why = f.why === 'left' || f.why === 'peer_left' ? f.why : 'peer_lost';
    // Lost to a server that came back late, perhaps, but not to us: the watch over the call decides. Over
    // a red one nobody watches.
    if (why === 'peer_lost' && s.screen === 'live' && s.call.verified !== 'mismatch') {
      s.call.peerAway = false;
      return;
    }
    over(s, x, why);
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
    // The microphone stays off.
    if (call.verified === 'mismatch') return;
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

/** lose ends a call that this side gives up.
 * @param {State} s @param {Context} x @param {'lost' | 'no_relay'} why */
function lose(s, x, why) {
  part(s, x, why);
  x.out({ do: 'notify', what: 'ended' });
}

export const peerEvents = {
  'peer-live': inCall((s, _, x, call) => {
    call.liveAt ||= x.now;
    call.slow = '';
    go(s, 'live');
  }),
  'peer-reconnecting': inCall((s, _, x) => {
    if (x.now - s.own.refusedAt < SAME_OUTAGE) lose(s, x, 'lost');
    else go(s, 'reconnecting');
  }),
  'peer-lost': inCall((s, _, x, call) => lose(s, x, call.liveAt === 0 && !s.own.relayed ? 'no_relay' : 'lost')),
  'peer-failed': inCall((s, _, x) => lose(s, x, 'lost')),
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

// Leaving a call, going on to the next one, and what can be done about somebody after it.

/** told shows how far the report of the last call has come, or says it where that call is not on the screen.
 * @param {State} s @param {import('./app-state.js').Reported} how @param {string} handle */
function told(s, how, handle) {
  const shown = s.after !== null && handle === s.own.lastHandle;
  if (s.after && shown) s.after.report = how;
  const final = how !== 'sending' && how !== 'retrying';
  if (final && !(shown && s.screen === 'ended')) s.alert = `report_${how}`;
}

/** late tells somebody whose report is not stored yet that it is tried again.
 * @param {State} s */
export function late(s) {
  if (s.own.reporting) told(s, 'retrying', s.own.reporting.handle);
}

/** giveUp ends a report that could not be stored while the server would take it.
 * @param {State} s @param {Context} x */
export function giveUp(s, x) {
  const { reporting } = s.own;
  if (!reporting || x.now < reporting.until) return;
  s.own.reporting = null;
  told(s, 'lost', reporting.handle);
}

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
    s.device.sure = false;
    if (name === 'report') stay(s, x);
    if (name === 'standing' || name === 'device') askStanding(s, x);
  },
  /** @param {State} s @param {{reason: string}} e @param {Context} x */
  report(s, { reason }, x) {
    const handle = s.call ? s.own.handle : s.after?.canReport ? s.own.lastHandle : '';
    if (!handle) {
      s.alert = 'bad_handle';
      return;
    }
    if (s.own.reporting || (!s.call && s.after?.report)) return;
    s.own.reporting = { handle, reason, until: s.call ? x.now + REPORTABLE : (s.after?.until ?? 0) };
    s.panel = '';
    sendReport(s, x);
    if (s.call) part(s, x, 'reported');
    s.panel = '';
    told(s, s.online ? 'sending' : 'retrying', handle);
    if (s.after && (reason === 'minor' || reason === 'threat')) s.after.help = reason;
  },
  /** @param {State} s @param {unknown} _ @param {Context} x */
  block(s, _, x) {
    const handle = s.call ? s.own.handle : s.own.lastHandle;
    if (!handle) return;
    s.own.blocking = handle;
    redo(s, x, 'block');
    stay(s, x);
    if (s.call) part(s, x, 'left');
  },
};

export const afterFrames = {
  /** @param {State} s @param {{avoid: string, next: 'counted' | 'counted_before'}} f @param {Context} x */
  reported(s, f, x) {
    // It may be the second answer to a report that was sent twice.
    if (s.own.reporting) told(s, f.next, s.own.reporting.handle);
    s.own.reporting = null;
    x.out({ do: 'remember', kind: 'reported', avoid: f.avoid });
  },
  /** @param {State} s @param {{avoid: string}} f @param {Context} x */
  blocked(s, f, x) {
    if (s.after && s.own.blocking === s.own.lastHandle) s.after.blocked = true;
    s.own.blocking = '';
    x.out({ do: 'remember', kind: 'blocked', avoid: f.avoid });
  },
};

/** refusedAfter answers an error about report, block, rejoin, leave, cancel or a question.
 * @param {State} s @param {import('./protocol.js').Refusal} f @param {Context} x */
export function refusedAfter(s, f, x) {
  /** @type {any} */
  const what = f.about;
  if (['standing', 'erase', 'review', 'answer'].includes(what)) {
    if (refusedDevice(s, f)) retryLater(s, x, 'device');
  } else if (f.code === 'unavailable') {
    if (what === 'report') late(s);
    retryLater(s, x, what);
  } else if (what === 'rejoin') notTakenBack(s, x);
  else if (what === 'report' || what === 'block') refusedForGood(s, f);
}

/** notTakenBack: a call that lives goes on between the browsers alone. One that broke has nobody to mend it through.
 * @param {State} s @param {Context} x */
function notTakenBack(s, x) {
  Object.assign(s.own, { rejoining: false, refusedAt: x.now });
  if (s.call && s.screen !== 'live') lose(s, x, 'lost');
}

/** refusedForGood forgets a report or a block that the server will never take.
 * @param {State} s @param {import('./protocol.js').Refusal} f */
function refusedForGood(s, f) {
  if (f.about === 'report') s.own.reporting = null;
  else s.own.blocking = '';
  if (s.after && f.about === 'report') s.after.report = '';
  if (s.after && f.code === 'bad_handle') s.after.canReport = false;
  s.alert = f.code;
}

/** redo tries again what the server could not do, if it is still wanted.
 * @param {State} s @param {Context} x @param {import('./app-state.js').Retry} what */
export function redo(s, x, what) {
  if (what === 'find' && s.own.searching && s.screen === 'queued') x.out({ do: 'find', place: s.own.place, proof: '' });
  else if (what === 'confirm' && s.own.match) x.out({ do: 'send', frame: protocol.confirm(s.own.match) });
  else if (what === 'cancel' && !s.own.searching) x.out({ do: 'send', frame: protocol.cancel() });
  else if (what === 'leave' && !s.call) x.out({ do: 'send', frame: protocol.leave() });
  else if (what === 'rejoin' && s.call && s.own.rejoining) x.out({ do: 'send', frame: protocol.rejoin(s.own.pass) });
  else if (what === 'block' && s.own.blocking) x.out({ do: 'send', frame: protocol.block(s.own.blocking) });
  else if (what === 'report') sendReport(s, x);
  else if (what === 'device') askAgain(s, x);
}

/** blocked shows a screen that only a reload leaves.
 * @param {State} s @param {Context} x @param {string} why */
export function blocked(s, x, why) {
  if (s.call) finish(s, x, 'lost', { bye: true });
  s.own.searching = false;
  toHome(s, x, why);
  // The screen says it.
  s.alert = '';
  go(s, 'blocked');
  x.out({ do: 'disconnect' });
}
