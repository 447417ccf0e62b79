// A first sentence for two people who do not know each other: a question about what they share.

import { h, text } from './dom.js';

const each = 2; // questions for each interest in lang/*.json
const general = 6; // questions that fit everybody

/** All questions for these interests, as keys; the general ones when nothing is shared. @param {string[]} shared */
export function questions(shared) {
  const own = shared.flatMap((slug) => Array.from({ length: each }, (_, i) => `starter.${slug}.${i}`));
  const all = Array.from({ length: general }, (_, i) => `starter.any.${i}`);
  return own.length > 0 ? own : all;
}

/** @param {import('./view.js').Ctx} ctx */
export function starter({ t }) {
  const line = h('p', {});
  const other = h('button', { type: 'button', class: 'link', onclick: () => show(at + 1) }, t('starter.other'));
  const el = h('section', { class: 'starter', 'aria-label': t('starter.title') }, line, other);
  /** @type {string[]} */
  let keys = [];
  let at = 0;
  /** @param {number} index */
  function show(index) {
    at = index % keys.length;
    const key = keys[at] ?? '';
    text(line, t(key));
  }
  return {
    el,
    /** @param {string[]} shared */
    update(shared) {
      const next = questions(shared).filter((key) => t.has(key));
      if (next.join() === keys.join()) return;
      keys = next;
      show(Math.floor(Math.random() * keys.length));
    },
  };
}
