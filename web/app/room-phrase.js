// The phrase of a one-time room: seven words of a list of 7,776, chosen by this browser. It travels in the
// fragment of a link, or from mouth to mouth, never to the server. What the server knows a room by is
// derived from it and leads nowhere back.
//
// The four words with a hyphen are the same without it, so that "yo-yo" said aloud is what "yoyo" is: 7,775
// different words, 90.5 bits in seven of them. 2^90 guesses against a tag cost more than the sun gives.

export const WORDS = 7;
const LISTED = 7776;
// No input for people is longer; a link pasted whole is shorter too.
const LONGEST = 1000;
// A word that is further from every word of the list was no slip of a finger.
const FAR = 3;
const SUGGESTIONS = 3;

/** @typedef {{words: readonly string[], places: Map<string, string>}} List places: from the bare word to how the list writes it */
/** @typedef {{at: number, word: string, near: string[]}} Wrong at: which word, from 1; near: what may have been meant, nearest first */
/** @typedef {{words: string[], why: '' | 'empty' | 'few' | 'many' | 'unknown' | 'long', wrong: Wrong[]}} Parsed why: '' when words is a phrase */

/** unpack reads the list as vendor/words.json has it: for each word how many letters it shares with the one
 * before it, and the rest.
 * @param {string} packed @returns {List} */
export function unpack(packed) {
  /** @type {string[]} */
  const words = [];
  for (const [, shared, rest] of packed.matchAll(/(\d)([a-z-]+)/g)) {
    words.push((words.at(-1) ?? '').slice(0, Number(shared)) + rest);
  }
  /** @type {Map<string, string>} */
  const places = new Map();
  for (const word of words) if (!places.has(bare(word))) places.set(bare(word), word);
  if (words.length !== LISTED || places.size !== LISTED - 1) throw new Error('the list of words is damaged');
  return { words, places };
}

/** @param {string} word */
const bare = (word) => word.replaceAll('-', '');

/** choose draws a phrase. Draws that would favour the first words of the list are thrown away.
 * @param {List} list @param {(into: Uint16Array<ArrayBuffer>) => unknown} [fill] @returns {string[]} */
export function choose({ words, places }, fill = (into) => crypto.getRandomValues(into)) {
  const even = Math.floor(65536 / words.length) * words.length;
  const draw = new Uint16Array(WORDS);
  /** @type {string[]} */
  const chosen = [];
  while (chosen.length < WORDS) {
    fill(draw);
    for (const n of draw) if (n < even && chosen.length < WORDS) chosen.push(words[n % words.length] ?? '');
  }
  return chosen.map((word) => places.get(bare(word)) ?? word);
}

/** parse reads what somebody typed, pasted or was told: any case, any separators, numbers in front of the
 * words, a whole link. Each word that is not in the list is named, with those it may have been.
 * @param {string} text @param {List} list @returns {Parsed} */
export function parse(text, list) {
  if (text.length > LONGEST) return { words: [], why: 'long', wrong: [] };
  const pieces = split(text.slice(text.indexOf('#') + 1));
  /** @type {string[]} */
  const words = [];
  /** @type {Wrong[]} */
  const wrong = [];
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i] ?? '';
    const alone = list.places.get(piece);
    // A word with a hyphen comes in two pieces, of which one alone is no word.
    const joined = list.places.get(piece + (pieces[i + 1] ?? '')) ?? '';
    if (joined.includes('-') && !(alone && list.places.has(pieces[i + 1] ?? ''))) {
      words.push(joined);
      i++;
    } else {
      words.push(alone ?? piece);
      if (!alone) wrong.push({ at: words.length, word: piece.slice(0, 40), near: nearest(piece, list) });
    }
  }
  return { words, why: verdict(words.length, wrong.length), wrong };
}

/** @param {number} count @param {number} wrong @returns {Parsed['why']} */
function verdict(count, wrong) {
  if (count === 0) return 'empty';
  if (count > WORDS) return 'many';
  if (wrong > 0) return 'unknown';
  return count < WORDS ? 'few' : '';
}

/** Letters without case, width, accents or invisible marks; everything else separates.
 * @param {string} text */
const split = (text) =>
  text
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cf}'’]/gu, '')
    .toLowerCase()
    .replaceAll('ı', 'i')
    .split(/[^\p{L}]+/u)
    .filter(Boolean);

/** nearest names the words of the list that a wrong one may have been.
 * @param {string} word @param {List} list @returns {string[]} */
function nearest(word, { places }) {
  const most = Math.min(FAR, Math.ceil(word.length / 3));
  return [...places.keys()]
    .filter((known) => Math.abs(known.length - word.length) <= most)
    .map((known) => ({ known, far: distance(word, known) }))
    .filter(({ far }) => far <= most)
    .sort((a, b) => a.far - b.far || Number(b.known[0] === word[0]) - Number(a.known[0] === word[0]))
    .slice(0, SUGGESTIONS)
    .map(({ known }) => places.get(known) ?? known);
}

/** How many letters must be changed, added, left out or exchanged with their neighbour (optimal string
 * alignment) to turn a into b.
 * @param {string} a @param {string} b @returns {number} */
function distance(a, b) {
  /** @type {number[]} */
  let before = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(at(row, j) + 1, at(next, j - 1) + 1, at(row, j - 1) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, at(before, j - 2) + 1);
      next.push(least);
    }
    [before, row] = [row, next];
  }
  return at(row, b.length);
}

/** @param {number[]} row @param {number} i */
const at = (row, i) => row[i] ?? Number.POSITIVE_INFINITY;

/** fragment writes a phrase for the end of a link.
 * @param {readonly string[]} words @returns {string} */
export const fragment = (words) => words.map(bare).join('-');
