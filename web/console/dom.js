// Elements without innerHTML, which Trusted Types forbid.

/** @typedef {string | number | boolean | undefined | ((event: any) => void)} Value */
/** @typedef {Node | string | false | null | undefined} Child */

/** @param {Element} el @param {Record<string, Value>} props a property `onclick` listens, true sets an empty attribute, false and undefined none */
export function props(el, props) {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') el.addEventListener(name.slice(2), value);
    else if (value === undefined || value === false) el.removeAttribute(name);
    else el.setAttribute(name, value === true ? '' : String(value));
  }
}

/**
 * An HTML element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Record<string, Value>} given @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, given, ...children) {
  const el = document.createElement(tag);
  props(el, given);
  for (const child of children) if (child) el.append(child);
  return el;
}

/**
 * An SVG element.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag @param {Record<string, Value>} given @param {...Child} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function s(tag, given, ...children) {
  const el = document.createElementNS('http://www.w3.org/2000/svg', tag);
  props(el, given);
  for (const child of children) if (child) el.append(child);
  return el;
}

/** A button. @param {string} id of data-testid @param {string} style @param {(event: any) => void} onclick @param {...Child} children */
export const button = (id, style, onclick, ...children) =>
  h('button', { type: 'button', class: style || undefined, 'data-testid': id, onclick }, ...children);

/** A field with its label above. @param {string} label @param {HTMLElement} control @param {string} [hint] */
export function field(label, control, hint) {
  return h('label', { class: 'field' }, h('span', {}, label), control, hint ? h('small', {}, hint) : null);
}

/** A table that scrolls inside itself when it is too wide. @param {string} caption @param {readonly string[]} heads @param {readonly (readonly Child[])[]} rows @param {string} [empty] */
export function table(caption, heads, rows, empty = 'Nothing yet.') {
  if (rows.length === 0) return h('p', { class: 'soft' }, empty);
  const head = h('tr', {}, ...heads.map((text) => h('th', { scope: 'col' }, text)));
  const body = rows.map((cells) =>
    h('tr', {}, ...cells.map((cell, i) => (i === 0 ? h('th', { scope: 'row' }, cell) : h('td', {}, cell)))),
  );
  return h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': caption },
    h('table', {}, h('caption', { class: 'unseen' }, caption), h('thead', {}, head), h('tbody', {}, ...body)),
  );
}

/** A part of a screen with its heading. @param {string} title @param {...Child} children */
export const card = (title, ...children) => h('section', { class: 'card' }, h('h2', {}, title), ...children);

/** Puts a card near the top where there is one column only. @param {'first' | 'second'} rank @param {HTMLElement} el */
export function ranked(rank, el) {
  el.classList.add(rank);
  return el;
}

/** A time as the reader's clock tells it. @param {string} when */
export function clock(when) {
  const at = new Date(when);
  return h('time', { datetime: when }, at.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' }));
}

/** How many, in words where the number is withheld. @param {import('./types.js').Count} n @param {number} floor */
export const count = (n, floor) => (n === 'few' ? `fewer than ${floor}` : n.toLocaleString('en-GB'));

/** @template T @param {number} ms @param {(value: T) => void} f calls f with the last value, ms after it came */
export function settle(ms, f) {
  let timer = 0;
  return (/** @type {T} */ value) => {
    clearTimeout(timer);
    timer = setTimeout(() => f(value), ms);
  };
}
