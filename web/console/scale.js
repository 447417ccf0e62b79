// The arithmetic of the chart: where a score stands, how high a bar is, where a threshold may go.
// No DOM here, so that node can test it.

/** @typedef {{ left: number, top: number, width: number, height: number, max: number }} Frame in units of the drawing */

/** The smallest step of a threshold, and the distance that two keep. */
export const step = 0.005;

/** The highest score that the chart shows: room for the thresholds and for what lies beyond them. @param {readonly number[]} thresholds */
export function reach(thresholds) {
  const top = Math.max(0.25, ...thresholds) * 1.5;
  return Math.min(1, Math.ceil(top * 10) / 10);
}

/** @param {Frame} f @param {number} score */
export const xOf = (f, score) => f.left + (Math.min(score, f.max) / f.max) * f.width;

/** @param {Frame} f @param {number} x */
export const scoreAt = (f, x) => Math.min(f.max, Math.max(0, ((x - f.left) / f.width) * f.max));

/** A score on the grid of steps, without the noise of fractions. @param {number} score */
export const snap = (score) => Math.round(Math.round(score / step) * step * 1e6) / 1e6;

/** How far a threshold may go between its neighbours. @param {readonly number[]} all @param {number} i @param {number} max @returns {[number, number]} */
export function limits(all, i, max) {
  const low = i === 0 ? step : snap((all[i - 1] ?? 0) + step);
  const high = i === all.length - 1 ? Math.min(max, 1) : snap((all[i + 1] ?? max) - step);
  return [low, Math.max(low, high)];
}

/** All thresholds with number i moved as near to a score as its neighbours let it. @param {readonly number[]} all @param {number} i @param {number} score @param {number} max */
export function moved(all, i, score, max) {
  const [low, high] = limits(all, i, max);
  return all.map((old, at) => (at === i ? Math.min(high, Math.max(low, snap(score))) : old));
}

/** Where a key leads from a value; undefined when the key is not ours. @param {string} key @param {number} now @param {[number, number]} between */
export function keyed(key, now, [low, high]) {
  switch (key) {
    case 'ArrowRight':
    case 'ArrowUp':
      return now + step;
    case 'ArrowLeft':
    case 'ArrowDown':
      return now - step;
    case 'PageUp':
      return now + 4 * step;
    case 'PageDown':
      return now - 4 * step;
    case 'Home':
      return low;
    case 'End':
      return high;
  }
  return undefined;
}

/** @typedef {{ x: number, y: number, width: number, height: number, few: boolean, says: string }} Bar */

/**
 * The bars of a histogram. Few of one to four get a low bar of one height, whatever their number.
 * The height grows with the square root, so that one tall bar does not flatten the others.
 * @param {Frame} f @param {import('./types.js').Histogram} h @param {number} floor below which a number is not told
 * @returns {Bar[]}
 */
export function bars(f, h, floor) {
  const tall = Math.max(1, ...h.bins.map((n) => (n === 'few' ? floor : n)));
  const bar = xOf(f, h.width) - f.left;
  return h.bins.flatMap((n, i) => {
    const from = i * h.width;
    if (n === 0 || from >= f.max) return [];
    const height = Math.max(3, Math.sqrt((n === 'few' ? floor / 2 : n) / tall) * f.height);
    const says = `${n === 'few' ? `fewer than ${floor}` : n} between ${round(from)} and ${round(from + h.width)}`;
    return [
      {
        x: xOf(f, from) + 0.5,
        y: f.top + f.height - height,
        width: Math.max(1, bar - 1),
        height,
        few: n === 'few',
        says,
      },
    ];
  });
}

/** A score as people read it. @param {number} score */
export const round = (score) => String(Math.round(score * 1000) / 1000);
