// Builds and updates the DOM without innerHTML, which Trusted Types forbid. Every setter writes only
// what differs, so a screen can be rendered on each change of state without losing focus or caret.

/** @typedef {string | number | boolean | undefined | ((event: any) => void)} Value */
/** @typedef {Node | string | false | null | undefined} Child */

/**
 * An element; a property `onclick` listens, true sets an empty attribute, false and undefined none.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, Value>} props
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') el.addEventListener(name.slice(2), value);
    else attr(el, name, value);
  }
  for (const child of children) if (child) el.append(child);
  return el;
}

/**
 * A button that does one thing.
 * @param {string} id of data-testid
 * @param {string} style
 * @param {() => void} onclick
 * @param {...Child} children
 */
export function button(id, style, onclick, ...children) {
  return h('button', { type: 'button', class: style || undefined, 'data-testid': id, onclick }, ...children);
}

/** The heading of a screen, which takes the focus when the screen comes. @param {...Child} children */
export const h1 = (...children) => h('h1', { tabindex: -1 }, ...children);

/** A paragraph. @param {string} style @param {...Child} children */
export const p = (style, ...children) => h('p', style ? { class: style } : {}, ...children);

/** @param {Element} el @param {string} name @param {string | number | boolean | undefined} value */
export function attr(el, name, value) {
  if (value === undefined || value === false) el.removeAttribute(name);
  else {
    const next = value === true ? '' : String(value);
    if (el.getAttribute(name) !== next) el.setAttribute(name, next);
  }
}

/** @param {Node} node @param {string} value */
export function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

/** @param {HTMLElement} el @param {boolean} visible */
export function show(el, visible) {
  if (el.hidden === visible) el.hidden = !visible;
}

/** @param {HTMLInputElement | HTMLSelectElement} el @param {string} value left alone while the person changes it */
export function value(el, value) {
  if (document.activeElement !== el && el.value !== value) el.value = value;
}

/**
 * The children of el are those of keys, in order; a key that stays keeps its element.
 * @param {HTMLElement} el @param {readonly string[]} keys @param {(key: string) => HTMLElement} make
 */
export function repeat(el, keys, make) {
  const have = new Map([...el.children].map((child) => [child.getAttribute('data-key'), child]));
  keys.forEach((key, i) => {
    let child = have.get(key);
    have.delete(key);
    if (!child) {
      child = make(key);
      child.setAttribute('data-key', key);
    }
    if (el.children[i] !== child) el.insertBefore(child, el.children[i] ?? null);
  });
  for (const gone of have.values()) gone.remove();
}

/** A drawing of 24 by 24 units from path data; decoration, so hidden from screen readers. @param {string} d */
export function drawing(d) {
  const ns = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(ns, 'svg');
  attr(svg, 'viewBox', '0 0 24 24');
  attr(svg, 'aria-hidden', 'true');
  const path = document.createElementNS(ns, 'path');
  attr(path, 'd', d);
  svg.append(path);
  return svg;
}
