// The bar at the bottom of a call: always the same buttons in the same place.

import { attr, h, show, text } from './dom.js';
import { icon, setIcon } from './view-icons.js';

/** @param {import('./view.js').Ctx} ctx */
export function controls({ t, dispatch }) {
  const muteIcon = h('span', { class: 'symbol' });
  const muteLabel = h('span', {});
  const mute = h(
    'button',
    { type: 'button', class: 'big mute', 'data-testid': 'mute', onclick: () => dispatch({ type: 'mute' }) },
    muteIcon,
    muteLabel,
  );
  const next = button('next', 'next', t('call.next'), () => dispatch({ type: 'next' }), 'big next');
  const leave = button('leave', 'leave', t('call.leave'), () => dispatch({ type: 'leave' }), 'big leave');
  const cancel = button('cancel', 'close', t('queue.cancel'), () => dispatch({ type: 'cancel' }), 'big');
  const chat = opener('chat', 'chat');
  const sound = opener('devices', 'sound');
  const report = opener('report', 'flag');
  const unread = h('span', { class: 'unread' });
  chat.append(unread);
  const side = h('div', { class: 'side' }, chat, sound, report);
  const el = h(
    'div',
    { class: 'controls', role: 'group', 'aria-label': t('call.controls') },
    side,
    h('div', { class: 'main' }, mute, next, leave, cancel),
  );

  /** @param {string} name @param {import('./view-icons.js').Icon} symbol */
  function opener(name, symbol) {
    const toggle = () => dispatch({ type: 'panel', name: opened === name ? '' : name });
    return button(name, symbol, t(`call.${name}`), toggle, 'small');
  }
  /** @param {string} id @param {import('./view-icons.js').Icon} symbol @param {string} label @param {() => void} onclick @param {string} style */
  function button(id, symbol, label, onclick, style) {
    return h(
      'button',
      { type: 'button', class: style, 'data-testid': id, onclick },
      icon(symbol),
      h('span', {}, label),
    );
  }

  let opened = '';
  let read = 0;
  /** @param {import('./view.js').State} state */
  function update({ screen, call, panel }) {
    opened = panel;
    const matched = screen === 'matched';
    const muted = call?.muted === true;
    setIcon(muteIcon, muted ? 'mute' : 'mic');
    text(muteLabel, muted ? t('call.muted') : t('call.unmuted'));
    attr(mute, 'data-on', muted);
    attr(mute, 'aria-label', muted ? t('call.muted.do') : t('call.unmuted.do'));
    for (const el of [mute, next, leave, side]) show(el, !matched);
    show(cancel, matched);
    for (const [el, name] of /** @type {const} */ ([
      [chat, 'chat'],
      [sound, 'devices'],
      [report, 'report'],
    ])) {
      attr(el, 'aria-expanded', panel === name ? 'true' : 'false');
    }
    const theirs = call?.chat.filter(({ mine }) => !mine).length ?? 0;
    if (panel === 'chat' || theirs < read) read = theirs;
    show(unread, theirs > read);
    text(unread, theirs > read ? t('call.unread', { n: theirs - read }) : '');
  }
  return { el, update };
}
