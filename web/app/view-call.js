// From the match to the last word: matched, connecting, live and reconnecting are one screen, so that
// mute, next and report stay where they are whatever the network does.

import { attr, h, repeat, show, text } from './dom.js';
import { controls } from './view-controls.js';
import { icon, setIcon } from './view-icons.js';
import { volume } from './view-sound.js';
import { starter } from './view-starter.js';

/** @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Screen} */
export function call(ctx) {
  const { t } = ctx;
  const title = h('h1', { tabindex: -1 });
  const body = h('p', { class: 'lead' });
  const timer = h('p', { class: 'clock', 'data-testid': 'timer', role: 'timer', 'aria-label': t('call.timer') });
  const badges = lineBadges(ctx);
  const hints = h('ul', { class: 'hints', 'data-testid': 'hints' });
  const question = starter(ctx);
  const loud = volume(ctx);
  const bar = controls(ctx);
  const el = h(
    'div',
    { class: 'call' },
    h('div', { class: 'talk' }, timer, title, body, badges.el, hints, question.el, loud.el),
    bar.el,
  );
  /** @type {import('./view.js').Call | null} */
  let shown = null;
  /** @param {number} now */
  function tick(now) {
    if (shown?.liveAt) text(timer, t.clock(now - shown.liveAt));
  }
  return {
    el,
    title,
    tick,
    update(state) {
      const { screen, call } = state;
      shown = call;
      const talking = screen === 'live' || screen === 'reconnecting';
      const alarm = call?.verified === 'mismatch';
      const [heading, sentence] = words(ctx, state);
      text(title, heading);
      text(body, sentence);
      show(body, sentence !== '');
      show(timer, talking && !alarm);
      show(badges.el, talking && !alarm);
      show(question.el, screen === 'live' && !alarm);
      show(loud.el, talking && !alarm);
      const trouble = new Map(troubles(state));
      repeat(hints, [...trouble.keys()], (key) => h('li', {}, icon(trouble.get(key) ?? 'warn'), h('span', {}, t(key))));
      if (call) {
        badges.update(call);
        question.update(call.shared);
        loud.update(state);
      }
      bar.update(state);
      tick(Date.now());
    },
  };
}

/** The heading and the sentence below it. @param {import('./view.js').Ctx} ctx @param {import('./view.js').State} state @returns {[string, string]} */
function words({ t, names }, { screen, call }) {
  if (call?.verified === 'mismatch') return [t('alarm.title'), t('alarm.body')];
  const slow = call?.slow ? t(`slow.${call.slow}`) : '';
  if (screen === 'matched') return [t('call.matched'), t('call.matched.why')];
  if (screen === 'connecting') return [t('call.connecting'), slow || t('call.connecting.why')];
  if (screen === 'reconnecting') return [t('call.reconnecting'), slow || t('call.reconnecting.why')];
  const shared = call?.shared ?? [];
  if (shared.length > 0) return [t('call.shared', { topics: names.topics(shared) }), ''];
  return [t('call.language', { language: names.language(call?.language ?? '') }), ''];
}

/** What is wrong right now, worst first. @param {import('./view.js').State} state @returns {[string, import('./view-icons.js').Icon][]} */
function troubles({ screen, call, mic, online }) {
  if (!call || screen === 'matched' || call.verified === 'mismatch') return [];
  /** @type {[string, import('./view-icons.js').Icon][]} */
  const list = [];
  if (mic.error === 'silent' && !call.muted) list.push(['hint.unheard', 'mute']);
  else if (mic.error) list.push(['hint.mic', 'mute']);
  if (call.peerAway) list.push(['hint.away', 'warn']);
  if (call.peerSilent) list.push(['hint.silent', 'sound']);
  if (call.quality === 'weak') list.push(['hint.weak', 'warn']);
  if (!online) list.push(['hint.offline', 'warn']);
  if (call.direct.theirs && !call.direct.mine) list.push(['hint.direct', 'direct']);
  return list;
}

/** The two facts about the line: does the other side see your address, and did you check for a listener. @param {import('./view.js').Ctx} ctx */
function lineBadges({ t, dispatch }) {
  const path = badge('path', 'direct');
  const check = badge('verify', 'verify');
  /** @param {string} id @param {string} name */
  function badge(id, name) {
    const symbol = h('span', { class: 'symbol' });
    const label = h('span', {});
    const open = () => dispatch({ type: 'panel', name });
    const el = h(
      'button',
      { type: 'button', class: 'badge', 'data-testid': id, 'aria-haspopup': 'dialog', onclick: open },
      symbol,
      label,
    );
    return { el, symbol, label };
  }
  return {
    el: h('div', { class: 'badges' }, path.el, check.el),
    /** @param {import('./view.js').Call} call */
    update({ path: way, verified }) {
      const direct = way === 'direct';
      text(path.label, direct ? t('path.direct') : t('path.relayed'));
      setIcon(path.symbol, direct ? 'direct' : 'lock');
      attr(path.el, 'data-way', way || 'relayed');
      text(check.label, verified === 'verified' ? t('verify.done') : t('verify.open'));
      setIcon(check.symbol, verified === 'verified' ? 'verify' : 'shield');
      attr(check.el, 'data-verified', verified);
    },
  };
}
