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
  const has = (/** @type {string} */ key) => Object.hasOwn(words, key);
  /** @type {Say} */
  const say = (key, params = {}) => {
    const plural = typeof params.n === 'number' ? `${key}.${rules.select(params.n)}` : key;
    const sentence = words[plural] ?? words[`${key}.other`] ?? words[key] ?? key;
    return sentence.replace(/\{(\w+)\}/g, (all, name) => String(params[name] ?? all));
  };
  return Object.assign(say, {
    locale,
    has,
    dir: /** @type {'ltr' | 'rtl'} */ (rightToLeft.includes(locale.split('-')[0] ?? '') ? 'rtl' : 'ltr'),
    list: (/** @type {string[]} */ items, or = false) =>
      new Intl.ListFormat(locale, { type: or ? 'disjunction' : 'conjunction' }).format(items),
    seconds: (/** @type {number} */ ms) => span(ms, locale),
    clock,
    time: (/** @type {number} */ epoch) =>
      new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' }).format(epoch),
  });
}

/** A rough span in words: "12 seconds", "3 minutes". @param {number} ms @param {string} locale */
function span(ms, locale) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const [amount, unit] = seconds < 90 ? [seconds, 'second'] : [Math.round(seconds / 60), 'minute'];
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(amount);
}

/** 1:02 or 1:02:03. @param {number} ms */
function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  return hours > 0 ? `${hours}:${two(minutes % 60)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
