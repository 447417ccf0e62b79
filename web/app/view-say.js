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
  const said = [];
  if (before.muted !== after.muted) said.push(after.muted ? t('say.muted') : t('say.unmuted'));
  if (before.path !== after.path && after.path)
    said.push(after.path === 'direct' ? t('path.direct') : t('path.relayed'));
  if (before.verified !== after.verified && after.verified === 'verified') said.push(t('verify.done'));
  if (before.quality !== 'weak' && after.quality === 'weak') said.push(t('hint.weak'));
  if (before.peerAway !== after.peerAway) said.push(after.peerAway ? t('hint.away') : t('say.back'));
  if (!before.peerSilent && after.peerSilent) said.push(t('hint.silent'));
  if (!before.direct.theirs && after.direct.theirs && !after.direct.mine) said.push(t('hint.direct'));
  for (const { mine, text } of after.chat.slice(before.chat.length)) if (!mine) said.push(t('say.chat', { text }));
  return said;
}
