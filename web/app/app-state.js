// What the page knows, as plain data, and the names of everything that can happen to it.
// The view reads State except own; only the reducer (app.js) makes a new one.

/** @typedef {'home' | 'mic' | 'queued' | 'matched' | 'connecting' | 'live' | 'reconnecting' | 'ended' | 'held' | 'blocked'} Screen */
/** @typedef {{languages: string[], interests: string[], widen: boolean, adult: boolean}} Choices */
/** @typedef {'' | 'denied' | 'blocked' | 'dismissed' | 'none' | 'busy' | 'insecure' | 'webview' | 'silent'} MicError */
/** @typedef {{id: string, label: string}} Device */
/** @typedef {{inputs: Device[], input: string, outputs: Device[], output: string}} Devices */
/** @typedef {{phase: 'explain' | 'asking' | 'pending' | 'test' | 'recording' | 'playing' | 'failed', error: MicError} & Devices} Mic
 *  error is also set, to silent, in phase test: the microphone gives nothing but zeros */
/** @typedef {{startedAt: number, widensAt: number[], steps: {at: number, look: string}[], wait: {p50: number, p90: number} | null,
 *    waiting: number | null, note: '' | 'back' | 'paused' | 'stopped', puzzle: Puzzle | null, asked: boolean}} Queue times in ms since 1970;
 *  asked: whether the wait is so long that the standing of this device was looked up */
/** @typedef {{since: number, takes: number}} Puzzle takes: how long this device needs for it, in ms, 0 before it knows */
/** @typedef {{mine: boolean, text: string, at: number}} Line */
/** @typedef {{symbols: number[], digits: string}} Sas */
/** @typedef {{shared: string[], language: string, since: number, liveAt: number, slow: '' | 'relay' | 'peer' | 'network',
 *    muted: boolean, peerMuted: boolean, volume: number, path: 'relayed' | 'direct' | '', direct: {mine: boolean, theirs: boolean},
 *    sas: Sas | null, verified: 'unverified' | 'verified' | 'mismatch', quality: 'good' | 'weak' | '', peerAway: boolean,
 *    chat: Line[], peerSilent: boolean}} Call */
/** @typedef {'left' | 'peer_left' | 'peer_lost' | 'lost' | 'mismatch' | 'reported' | 'no_relay' | 'expired' | 'late'} Why */
/** @typedef {'' | 'sending' | 'retrying' | 'counted' | 'counted_before' | 'lost'} Reported how far a report has come; lost:
 *  it could not be stored while there was time */
/** @typedef {{why: Why, talked: number, canReport: boolean, until: number, report: Reported, help: '' | 'minor' | 'threat',
 *    blocked: boolean, next: number}} After next: when the search goes on by itself, 0 for never */
/** @typedef {{until: number, reasons: string[]}} Held no search before until, in ms since 1970 */
/** @typedef {'clear' | 'watch' | 'restricted' | 'cooldown'} Band */
/** @typedef {{band: Band, until: number, reasons: string[], expires: number, stored: string[]}} Standing what the server
 *  stores about this device, or as alike about its kind; 0 for no time */
/** @typedef {{standing: Standing | null, asking: '' | 'standing' | 'erase' | 'review' | 'answer', trouble: string, sure: boolean,
 *    code: string, answer: '' | 'open' | 'expunged' | 'kept' | 'unknown'}} Dossier asking: the question that is under way;
 *  trouble: why the last one has no answer yet; sure: erasing must be said twice; code: of a review */
/** @typedef {'find' | 'confirm' | 'cancel' | 'leave' | 'rejoin' | 'report' | 'block' | 'device'} Retry */

/** @typedef {object} Own what only the reducer needs
 * @property {boolean} searching the server was asked to search, and has not been told to stop
 * @property {string} place keeps the place in the queue when the session is lost
 * @property {boolean} refind search again, with other choices, once the server has cancelled
 * @property {string} match the match to confirm
 * @property {boolean} confirmed
 * @property {number} lates how often in a row we confirmed too late
 * @property {boolean} micLive the microphone is open
 * @property {boolean} granted the browser will open it without asking
 * @property {boolean} tested its person has heard or seen that it works
 * @property {string} handle names the peer of the running call in a report
 * @property {string} pass lets us back into the running call
 * @property {boolean} rejoining
 * @property {number} refusedAt when the server last refused to take us back into a call
 * @property {boolean} relayed the relay gave us an address in this call
 * @property {string} lastHandle names the peer of the last call in a report
 * @property {{handle: string, reason: string, until: number} | null} reporting the report that is not yet stored
 * @property {boolean} fresh this browser has never been here, so its first search costs work
 * @property {'' | 'asked' | 'working' | 'done'} ahead how far the work is that is done while the microphone is tested
 * @property {string} proof its result
 * @property {number} proofUntil how long that is good
 * @property {number} proofs how many answers to a puzzle were refused in this search
 * @property {string} blocking the handle of the block that is not yet stored
 * @property {{at: number, what: Retry}[]} retries
 * @property {number} unasked how often in a row the search went on with nobody touching the page
 * @property {string} why reason of the home and the blocked screen
 */

/** @typedef {{screen: Screen, reason: string, online: boolean, choices: Choices, mic: Mic, queue: Queue, call: Call | null,
 *    after: After | null, held: Held | null, device: Dossier, panel: string, alert: string, again: number, own: Own}} State
 *  again: when what was refused as too_many may be tried again */

/** @typedef {{type: 'choose', choices: Choices} | {type: 'input' | 'output', id: string} | {type: 'volume', value: number}
 *    | {type: 'panel', name: string} | {type: 'report', reason: string} | {type: 'verified', ok: boolean} | {type: 'chat', text: string}
 *    | {type: 'answer', code: string}
 *    | {type: 'standing' | 'review' | 'erase-ask' | 'erase-not' | 'erase'
 *        | 'find' | 'mic-ask' | 'mic-retry' | 'mic-record' | 'mic-play' | 'mic-ok' | 'cancel' | 'next' | 'leave' | 'again'
 *        | 'home' | 'stay' | 'mute' | 'block' | 'direct' | 'widen'}} Action of the person */
/** @typedef {{type: 'mic-devices'} & Devices | {type: 'mic-failed', error: MicError} | {type: 'mic-silent', silent: boolean}
 *    | {type: 'mic-granted', granted: boolean}
 *    | {type: 'mic-live' | 'mic-pending' | 'mic-lost' | 'mic-switched' | 'mic-recorded' | 'mic-played'}} MicEvent of media.js */
/** @typedef {{type: 'peer-sas', sas: Sas} | {type: 'peer-path', path: 'relayed' | 'direct'}
 *    | {type: 'peer-quality', quality: '' | 'good' | 'weak', silent: boolean} | {type: 'peer-text', text: string}
 *    | {type: 'peer-muted', on: boolean} | {type: 'peer-direct' | 'peer-tap', on: boolean}
 *    | {type: 'peer-live' | 'peer-reconnecting' | 'peer-lost' | 'peer-failed' | 'peer-mismatch' | 'peer-bye' | 'peer-relayed' | 'peer-relays'}
 *    } PeerEvent of call.js; failed: this browser could not begin; relayed: we have an address of the relay; relays: fresh credentials are wanted; tap: the browser plays only after a touch */
/** @typedef {{type: 'puzzle-pace', ms: number} | {type: 'puzzle-solved', proof: string} | {type: 'puzzle-late' | 'puzzle-failed'}
 *    } PuzzleEvent of puzzle.js; pace: how long it will take; late: the time for it is over */
/** @typedef {{type: 'welcome', resumed: boolean, age?: string} | {type: 'offline'} | {type: 'closed', how: 'stop' | 'show' | 'reload'}
 *    | {type: 'frame', frame: import('./protocol.js').Frame}} SocketEvent of socket.js */
/** @typedef {{type: 'tick'} | {type: 'unsupported'}} PageEvent tick: once a second */
/** @typedef {Action | MicEvent | PeerEvent | PuzzleEvent | SocketEvent | PageEvent} Event */

/** @typedef {{do: 'send', frame: import('./protocol.js').Outgoing} | {do: 'find', place: string, proof: string} | {do: 'disconnect'}
 *    | {do: 'puzzle', challenge: string, bits: number, within: number} | {do: 'puzzle-stop'} | {do: 'ask-work'}
 *    | {do: 'age', ticket: string} | {do: 'review', code: string} | {do: 'forget'}
 *    | {do: 'mic', what: 'ask' | 'stop' | 'record' | 'play'} | {do: 'input' | 'output', id: string}
 *    | {do: 'save'} | {do: 'remember', kind: 'met' | 'reported' | 'blocked', avoid: string}
 *    | {do: 'prepare'} | {do: 'call' | 'rejoined', frame: import('./protocol.js').Connected} | {do: 'ice', ice: import('./protocol.js').Ice}
 *    | {do: 'resync'} | {do: 'hang-up', bye: boolean} | {do: 'mute', on: boolean} | {do: 'volume', value: number}
 *    | {do: 'chat', text: string} | {do: 'direct', on: boolean} | {do: 'mismatch'}
 *    | {do: 'notify', what: 'matched' | 'ended' | 'message'}} Effect */
/** @typedef {{now: number, out: (effect: Effect) => void}} Context */

/** How long after a call its peer can be reported. */
export const REPORTABLE = 600000;

/** start is the page before anything happened.
 * @param {Partial<Choices>} [choices] @param {boolean} [tested] @param {string} [code] @param {boolean} [fresh]
 * @returns {State} */
export function start(choices = {}, tested = false, code = '', fresh = false) {
  return {
    screen: 'home',
    reason: '',
    online: false,
    choices: { languages: [], interests: [], widen: true, adult: false, ...choices },
    mic: { phase: 'explain', error: '', inputs: [], input: '', outputs: [], output: '' },
    queue: newQueue(0),
    call: null,
    after: null,
    held: null,
    device: { standing: null, asking: '', trouble: '', sure: false, code, answer: '' },
    panel: '',
    alert: '',
    again: 0,
    own: {
      searching: false,
      place: '',
      refind: false,
      match: '',
      confirmed: false,
      lates: 0,
      micLive: false,
      granted: false,
      tested,
      handle: '',
      pass: '',
      rejoining: false,
      refusedAt: 0,
      relayed: false,
      lastHandle: '',
      reporting: null,
      fresh,
      ahead: '',
      proof: '',
      proofUntil: 0,
      proofs: 0,
      blocking: '',
      retries: [],
      unasked: 0,
      why: '',
    },
  };
}

/** @param {number} now @returns {Queue} */
export const newQueue = (now) => ({
  startedAt: now,
  widensAt: [],
  steps: [],
  wait: null,
  waiting: null,
  note: '',
  puzzle: null,
  asked: false,
});

/** newCall begins the state of a call.
 * @param {import('./protocol.js').Connected} frame @param {number} now @returns {Call} */
export const newCall = ({ shared, language }, now) => ({
  shared,
  language,
  since: now,
  liveAt: 0,
  slow: '',
  muted: false,
  peerMuted: false,
  volume: 1,
  path: '',
  direct: { mine: false, theirs: false },
  sas: null,
  verified: 'unverified',
  quality: '',
  peerAway: false,
  chat: [],
  peerSilent: false,
});

/** draft copies as deep as handlers write, so that they may write and step stays pure.
 * @param {State} s @returns {State} */
export const draft = (s) => ({
  ...s,
  mic: { ...s.mic },
  queue: { ...s.queue },
  call: s.call && { ...s.call, direct: { ...s.call.direct } },
  after: s.after && { ...s.after },
  device: { ...s.device },
  own: { ...s.own },
});

/** go changes the screen. An open report survives the end of the call.
 * @param {State} s @param {Screen} screen */
export function go(s, screen) {
  if (s.screen === screen) return;
  const keep = s.panel === 'report' && screen === 'ended';
  const inCall = ['connecting', 'live', 'reconnecting'];
  if (!keep && !(inCall.includes(s.screen) && inCall.includes(screen))) s.panel = '';
  s.screen = screen;
}

/** retryLater asks the tick to do what again.
 * @param {State} s @param {Context} x @param {Retry} what */
export function retryLater(s, x, what) {
  s.own.retries = [...s.own.retries.filter((r) => r.what !== what), { at: x.now + 2500, what }];
}

/** reasonOf says why the screen is what it is, for data-reason.
 * @param {State} s @returns {string} */
export function reasonOf(s) {
  // It may be found before the first sound.
  if (s.call?.verified === 'mismatch') return 'mismatch';
  switch (s.screen) {
    case 'mic':
      return s.mic.error;
    case 'ended':
      return s.after?.why ?? '';
    case 'connecting':
      return s.call?.slow ?? '';
    case 'queued':
      if (s.queue.puzzle) return 'puzzle';
      return s.online ? '' : 'offline';
    case 'live':
    case 'reconnecting':
      return s.online ? '' : 'offline';
    default:
      return s.own.why;
  }
}
