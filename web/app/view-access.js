// The page without eyes on it and without a mouse: what the status region says aloud, what calls back
// somebody who looks elsewhere, and the keys.

import { h, p, show, text } from './view-parts.js';

// ms that a hint of the view itself stays.
const hintTime = 3000;
// ms from which on the work for a puzzle is worth a word.
export const slow = 2000;

/**
 * The sentences between two states; empty when nothing changed that one needs to hear.
 * @param {import('./view.js').State | undefined} before @param {import('./view.js').State} after @param {import('./view-parts.js').T} t
 */
export function sayChange(before, after, t) {
  const sentences = before ? [screenWords(before, after, t), ...callWords(before.call, after.call, t)] : [];
  if (after.alert && after.alert !== before?.alert)
    sentences.push(alertWords(after.alert, t, after.again - Date.now()));
  return sentences.filter(Boolean).join(' ');
}

/** @param {string} code @param {import('./view-parts.js').T} t @param {number} wait ms until one may try again */
export function alertWords(code, t, wait) {
  if (code === 'too_many' && wait > 0) return t('alert.too_many.wait', { text: t.seconds(wait) });
  return t(t.has(`alert.${code}`) ? `alert.${code}` : 'alert.unknown');
}

/** @param {import('./view.js').State} state */
const place = (state) => {
  const { screen, reason, mic, queue, after, call } = state;
  return [
    screen,
    screen === 'blocked' ? reason : '',
    screen === 'mic' ? mic.phase + mic.error : '',
    screen === 'queued' ? queue.note + (queue.puzzle ? `puzzle${queue.puzzle.takes > slow}` : limited(state)) : '',
    screen === 'matched' ? queue.note : '',
    screen === 'ended' ? `${after?.why}${after?.report}${after?.blocked}` : '',
    call?.slow,
    call?.verified === 'mismatch',
  ].join('|');
};

/** Whether the wait is long because of what was reported. @param {import('./view.js').State} state */
export const limited = ({ queue, device }) => queue.asked && device.standing?.band === 'restricted';

/** @param {import('./view.js').State} before @param {import('./view.js').State} after @param {import('./view-parts.js').T} t */
function screenWords(before, after, t) {
  if (place(before) === place(after)) return '';
  const { screen, reason, mic, call } = after;
  if (call?.verified === 'mismatch') return `${t('alarm.title')} ${t('alarm.body')}`;
  switch (screen) {
    case 'mic':
      return mic.phase === 'failed' ? t(`mic.fail.${mic.error || 'denied'}`) : t(`mic.${quiet(mic.phase)}`);
    case 'queued':
      return queueWords(after, t);
    case 'matched':
      return after.queue.note ? t(`queue.${after.queue.note}`) : t('call.matched');
    case 'connecting':
    case 'reconnecting':
      return call?.slow ? t(`slow.${call.slow}`) : t(`call.${screen}`);
    case 'live':
      return t('say.live');
    case 'ended':
      return endedWords(after, t);
    case 'held':
      return `${t('held.title')}. ${t('held.until', { time: t.when(after.held?.until ?? 0) })}`;
    case 'blocked':
      return t(t.has(`blocked.${reason}`) ? `blocked.${reason}` : 'blocked.error');
    default:
      return t('say.home');
  }
}

/** @param {import('./view.js').State} state @param {import('./view-parts.js').T} t */
function queueWords(state, t) {
  const { puzzle, note } = state.queue;
  if (puzzle) return puzzle.takes > slow ? t('puzzle.takes', { time: t.seconds(puzzle.takes) }) : t('puzzle.title');
  return limited(state) ? t('queue.limited') : t(`queue.${note || 'title'}`);
}

/** @param {string} phase a playing or recording test needs no voice over it */
const quiet = (phase) => (phase === 'recording' || phase === 'playing' ? 'test' : phase);

/** @param {import('./view.js').State} state @param {import('./view-parts.js').T} t */
function endedWords({ after }, t) {
  if (after?.report) {
    const words = t(`ended.report.${after.report}`, { time: t.time(after.until) });
    return after.help && after.report === 'sending' ? `${words} ${t(`help.${after.help}.danger`)}` : words;
  }
  if (after?.blocked) return t('ended.is_blocked');
  return t(after && t.has(`ended.${after.why}`) ? `ended.${after.why}` : 'ended.lost');
}

/** @param {import('./view.js').Call | null} before @param {import('./view.js').Call | null} after @param {import('./view-parts.js').T} t */
function callWords(before, after, t) {
  if (!before || !after) return [];
  /** @type {[boolean, string][]} what became true, and its words */
  const changes = [
    [after.muted && !before.muted, 'say.muted'],
    [before.muted && !after.muted, 'say.unmuted'],
    [after.path === 'direct' && before.path !== 'direct', 'path.direct'],
    [after.path === 'relayed' && before.path === 'direct', 'path.relayed'],
    [after.verified === 'verified' && before.verified !== 'verified', 'verify.done'],
    [after.quality === 'weak' && before.quality !== 'weak', 'hint.weak'],
    [after.peerAway && !before.peerAway, 'hint.away'],
    [before.peerAway && !after.peerAway, 'say.back'],
    [after.peerMuted && !before.peerMuted, 'say.peer_muted'],
    [after.peerSilent && !before.peerSilent, 'hint.silent'],
    [asks(after) && !asks(before), 'hint.direct'],
  ];
  const fresh = after.chat.filter((line) => !line.mine && !before.chat.includes(line));
  return [
    ...changes.filter(([now]) => now).map(([, key]) => t(key)),
    ...fresh.map(({ text }) => t('say.chat', { text })),
  ];
}

/** They want a direct line and wait for an answer. @param {import('./view.js').Call} call */
const asks = ({ direct }) => direct.theirs && !direct.mine;

/** Says changes in the status region, and shows alerts and hints also to the eye. @param {import('./view-parts.js').T} t */
export function announcer(t) {
  const status = h('p', { class: 'unseen', role: 'status', 'data-testid': 'status' });
  const toast = h('p', { class: 'toast', 'aria-hidden': 'true', 'data-testid': 'toast', hidden: true });
  let alert = '';
  let again = 0;
  let hinted = 0;
  /** @param {string} sentence the same sentence twice is said twice */
  function say(sentence) {
    if (sentence) text(status, status.textContent === sentence ? `${sentence}\u00a0` : sentence);
  }
  /** @param {number} now */
  function tick(now) {
    // A hint stays for its time.
    if (alert && now >= hinted) text(toast, alertWords(alert, t, again - now));
    show(toast, alert !== '' || now < hinted);
  }
  return {
    els: [toast, status],
    tick,
    /** @param {string} key */
    hint(key) {
      hinted = Date.now() + hintTime;
      text(toast, t(key));
      show(toast, true);
      say(t(key));
    },
    /** @param {import('./view.js').State | undefined} before @param {import('./view.js').State} after */
    update(before, after) {
      if (after.alert && after.alert !== alert) hinted = 0;
      ({ alert, again } = after);
      tick(Date.now());
      say(sayChange(before, after, t));
    },
  };
}

// Tells somebody who looks elsewhere: the title, a short sound, a notification if it was allowed.

const tones = {
  // Two voices meet.
  matched: [659, 880, 1319],
  ended: [659, 440],
  message: [880],
};
// Seconds from tone to tone.
const beat = 0.13;
const loud = 0.07;

/** Whether asking makes sense: only after a tap, and only if nothing was answered yet. */
export const mayAskToNotify = () => 'Notification' in globalThis && Notification.permission === 'default';

export const askToNotify = () => Notification.requestPermission();

/** @param {{t: import('./view-parts.js').T}} page */
export function alerts({ t }) {
  /** @type {AudioContext | undefined} */
  let audio;
  /** @type {Notification | undefined} */
  let note;

  /** @param {keyof typeof tones} what */
  function ring(what) {
    audio ??= new AudioContext();
    const start = audio.currentTime + 0.02;
    for (const [i, pitch] of tones[what].entries()) {
      const tone = new OscillatorNode(audio, { type: 'sine', frequency: pitch });
      const gain = new GainNode(audio, { gain: 0 });
      const at = start + i * beat;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(loud, at + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.0001, at + 0.3);
      tone.connect(gain).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.32);
    }
  }

  /** @param {string} sentence */
  function show(sentence) {
    document.title = sentence;
    if (!('Notification' in globalThis) || Notification.permission !== 'granted') return;
    try {
      note?.close();
      note = new Notification('parley', { body: sentence, tag: 'parley' });
      note.onclick = () => {
        window.focus();
        clear();
      };
    } catch {
      // Chrome on Android allows notifications from a service worker only; the title and the sound remain.
    }
  }

  function clear() {
    document.title = t('app.title');
    note?.close();
    note = undefined;
  }

  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) clear();
  });

  return {
    matched() {
      ring('matched');
      if (document.hidden) show(t('notify.matched'));
    },
    ended() {
      ring('ended');
      if (document.hidden) show(t('notify.ended'));
    },
    message() {
      if (!document.hidden) return;
      ring('message');
      show(t('notify.message'));
    },
    clear,
  };
}

/** What Esc pressed twice does. @type {Record<string, string>} */
const exits = { queued: 'cancel', matched: 'cancel', connecting: 'next', live: 'next', reconnecting: 'next' };
// ms within which the second Esc counts.
const twice = 2000;

/**
 * @param {{dispatch: (action: any) => void, state: () => import('./view.js').State | undefined, hint: (key: string) => void}} page
 */
export function keyboard({ dispatch, state, hint }) {
  let single = true;
  let escaped = -twice;

  /** @param {string} name */
  const panel = (name) => dispatch({ type: 'panel', name: state()?.panel === name ? '' : name });
  /** @type {Record<string, () => void>} */
  const inCall = {
    m: () => dispatch({ type: 'mute' }),
    n: () => dispatch({ type: 'next' }),
    r: () => panel('report'),
    v: () => panel('verify'),
    c: () => panel('chat'),
  };

  /** Out of whatever this is: first the panel, then, pressed twice, the search or the call. @param {number} now */
  function out(now) {
    const where = state();
    const action = where ? exits[where.screen] : undefined;
    const again = now - escaped < twice;
    escaped = -twice;
    if (where?.panel) dispatch({ type: 'panel', name: '' });
    else if (action && again) dispatch({ type: action });
    else if (action) {
      escaped = now;
      hint(`keys.again.${action}`);
    }
  }

  /** @param {string} key @returns {(() => void) | undefined} */
  function meaning(key) {
    const screen = state()?.screen ?? '';
    if (key === '?') return () => panel('keys');
    if (screen === 'ended') return key === 'r' ? inCall.r : undefined;
    return exits[screen] === 'next' ? inCall[key] : undefined;
  }

  /** @param {KeyboardEvent} event */
  function pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat) return;
    if (event.key === 'Escape') return out(event.timeStamp);
    const act = single && !typing(event.target) ? meaning(event.key.toLowerCase()) : undefined;
    if (!act) return;
    event.preventDefault();
    act();
  }

  document.addEventListener('keydown', pressed);
  return {
    /** Single keys can be switched off, since speech input and some switches type by themselves. @param {boolean} on */
    use: (on) => {
      single = on;
    },
  };
}

/** @param {EventTarget | null} target */
function typing(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'range', 'button'].includes(target.type);
  return target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Panel} */
export function keysPanel({ t, keys }) {
  const single = h('input', { type: 'checkbox', checked: true, onchange: () => keys.use(single.checked) });
  const list = Object.entries({
    M: 'keys.mute',
    N: 'keys.next',
    'Esc Esc': 'keys.out',
    C: 'chat.title',
    V: 'keys.verify',
    R: 'report.title',
    '?': 'keys.list',
  });
  return {
    title: t('keys.title'),
    el: h(
      'div',
      { class: 'keys' },
      h('dl', {}, ...list.flatMap(([key, what]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, t(what))])),
      p('hint', t('keys.typing')),
      h('label', { class: 'check' }, single, t('keys.use')),
    ),
    update: () => {},
  };
}
