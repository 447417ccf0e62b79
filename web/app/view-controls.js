// The bar at the bottom of a call: always the same buttons in the same place.

import { attr, button, h, show, text } from './dom.js';
import { icon, setIcon } from './view-icons.js';

/** @param {import('./view.js').Ctx} ctx */
export function controls({ t, dispatch }) {
  const mute = muteButton(() => dispatch({ type: 'mute' }));
  const next = button('next', 'big next', () => dispatch({ type: 'next' }), ...face('next', 'call.next'));
  const leave = button('leave', 'big leave', () => dispatch({ type: 'leave' }), ...face('leave', 'call.leave'));
  const cancel = button('cancel', 'big', () => dispatch({ type: 'cancel' }), ...face('close', 'queue.cancel'));
  const openers = [opener('chat', 'chat'), opener('devices', 'sound'), opener('report', 'flag')];
  const unread = h('span', { class: 'unread' });
  openers[0]?.el.append(unread);
  const side = h('div', { class: 'side' }, ...openers.map(({ el }) => el));
  const el = h(
    'div',
    { class: 'controls', role: 'group', 'aria-label': t('call.controls') },
    side,
    h('div', { class: 'main' }, mute.el, next, leave, cancel),
  );
  // A panel on a phone ends where the bar begins.
  new ResizeObserver(() => {
    document.documentElement.style.setProperty('--bar', `${el.offsetHeight}px`);
  }).observe(el);

  /** @param {import('./view-icons.js').Icon} symbol @param {string} label */
  function face(symbol, label) {
    return [icon(symbol), h('span', {}, t(label))];
  }
  /** @param {string} name @param {import('./view-icons.js').Icon} symbol */
  function opener(name, symbol) {
    const toggle = () => dispatch({ type: 'panel', name: opened === name ? '' : name });
    return { name, el: button(name, 'small', toggle, ...face(symbol, `call.${name}`)) };
  }
  /** The label says the state and the accessible name also what pressing does. @param {() => void} onclick */
  function muteButton(onclick) {
    const symbol = h('span', { class: 'symbol' });
    const label = h('span', {});
    const el = button('mute', 'big mute', onclick, symbol, label);
    /** @param {boolean} muted */
    function update(muted) {
      setIcon(symbol, muted ? 'mute' : 'mic');
      text(label, muted ? t('call.muted') : t('call.unmuted'));
      attr(el, 'data-on', muted);
      attr(el, 'aria-label', muted ? t('call.muted.do') : t('call.unmuted.do'));
    }
    return { el, update };
  }

  let opened = '';
  let read = 0; // when the newest line was written that has been seen
  /** @param {import('./view.js').Call['chat']} lines @param {boolean} seen */
  function count(lines, seen) {
    const theirs = lines.filter(({ mine, at }) => !mine && at > read);
    if (seen) read = theirs.at(-1)?.at ?? read;
    const n = seen ? 0 : theirs.length;
    show(unread, n > 0);
    text(unread, n > 0 ? t('call.unread', { n }) : '');
  }

  /** @param {import('./view.js').State} state */
  function update({ screen, call, panel }) {
    opened = panel;
    const matched = screen === 'matched';
    for (const part of [mute.el, next, leave, side]) show(part, !matched);
    show(cancel, matched);
    mute.update(call?.muted === true);
    for (const { name, el: part } of openers) attr(part, 'aria-expanded', panel === name ? 'true' : 'false');
    count(call?.chat ?? [], panel === 'chat');
  }
  return { el, update };
}
