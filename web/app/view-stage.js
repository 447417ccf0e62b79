// The stage: two speech bubbles, yours and the stranger's, printed in two inks. How far apart they
// are tells the state of the call, and where they overlap a third colour appears. Distances are in
// style.css by <html data-state>; this module moves the bars inside the bubbles with the voices.

import { attr, h, show, text } from './dom.js';
import { icon, setIcon } from './view-icons.js';

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
 * @returns {import('./view-icons.js').Icon | undefined}
 */
function lensIcon(screen, call) {
  if (call?.verified === 'mismatch') return 'warn';
  if (!call || screen !== 'live') return undefined;
  if (call.verified === 'verified') return 'verify';
  return call.path === 'direct' ? 'direct' : 'lock';
}
