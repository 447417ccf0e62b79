// What this browser is like, in very coarse classes that many others share: enough to say "perhaps the
// same device" of somebody who has just thrown away a bad name, never enough to say who it is. The server
// hears only one digest of all of them, believes it only of new devices, and only where few others look
// the same. No canvas, no sound, no fonts, no list of anything, no version: nothing that changes with an
// update or a reload, and nothing that a browser would have to ask for.

import { digest } from './bytes.js';

/** @typedef {{navigator: any, screen: {width: number, height: number}, offset: (month: number) => number,
 *    media: (query: string) => boolean}} Around what can be seen of a browser */

/** The first of the limits that holds value, as its place: a class instead of a number.
 * @param {number} value @param {number[]} limits */
const grade = (value, limits) => limits.findIndex((limit) => value <= limit) + 1 || limits.length + 1;

/** The system. Of its many names the family; a version would change. @param {any} navigator */
function system({ userAgent = '', maxTouchPoints = 0 }) {
  if (/Android/.test(userAgent)) return 'android';
  // Tablets of Apple say that they are a Mac.
  if (/iPhone|iPad/.test(userAgent) || (/Mac/.test(userAgent) && maxTouchPoints > 1)) return 'ios';
  return /Windows|Mac|CrOS|Linux/.exec(userAgent)?.[0].toLowerCase() ?? 'other';
}

/** The family of the browser: it stays when the version changes. Edge and Opera say last who they are, after
 * those whose pages they want; who says nothing of itself, as Brave, is of the family that it is made of.
 * @param {any} navigator */
const family = ({ userAgent = '' }) =>
  ['Firefox', 'Edg', 'OPR', 'Chrom', 'Safari'].find((name) => userAgent.includes(name)) ?? 'other';

/** The class of each attribute, in this order.
 * @param {Around} around @returns {(string | number)[]} */
export function classes({ navigator, screen, offset, media }) {
  const [short, long] = [screen.width, screen.height].sort((a, b) => a - b);
  return [
    system(navigator),
    family(navigator),
    // Turning a phone changes nothing, a little zoom seldom.
    grade(short ?? 0, [380, 480, 800, 1000, 1300]),
    grade(long ?? 0, [700, 860, 1000, 1400, 2000, 2700]),
    // Winter and summer: the zone, not the season. Whole hours.
    Math.round(offset(0) / 60),
    Math.round(offset(6) / 60),
    // The first language without its country.
    String(navigator.language ?? '').split('-')[0] ?? '',
    grade(navigator.hardwareConcurrency ?? 0, [0, 2, 4, 8, 16]),
    // GiB, where a browser tells: it rounds by itself.
    grade(navigator.deviceMemory ?? 0, [0, 2, 4, 8]),
    grade(navigator.maxTouchPoints ?? 0, [0, 1, 5]),
    // How the screen shows colour, and whether something points more finely than a finger.
    media('(color-gamut: p3)') ? 1 : 0,
    media('(any-pointer: fine)') ? 1 : 0,
  ];
}

/** signals is the digest of this browser, 43 characters. @param {Around} [around] */
export const signals = (around = here()) => digest(`parley signals1 ${JSON.stringify(classes(around))}`);

/** @returns {Around} */
const here = () => ({
  navigator,
  screen,
  offset: (month) => new Date(2025, month, 1).getTimezoneOffset(),
  media: (query) => matchMedia(query).matches,
});
