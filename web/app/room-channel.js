// A channel: its number and its password, as people type them, and how good the password is.
//
// The password goes into CPace (room-cpace.js), so that nobody can try guesses without asking a member for
// each, five times a minute. Against that a password need not be long; it must not be among the first
// thousands that somebody who knows us would try. Strength is our own small estimate: what people do
// most often, each found and named. A library such as zxcvbn knows 30,000 passwords in 400 kB; that is
// more than this whole page.

export const CHANNELS = 1000;
export const LONGEST = 1000;

/** @typedef {'' | 'empty' | 'digits' | 'whole' | 'range'} NumberFault digits: written with other digits than 0 to 9 */
/** @typedef {'' | 'empty' | 'long' | 'control'} PasswordFault */
/** @typedef {'short' | 'common' | 'repeated' | 'sequence' | 'keyboard' | 'digits' | 'date' | 'channel' | 'word'} Weakness */
/** @typedef {{level: 'weak' | 'fair' | 'strong', bits: number, reasons: Weakness[]}} Strength */

/** readNumber reads the number of a channel: 1 to 1000, nothing else.
 * @param {string} text @returns {{number: number, why: NumberFault}} number: 0 when why is not '' */
export function readNumber(text) {
  const typed = text.trim();
  if (typed === '') return { number: 0, why: 'empty' };
  // Full-width and Arabic digits look right to whoever typed them.
  if (!/^\p{Nd}*$/u.test(typed)) return { number: 0, why: 'whole' };
  if (!/^[0-9]+$/.test(typed)) return { number: 0, why: 'digits' };
  if (!/^[1-9]\d{0,3}$/.test(typed) || Number(typed) > CHANNELS) return { number: 0, why: 'range' };
  return { number: Number(typed), why: '' };
}

/** readPassword makes the same text of the same password on every system, as OpaqueString of RFC 8265
 * does (NFC, every space an ordinary one, no control characters); spaces at the ends, which keyboards of
 * phones add, do not count.
 * @param {string} typed @returns {{password: string, why: PasswordFault}} */
export function readPassword(typed) {
  // Longer before than after: a letter may be written in many parts.
  if (typed.length > LONGEST * 8) return { password: '', why: 'long' };
  const password = typed
    .normalize('NFC')
    .replace(/\p{Zs}/gu, ' ')
    .trim();
  if (password === '') return { password: '', why: 'empty' };
  if (/[\p{Cc}\p{Cs}]/u.test(password)) return { password: '', why: 'control' };
  if ([...password].length > LONGEST) return { password: '', why: 'long' };
  return { password, why: '' };
}

// Bits from which on 5 guesses a minute take: half a year for one in two; a thousand years.
const FAIR = 20;
const STRONG = 34;

// What comes first in every list of leaked passwords, and what friends would agree on.
const COMMON = new Set(
  (
    'password passwort passwd pass secret geheim letmein welcome admin login master hello hallo hola test testing ' +
    'qwerty azerty qwertz iloveyou love monkey dragon sunshine princess football baseball soccer superman batman ' +
    'shadow michael jordan charlie daniel thomas andrew joshua jessica ashley anna maria martin robert peter ' +
    'trustno1 starwars pokemon freedom whatever ninja hunter summer winter spring autumn sommer cheese pepper ' +
    'cookie banana orange purple friend friends freunde family house computer internet google facebook parley ' +
    'channel kanal room chat voice meeting party abc xxx god jesus flower killer access changeme default guest ' +
    'berlin london paris madrid america germany'
  ).split(' '),
);
const ROWS = ['qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertzuiop', 'yxcvbnm', 'azertyuiop', 'qsdfghjklm', '1234567890'];

// What somebody sees for a letter when they make a password "difficult".
const LOOKS = new Map(Object.entries({ 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't', '@': 'a', $: 's', '!': 'i' }));

/** strength estimates how many guesses a password takes, and says what makes it weak.
 * @param {string} password as readPassword returned it @param {number} channel @returns {Strength} */
export function strength(password, channel) {
  const letters = [...password];
  const low = password.toLowerCase();
  /** @type {Weakness[]} */
  const reasons = [];
  let bits = Math.min(letters.length * perLetter(password), runs(low));
  /** @param {boolean} is @param {Weakness} why @param {number} most */
  const weak = (is, why, most) => {
    if (!is) return;
    reasons.push(why);
    bits = Math.min(bits, most);
  };
  weak(common(low), 'common', 8);
  weak(repeated(letters), 'repeated', 6);
  weak(sequence(low), 'sequence', 7);
  weak(keyboard(low), 'keyboard', 9);
  weak(date(password), 'date', 15);
  weak(low.replace(/\D/g, '') === String(channel) && /^\D*\d+$/.test(low) && letters.length < 10, 'channel', 10);
  weak(/^\d+$/.test(password) && reasons.length === 0 && letters.length < 11, 'digits', letters.length * 3.3);
  weak(/^\p{L}+$/u.test(password) && reasons.length === 0 && letters.length < 12, 'word', 18);
  weak(letters.length < 6, 'short', 19);
  return { level: bits < FAIR ? 'weak' : bits < STRONG ? 'fair' : 'strong', bits: Math.round(bits), reasons };
}

/** Bits that a letter adds: people do not draw letters by lot, so much less than the alphabet offers.
 * @param {string} password */
function perLetter(password) {
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\d/, /[^\p{L}\d]/u].filter((kind) => kind.test(password)).length;
  return 2.2 + 0.6 * kinds;
}

/** Bits by how many different letters it has, so that "aaaaaaaab" is not long.
 * @param {string} low */
const runs = (low) => new Set(low).size * 5.5;

/** A common word, also with other looks, and with figures or marks behind it.
 * @param {string} low */
function common(low) {
  const plain = (/** @type {string} */ text) => [...text].map((ch) => LOOKS.get(ch) ?? ch).join('');
  const stem = low.replace(/[\d\W_]+$/u, '');
  return [low, plain(low), stem, plain(stem)].some((word) => COMMON.has(word));
}

/** One letter again and again, or one piece: "aaaa", "abcabc".
 * @param {string[]} letters */
function repeated(letters) {
  for (let n = 1; n <= letters.length / 2; n++) {
    if (letters.length % n === 0 && letters.every((ch, i) => ch === letters[i % n])) return letters.length > 2;
  }
  return false;
}

/** Neighbours in the alphabet or among the figures, up or down.
 * @param {string} low */
function sequence(low) {
  const codes = Array.from(low, (ch) => ch.codePointAt(0) ?? 0);
  const steps = codes.slice(1).map((code, i) => code - (codes[i] ?? 0));
  return codes.length > 2 && [1, -1].some((step) => steps.filter((s) => s === step).length >= steps.length * 0.75);
}

/** Neighbours on a keyboard.
 * @param {string} low */
function keyboard(low) {
  if (low.length < 4) return false;
  const both = ROWS.flatMap((row) => [row, [...row].reverse().join('')]);
  return both.some((row) => row.includes(low) || row.includes(low.slice(0, -1)));
}

const DAY = '(0?[1-9]|[12]\\d|3[01])';
const MONTH = '(0?[1-9]|1[0-2])';
const YEAR = '((19|20)?\\d\\d)';
const BETWEEN = '[./ -]?';
const DATE = new RegExp(
  `^(${DAY}${BETWEEN}${MONTH}${BETWEEN}${YEAR}|${MONTH}${BETWEEN}${DAY}${BETWEEN}${YEAR}` +
    `|(19|20)\\d\\d(${BETWEEN}${MONTH}${BETWEEN}${DAY})?)$`,
);

/** A day or a year.
 * @param {string} password */
const date = (password) => DATE.test(password);
