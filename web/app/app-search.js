// From the first press of "find" to the match: the microphone screen, the queue, the confirmation.

import { askStanding } from './app-device.js';
import { go, newQueue, retryLater } from './app-state.js';
import * as protocol from './protocol.js';

/** @typedef {import('./app-state.js').State} State */
/** @typedef {import('./app-state.js').Context} Context */

const MOST_LATES = 2;
const MOST_PROOFS = 5;
// ms before its end in which a proof is not trusted to arrive in time.
const MARGIN = 5000;
// ms of waiting after which the page looks whether the reason lies in this device.
const LONG = 60000;
// What the screen says of a search that waits, by the server's notice.
const notes = /** @type {Record<string, 'paused' | 'stopped'>} */ ({ store_away: 'paused', paused: 'stopped' });

/** search joins the queue, anew or at the kept place.
 * @param {State} s @param {Context} x */
export function search(s, x) {
  go(s, 'queued');
  s.queue = newQueue(x.now);
  Object.assign(s.own, { searching: true, place: '', refind: false, match: '', confirmed: false, lates: 0, proofs: 0 });
  x.out({ do: 'save' });
  if (!s.own.micLive) x.out({ do: 'mic', what: 'ask' });
  if (s.own.ahead === 'working') s.queue.puzzle = { since: x.now, takes: 0 };
  else x.out({ do: 'find', place: '', proof: s.own.ahead === 'done' && x.now < s.own.proofUntil ? s.own.proof : '' });
  Object.assign(s.own, { ahead: '', fresh: false });
  x.out({ do: 'prepare' });
}

/** workAhead lets a newcomer do the work for a search while the microphone is tested: a find that needs
 * work changes nothing but what it costs.
 * @param {State} s @param {Context} x */
function workAhead(s, x) {
  const over = s.own.ahead === 'done' && x.now >= s.own.proofUntil;
  if (!s.own.fresh || !s.online || (s.own.ahead && !over)) return;
  s.own.ahead = 'asked';
  x.out({ do: 'ask-work' });
}

/** dropAhead leaves that work.
 * @param {State} s @param {Context} x */
export function dropAhead(s, x) {
  if (s.own.ahead === 'working') x.out({ do: 'puzzle-stop' });
  s.own.ahead = '';
}

/** dropPuzzle stops the work on a puzzle whose answer nobody waits for any more.
 * @param {State} s @param {Context} x */
function dropPuzzle(s, x) {
  if (!s.queue.puzzle) return;
  s.queue.puzzle = null;
  x.out({ do: 'puzzle-stop' });
}

/** stopSearch leaves the queue or the match.
 * @param {State} s @param {Context} x */
export function stopSearch(s, x) {
  if (!s.own.searching) return;
  s.own.searching = false;
  dropPuzzle(s, x);
  const { match, confirmed } = s.own;
  x.out({ do: 'send', frame: match && !confirmed ? protocol.decline(match) : protocol.cancel() });
  s.own.match = '';
}

/** closeMic switches the microphone off.
 * @param {State} s @param {Context} x */
export function closeMic(s, x) {
  s.own.micLive = false;
  s.mic = { ...s.mic, phase: 'explain', error: '' };
  x.out({ do: 'mic', what: 'stop' });
}

/** cease is the end of a search that the server has stopped already.
 * @param {State} s @param {Context} x */
function cease(s, x) {
  dropPuzzle(s, x);
  Object.assign(s.own, { searching: false, match: '', refind: false });
  closeMic(s, x);
}

/** fruitless ends a search that found nobody. What was known of the last call stays.
 * @param {State} s @param {Context} x @param {'expired' | 'late'} why */
function fruitless(s, x, why) {
  cease(s, x);
  const last = s.after ?? { canReport: false, until: 0, report: '', blocked: false };
  s.after = { ...last, help: '', why, talked: 0, next: 0 };
  go(s, 'ended');
}

/** toHome ends whatever runs and shows the first screen, with a reason that may be ''.
 * @param {State} s @param {Context} x @param {string} why */
export function toHome(s, x, why) {
  stopSearch(s, x);
  if (s.own.ahead !== 'done') dropAhead(s, x);
  s.own.match = '';
  closeMic(s, x);
  s.own.why = why;
  if (why) s.alert = why;
  go(s, 'home');
}

/** enter goes to the queue when the microphone is known to work, else to its screen.
 * @param {State} s @param {Context} x */
export function enter(s, x) {
  s.own.why = '';
  if (s.after) s.after.next = 0;
  // The form says so.
  if (s.choices.languages.length === 0 || !s.choices.adult) return;
  if (s.own.tested && (s.own.granted || s.own.micLive)) search(s, x);
  else {
    x.out({ do: 'save' });
    s.mic = { ...s.mic, phase: 'explain', error: '' };
    go(s, 'mic');
    workAhead(s, x);
  }
}

/** confirm answers a match as soon as the microphone is open.
 * @param {State} s @param {Context} x */
export function confirm(s, x) {
  if (!s.own.match || s.own.confirmed || !s.own.micLive) return;
  s.own.confirmed = true;
  x.out({ do: 'send', frame: protocol.confirm(s.own.match) });
}

/** again searches once more at the kept place, after the session or the match was lost.
 * @param {State} s @param {Context} x */
export function again(s, x) {
  s.own.match = '';
  s.own.confirmed = false;
  dropPuzzle(s, x);
  go(s, 'queued');
  x.out({ do: 'find', place: s.own.place, proof: '' });
}

export const searchFrames = {
  /** @param {State} s @param {import('./protocol.js').Queued} f @param {Context} x */
  queued(s, f, x) {
    if (!s.own.searching) return x.out({ do: 'send', frame: protocol.cancel() });
    const startedAt = x.now - f.since_ms;
    const steps = f.steps.map(({ at_ms, look }) => ({ at: startedAt + at_ms, look }));
    const wait = f.wait && { p50: f.wait.p50_ms, p90: f.wait.p90_ms };
    const widensAt = steps.filter((step) => step.at > startedAt).map((step) => step.at);
    s.queue = { ...s.queue, startedAt, steps, widensAt, wait, waiting: f.waiting };
    if (s.queue.note !== 'back') s.queue.note = '';
    dropPuzzle(s, x);
    s.own.place = f.place;
    s.own.match = '';
    go(s, 'queued');
  },
  /** @param {State} s @param {import('./protocol.js').Riddle} f @param {Context} x */
  puzzle(s, f, x) {
    if (s.own.refind || !(s.own.searching || s.own.ahead === 'asked')) return;
    if (s.own.searching) s.queue.puzzle = { since: x.now, takes: 0 };
    else Object.assign(s.own, { ahead: 'working', proofUntil: x.now + f.within_ms - MARGIN });
    x.out({ do: 'puzzle', challenge: f.challenge, bits: f.bits, within: f.within_ms });
  },
  /** @param {State} s @param {import('./protocol.js').Holding} f @param {Context} x */
  held(s, f, x) {
    s.held = { until: x.now + f.until_ms, reasons: f.reasons };
    if (!s.own.searching) return;
    cease(s, x);
    go(s, 'held');
  },
  /** @param {State} s @param {{code: string}} f */
  notice(s, f) {
    if (s.screen === 'queued' || s.screen === 'matched') s.queue.note = notes[f.code] ?? s.queue.note;
  },
  /** @param {State} s @param {unknown} _ @param {Context} x */
  cancelled(s, _, x) {
    if (!s.own.refind) return;
    s.own.refind = false;
    if (s.own.searching) again(s, x);
  },
  /** @param {State} s @param {unknown} _ @param {Context} x */
  expired(s, _, x) {
    if (s.own.searching) fruitless(s, x, 'expired');
  },
  /** @param {State} s @param {import('./protocol.js').Matched} f @param {Context} x */
  matched(s, f, x) {
    if (!s.own.searching) return x.out({ do: 'send', frame: protocol.decline(f.match) });
    Object.assign(s.own, { match: f.match, confirmed: false, refind: false });
    s.queue.note = '';
    go(s, 'matched');
    confirm(s, x);
  },
  /** @param {State} s @param {{why: 'peer' | 'late'}} f @param {Context} x */
  aborted(s, f, x) {
    s.own.match = '';
    if (!s.own.searching) return;
    if (f.why === 'peer') {
      s.queue.note = 'back';
      go(s, 'queued');
    } else if (s.own.micLive && s.own.lates < MOST_LATES) {
      s.own.lates += 1;
      again(s, x);
    } else fruitless(s, x, 'late');
  },
};

/** refused answers an error about find or confirm.
 * @param {State} s @param {import('./protocol.js').Refusal} f @param {Context} x */
export function refused(s, f, x) {
  if (f.about === 'confirm') {
    s.own.match = '';
    if (s.screen === 'matched') go(s, 'queued');
    return;
  }
  // A match or a call came first.
  if (!s.own.searching || s.screen !== 'queued') return;
  if (f.code === 'bad_value' && s.own.place) {
    // It is of a server that has forgotten its keys.
    s.own.place = '';
    return again(s, x);
  }
  if (f.code === 'unavailable' || f.code === 'bad_state') return retryLater(s, x, 'find');
  // Another puzzle follows.
  if (f.code === 'bad_proof' && ++s.own.proofs < MOST_PROOFS) return;
  cease(s, x);
  toHome(s, x, f.code);
}

/** waited looks whether a long wait has its reason in this device. It is told to nobody who does not
 * wait: who hears of it at once begins anew with another token, and no victim is helped.
 * @param {State} s @param {Context} x */
export function waited(s, x) {
  if (s.screen !== 'queued' || s.queue.asked || x.now - s.queue.startedAt < LONG) return;
  s.queue.asked = true;
  askStanding(s, x);
}

export const puzzleEvents = {
  /** @param {State} s @param {{ms: number}} e */
  'puzzle-pace'(s, { ms }) {
    if (s.queue.puzzle) s.queue.puzzle = { ...s.queue.puzzle, takes: ms };
  },
  /** @param {State} s @param {{proof: string}} e @param {Context} x */
  'puzzle-solved'(s, { proof }, x) {
    if (s.own.ahead === 'working') Object.assign(s.own, { ahead: 'done', proof });
    if (!s.queue.puzzle) return;
    s.queue.puzzle = null;
    x.out({ do: 'find', place: s.own.place, proof });
  },
  /** @param {State} s @param {unknown} _ @param {Context} x */
  'puzzle-late'(s, _, x) {
    dropAhead(s, x);
    if (s.queue.puzzle) again(s, x);
  },
  /** @param {State} s @param {unknown} _ @param {Context} x */
  'puzzle-failed'(s, _, x) {
    dropAhead(s, x);
    if (s.queue.puzzle) toHome(s, x, 'bad_proof');
  },
};

export const searchActions = {
  /** @param {State} s @param {{choices: import('./app-state.js').Choices}} e @param {Context} x */
  choose(s, { choices }, x) {
    s.choices = { ...s.choices, ...choices };
    x.out({ do: 'save' });
  },
  /** @param {State} s @param {unknown} _ @param {Context} x */
  find(s, _, x) {
    if (['home', 'ended', 'mic', 'held'].includes(s.screen)) enter(s, x);
  },
  /** @param {State} s @param {unknown} _ @param {Context} x */
  widen(s, _, x) {
    s.choices = { ...s.choices, widen: !s.choices.widen };
    x.out({ do: 'save' });
    if (s.screen !== 'queued' || s.own.refind) return;
    s.own.refind = true;
    dropPuzzle(s, x);
    x.out({ do: 'send', frame: protocol.cancel() });
  },
  /** @param {State} s @param {unknown} _ @param {Context} x */
  cancel(s, _, x) {
    if (!['mic', 'queued', 'matched'].includes(s.screen)) return;
    toHome(s, x, '');
    // The last call can still be reported.
    if (s.after?.canReport && !s.after.report) go(s, 'ended');
  },
};

// The microphone screen, and what happens when the microphone comes and goes.

/** @param {State} s @param {Context} x */
function ask(s, x) {
  s.mic = { ...s.mic, phase: 'asking', error: '' };
  x.out({ do: 'mic', what: 'ask' });
}

export const micActions = {
  /** @param {State} s @param {unknown} _ @param {Context} x */
  'mic-ask': (s, _, x) => ask(s, x),
  /** @param {State} s @param {unknown} _ @param {Context} x */
  'mic-retry': (s, _, x) => ask(s, x),
  /** @param {State} s @param {unknown} _ @param {Context} x */
  'mic-record'(s, _, x) {
    if (s.mic.phase !== 'test') return;
    s.mic.phase = 'recording';
    x.out({ do: 'mic', what: 'record' });
  },
  /** @param {State} s @param {unknown} _ @param {Context} x */
  'mic-play'(s, _, x) {
    if (s.mic.phase !== 'test') return;
    s.mic.phase = 'playing';
    x.out({ do: 'mic', what: 'play' });
  },
  /** @param {State} s @param {unknown} _ @param {Context} x */
  'mic-ok'(s, _, x) {
    if (s.screen !== 'mic' || !s.own.micLive) return;
    s.own.tested = true;
    search(s, x);
  },
  /** @param {State} s @param {{id: string}} e @param {Context} x */
  input(s, { id }, x) {
    s.mic.input = id;
    x.out({ do: 'input', id });
  },
  /** @param {State} s @param {{id: string}} e @param {Context} x */
  output(s, { id }, x) {
    s.mic.output = id;
    x.out({ do: 'output', id });
  },
};

export const micEvents = {
  /** @param {State} s @param {unknown} _ @param {Context} x */
  'mic-live'(s, _, x) {
    s.own.micLive = true;
    s.own.granted = true;
    s.mic = { ...s.mic, phase: 'test', error: '' };
    if (s.alert === 'mic') s.alert = '';
    if (s.call) x.out({ do: 'mute', on: s.call.muted });
    confirm(s, x);
  },
  /** @param {State} s */
  'mic-pending'(s) {
    if (s.mic.phase === 'asking') s.mic.phase = 'pending';
  },
  /** @param {State} s @param {{error: import('./app-state.js').MicError}} e @param {Context} x */
  'mic-failed'(s, { error }, x) {
    s.own.micLive = false;
    if (error === 'denied' || error === 'blocked') s.own.granted = false;
    s.mic = { ...s.mic, phase: 'failed', error };
    if (s.call) s.alert = 'mic';
    else if (s.screen === 'queued' || s.screen === 'matched') {
      stopSearch(s, x);
      go(s, 'mic');
    }
  },
  /** The peer is told that nobody can be heard, whatever was chosen here.
   * @param {State} s @param {unknown} _ @param {Context} x */
  'mic-lost'(s, _, x) {
    s.own.micLive = false;
    if (!s.call) return;
    s.alert = 'mic';
    x.out({ do: 'mute', on: true });
  },
  /** @param {State} s */
  'mic-switched'(s) {
    if (s.own.micLive) s.alert = 'device';
  },
  /** @param {State} s @param {{silent: boolean}} e */
  'mic-silent'(s, { silent }) {
    if (s.mic.phase !== 'failed') s.mic.error = silent ? 'silent' : '';
  },
  /** @param {State} s @param {unknown} _ @param {Context} x */
  'mic-recorded'(s, _, x) {
    if (s.mic.phase !== 'recording') return;
    s.mic.phase = 'playing';
    x.out({ do: 'mic', what: 'play' });
  },
  /** @param {State} s */
  'mic-played'(s) {
    if (s.mic.phase === 'playing') s.mic.phase = 'test';
  },
  /** @param {State} s @param {import('./app-state.js').Devices} e */
  'mic-devices'(s, { inputs, input, outputs, output }) {
    Object.assign(s.mic, { inputs, input, outputs, output });
  },
  /** @param {State} s @param {{granted: boolean}} e */
  'mic-granted'(s, { granted }) {
    s.own.granted = granted;
  },
};
