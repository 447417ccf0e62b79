// What every screen is made of: elements, the few drawings, and words.
//
// The DOM is built and updated without innerHTML, which Trusted Types forbid. Every setter writes only
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
 * The children of el are those of keys, in order; a key that stays keeps its element, and the focus in it: what is
 * gone goes first, so that nothing is moved to its place.
 * @param {HTMLElement} el @param {readonly string[]} keys @param {(key: string) => HTMLElement} make
 */
export function repeat(el, keys, make) {
  const have = new Map([...el.children].map((child) => [child.getAttribute('data-key') ?? '', child]));
  for (const [key, child] of have) if (!keys.includes(key)) child.remove();
  keys.forEach((key, i) => {
    let child = have.get(key);
    if (!child) {
      child = make(key);
      child.setAttribute('data-key', key);
    }
    if (el.children[i] !== child) el.insertBefore(child, el.children[i] ?? null);
  });
}

/** A drawing of 24 by 24 units from path data; decoration, so hidden from screen readers. @param {string} d */
function drawing(d) {
  const ns = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(ns, 'svg');
  attr(svg, 'viewBox', '0 0 24 24');
  attr(svg, 'aria-hidden', 'true');
  const path = document.createElementNS(ns, 'path');
  attr(path, 'd', d);
  svg.append(path);
  return svg;
}

/** Drawings, as paths that are stroked, never filled. */
const paths = {
  mic: 'M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5 11a7 7 0 0 0 14 0M12 18v3',
  camera: 'M3 7h12v10H3zM15 11l6-3.5v9L15 13',
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

// The words of the page: one flat JSON file for each language, plurals by Intl.PluralRules.

/** @typedef {Record<string, string | number>} Params */
/**
 * The sentence of a key, with {name} filled in. With a parameter n the key may have a form for each
 * plural category ("wait.one", "wait.other"). An unknown key comes back as it is.
 * @callback Say
 * @param {string} key
 * @param {Params} [params]
 * @returns {string}
 */
/**
 * @typedef {Say & {
 *   locale: string,
 *   dir: 'ltr' | 'rtl',
 *   has: (key: string) => boolean,
 *   list: (words: string[], or?: boolean) => string,
 *   seconds: (ms: number) => string,
 *   clock: (ms: number) => string,
 *   time: (epoch: number) => string,
 *   when: (epoch: number) => string,
 * }} T
 */

/** Languages that have a file under lang/. */
export const translated = ['en'];
const rightToLeft = ['ar', 'ckb', 'dv', 'fa', 'he', 'ps', 'sd', 'ug', 'ur', 'yi'];

/** @param {string} locale the nearest language that has a file */
export function nearest(locale) {
  return translated.find((tag) => tag === locale) ?? translated.find((tag) => tag === locale.split('-')[0]) ?? 'en';
}

/** Loads the words and sets the language and direction of the document. @param {string} locale @returns {Promise<T>} */
export async function load(locale) {
  const tag = nearest(locale);
  const answer = await fetch(new URL(`lang/${tag}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`language ${tag}: status ${answer.status}`);
  const t = speak(await answer.json(), tag);
  document.documentElement.lang = tag;
  document.documentElement.dir = t.dir;
  document.title = t('app.title');
  return t;
}

/** @param {Record<string, string>} words @param {string} locale @returns {T} */
export function speak(words, locale) {
  const rules = new Intl.PluralRules(locale);
  /** @param {string} key */
  const has = (key) => Object.hasOwn(words, key);
  /** @type {Say} */
  const say = (key, params = {}) => {
    const plural = typeof params.n === 'number' ? `${key}.${rules.select(params.n)}` : key;
    const sentence = words[plural] ?? words[`${key}.other`] ?? words[key] ?? key;
    return sentence.replace(/\{(\w+)\}/g, (all, name) => String(params[name] ?? all));
  };
  /** @type {'ltr' | 'rtl'} */
  const dir = rightToLeft.includes(locale.split('-')[0] ?? '') ? 'rtl' : 'ltr';
  return Object.assign(say, {
    locale,
    has,
    dir,
    /** @param {string[]} items */
    list: (items, or = false) =>
      new Intl.ListFormat(locale, { type: or ? 'disjunction' : 'conjunction' }).format(items),
    /** @param {number} ms */
    seconds: (ms) => span(ms, locale),
    clock,
    /** @param {number} epoch */
    time: (epoch) => new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' }).format(epoch),
    /** With the day. @param {number} epoch */
    when: (epoch) => new Intl.DateTimeFormat(locale, moment).format(epoch),
  });
}

/** @type {Intl.DateTimeFormatOptions} */
const moment = { weekday: 'long', month: 'long', day: 'numeric', hour: 'numeric', minute: '2-digit' };

/** A rough span in words: "12 seconds", "3 minutes". @param {number} ms @param {string} locale */
function span(ms, locale) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const [amount, unit] = seconds < 90 ? [seconds, 'second'] : [Math.round(seconds / 60), 'minute'];
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(amount);
}

/** 1:02 or 1:02:03. @param {number} ms */
function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  /** @param {number} n */
  const two = (n) => String(n).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  return hours > 0 ? `${hours}:${two(minutes % 60)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
