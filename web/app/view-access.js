// The page without eyes and without a mouse: what the status region says aloud, and the keys.

import { h, show, text } from './dom.js';

const hintTime = 3000; // ms that a hint of the view itself stays

/**
 * The sentences between two states; empty when nothing changed that one needs to hear.
 * @param {import('./view.js').State | undefined} before @param {import('./view.js').State} after @param {import('./i18n.js').T} t
 */
export function sayChange(before, after, t) {
  const sentences = before ? [screenWords(before, after, t), ...callWords(before.call, after.call, t)] : [];
  if (after.alert && after.alert !== before?.alert) sentences.push(alertWords(after.alert, t));
  return sentences.filter(Boolean).join(' ');
}

/** @param {string} code @param {import('./i18n.js').T} t */
export function alertWords(code, t) {
  return t(t.has(`alert.${code}`) ? `alert.${code}` : 'alert.unknown');
}

/** @param {import('./view.js').State} state */
const place = ({ screen, reason, mic, queue, after, call }) =>
  [
    screen,
    screen === 'blocked' ? reason : '',
    screen === 'mic' ? mic.phase + mic.error : '',
    screen === 'queued' ? queue.note : '',
    screen === 'ended' ? `${after?.why}${after?.reported}${after?.blocked}` : '',
    call?.slow,
    call?.verified === 'mismatch',
  ].join('|');

/** @param {import('./view.js').State} before @param {import('./view.js').State} after @param {import('./i18n.js').T} t */
function screenWords(before, after, t) {
  if (place(before) === place(after)) return '';
  const { screen, reason, mic, queue, call } = after;
  if (call?.verified === 'mismatch') return `${t('alarm.title')} ${t('alarm.body')}`;
  switch (screen) {
    case 'mic':
      return mic.phase === 'failed' ? t(`mic.fail.${mic.error || 'denied'}`) : t(`mic.${quiet(mic.phase)}`);
    case 'queued':
      return queue.note === 'back' ? t('queue.back') : t('queue.title');
    case 'matched':
      return t('call.matched');
    case 'connecting':
    case 'reconnecting':
      return call?.slow ? t(`slow.${call.slow}`) : t(`call.${screen}`);
    case 'live':
      return t('say.live');
    case 'ended':
      return endedWords(after, t);
    case 'blocked':
      return t(t.has(`blocked.${reason}`) ? `blocked.${reason}` : 'blocked.error');
    default:
      return t('say.home');
  }
}

/** @param {string} phase a playing or recording test needs no voice over it */
const quiet = (phase) => (phase === 'recording' || phase === 'playing' ? 'test' : phase);

/** @param {import('./view.js').State} state @param {import('./i18n.js').T} t */
function endedWords({ after }, t) {
  if (after?.reported) return t('ended.is_reported');
  if (after?.blocked) return t('ended.is_blocked');
  return t(after && t.has(`ended.${after.why}`) ? `ended.${after.why}` : 'ended.lost');
}

/** @param {import('./view.js').Call | null} before @param {import('./view.js').Call | null} after @param {import('./i18n.js').T} t */
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

/** Says changes in the status region, and shows alerts and hints also to the eye. @param {import('./i18n.js').T} t */
export function announcer(t) {
  const status = h('p', { class: 'unseen', role: 'status', 'data-testid': 'status' });
  const toast = h('p', { class: 'toast', 'aria-hidden': 'true', 'data-testid': 'toast', hidden: true });
  let alert = '';
  let hinted = 0;
  /** @param {string} sentence the same sentence twice is said twice */
  function say(sentence) {
    if (sentence) text(status, status.textContent === sentence ? `${sentence}\u00a0` : sentence);
  }
  /** @param {number} now */
  function tick(now) {
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
      alert = after.alert;
      if (alert) text(toast, alertWords(alert, t));
      tick(Date.now());
      say(sayChange(before, after, t));
    },
  };
}

/** What Esc pressed twice does. @type {Record<string, string>} */
const exits = { queued: 'cancel', matched: 'cancel', connecting: 'next', live: 'next', reconnecting: 'next' };
const twice = 2000; // ms within which the second Esc counts

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
