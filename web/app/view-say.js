// What the status region says aloud: every state and every change that matters, in words. Pure.

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
