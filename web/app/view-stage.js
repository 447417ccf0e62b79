// The stage: two speech bubbles, yours and the stranger's, printed in two inks. How far apart they
// are tells the state of the call, and where they overlap a third colour appears. Distances are in
// style.css by <html data-state>; this module moves the bars inside the bubbles with the voices. The
// few other drawings of the page are here too.

import { attr, drawing, h, show, text } from './dom.js';

const bars = 5;
const speaking = 0.12; // above this level somebody speaks
const nobody = { muted: false, peerAway: false, peerMuted: false };
const hold = 400; // ms that the word stays after the voice fell silent

/** @typedef {'me' | 'peer'} Side */

/** @param {{t: import('./i18n.js').T}} ctx */
export function stage({ t }) {
  const sides = { me: bubble('you', t('you')), peer: bubble('them', t('them')) };
  const lens = h('span', { class: 'lens' });
  // Decoration: all that it shows is said elsewhere in words.
  const el = h('div', { class: 'stage', 'aria-hidden': 'true' }, sides.me.el, sides.peer.el, lens);

  /** @param {import('./view.js').State} state */
  function update({ screen, call }) {
    const { muted, peerAway, peerMuted } = call ?? nobody;
    attr(sides.me.el, 'data-muted', muted);
    attr(sides.peer.el, 'data-muted', peerMuted);
    attr(sides.peer.el, 'data-away', peerAway);
    text(sides.me.idle, muted ? t('stage.muted') : '');
    const silent = peerMuted ? t('stage.muted') : '';
    text(sides.peer.idle, peerAway ? t('stage.away') : silent);
    const symbol = lensIcon(screen, call);
    show(lens, symbol !== undefined);
    if (symbol) setIcon(lens, symbol);
    if (!call) level('peer', 0);
    if (!call && screen !== 'mic') level('me', 0);
  }

  /** @param {Side} side @param {number} value 0 to 1 */
  function level(side, value) {
    const { el, state } = sides[side];
    const now = performance.now();
    if (value > speaking) state.heard = now;
    const voice = Math.round(value * 100) / 100;
    if (voice !== state.voice) el.style.setProperty('--voice', String(voice));
    state.voice = voice;
    const talks = value > speaking || (value > 0 && now - state.heard < hold);
    if (talks !== state.talks) attr(el, 'data-talks', talks);
    state.talks = talks;
  }

  /** @param {string} side @param {string} name */
  function bubble(side, name) {
    const idle = h('span', { class: 'idle' });
    const el = h(
      'div',
      { class: `bubble ${side}` },
      h('div', { class: 'bars' }, ...Array.from({ length: bars }, () => h('i', {}))),
      h('div', { class: 'off' }, icon('mute')),
      h('div', { class: 'name' }, name),
      h('div', { class: 'word' }, idle, h('span', { class: 'talks' }, t('stage.speaking'))),
    );
    return { el, idle, state: { voice: -1, talks: false, heard: -hold } };
  }

  return { el, update, level };
}

/**
 * What is between the bubbles: how well the line is kept, or the alarm.
 * @param {string} screen @param {import('./view.js').Call | null} call
 * @returns {Icon | undefined}
 */
function lensIcon(screen, call) {
  if (call?.verified === 'mismatch') return 'warn';
  if (!call || screen !== 'live') return undefined;
  if (call.verified === 'verified') return 'verify';
  return call.path === 'direct' ? 'direct' : 'lock';
}

/** Drawings, as paths that are stroked, never filled. */
const paths = {
  mic: 'M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5 11a7 7 0 0 0 14 0M12 18v3',
  mute: 'M9 9v3a3 3 0 0 0 5 2.2M15 11V6a3 3 0 0 0-5.8-1M5 11a7 7 0 0 0 11.5 5.3M19 11a7 7 0 0 1-.5 2.6M12 18v3M4 3l16 18',
  next: 'M5 5l9 7-9 7zM19 5v14',
  leave: 'M3 14c5-5 13-5 18 0l-2 3-4-1.5v-2.6a12 12 0 0 0-6 0v2.6L5 17z',
  chat: 'M4 5h16v11H10l-5 4v-4H4z',
  verify: 'M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6zM9 11.5l2.2 2.2 4.3-4.2',
  shield: 'M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6z',
  flag: 'M6 21V4h12l-2.5 4L18 12H6',
  sound: 'M4 9v6h4l5 4V5L8 9zM16.5 9a4 4 0 0 1 0 6M19 6.5a8 8 0 0 1 0 11',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  direct: 'M4 8h14M14 4l4 4-4 4M20 16H6M10 12l-4 4 4 4',
  bell: 'M6 16v-5a6 6 0 0 1 12 0v5l2 2H4zM10 21h4',
  close: 'M6 6l12 12M18 6L6 18',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  warn: 'M12 4l9 16H3zM12 10v5M12 17.8v.2',
  block: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM5.7 5.7l12.6 12.6',
};

/** @typedef {keyof typeof paths} Icon */

/** @param {Icon} name */
export const icon = (name) => drawing(paths[name]);

/** Exchanges the drawing inside el when the name changes. @param {Element} el @param {Icon} name */
export function setIcon(el, name) {
  if (el.getAttribute('data-icon') === name) return;
  el.setAttribute('data-icon', name);
  el.replaceChildren(icon(name));
}
