// What an operator may set, in words, and what is wrong with it. The server checks again, and harder.

/** @typedef {import('./types.js').Policy} Policy */

/** The settings below the chart: name, words, unit. @type {readonly (readonly [string, string, string])[]} */
export const settings = [
  ['half_life_days', 'Half-life of a report', 'days'],
  ['hysteresis', 'A band is left only when the score is this far below its threshold', ''],
  ['daily_cap', 'Weight that one day can add to a record', ''],
  ['net_cap', 'Weight that one network can add in 7 days', ''],
  ['free_reports', 'Reports a day that cost a reporter no credit', ''],
  ['rho', 'More such reports for each call of theirs', ''],
  ['new_reporter', 'Weight of a reporter with fewer than two finished calls', ''],
  ['pool_report', 'Weight of a reporter who is restricted', ''],
  ['same_net', 'Weight of a report from the same network', ''],
  ['short_sec', 'A call is short below', 's'],
  ['short_factor', 'Weight of a report on a short call', ''],
  ['min_call_sec', 'A call counts as clean from', 's'],
  ['prior_a', 'Prior: as if reported', ''],
  ['prior_b', 'Prior: as if met without a report', ''],
  ['crowd_max', 'A digest speaks if it is shared by at most so many known installs', ''],
  ['probation', 'Share of matches that restricted devices have in the open pool', ''],
  ['cooldown_hours', 'First cooldown', 'h'],
];

/** @param {Policy} p @param {string} path as in "thresholds.1" or "reason_weight.hate" @returns {number} */
export function get(p, path) {
  const [name = '', key] = path.split('.');
  const value = p[name];
  if (key === undefined) return Number(value);
  return Number(/** @type {Record<string, number>} */ (value)[key]);
}

/** A copy of p with one number set. @param {Policy} p @param {string} path @param {number} to @returns {Policy} */
export function set(p, path, to) {
  const [name = '', key] = path.split('.');
  const old = p[name];
  if (key === undefined) return { ...p, [name]: to };
  if (Array.isArray(old)) return { ...p, [name]: old.map((value, i) => (String(i) === key ? to : value)) };
  return { ...p, [name]: { .../** @type {Record<string, number>} */ (old), [key]: to } };
}

/** Every number of a policy with its path, in the order of its names. @param {any} value @param {string} [path] @returns {[string, number | string][]} */
export function leaves(value, path = '') {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  return Object.keys(value).flatMap((key) => leaves(value[key], path ? `${path}.${key}` : key));
}

/** What differs between two policies, as "name: old → new". @param {any} before @param {any} after */
export function differences(before, after) {
  const old = new Map(leaves(before ?? {}));
  return leaves(after ?? {})
    .filter(([path, value]) => old.get(path) !== value)
    .map(([path, value]) => ({
      path,
      old: old.get(path),
      now: value,
      says: `${title(path)}: ${old.get(path) ?? 'none'} → ${value}`,
    }));
}

/** @param {Policy} a @param {Policy} b */
export const same = (a, b) => differences(a, b).length === 0;

const levels = ['watch', 'restricted', 'cooldown'];

/** The words for one number. @param {string} path */
export function title(path) {
  const [name = '', key = ''] = path.split('.');
  if (name === 'thresholds') return `Threshold of ${levels[Number(key)]}`;
  if (name === 'min_reporters') return `Reporters needed for ${levels[Number(key)]}`;
  if (name === 'reason_weight') return `Weight of ${key}`;
  return settings.find(([id]) => id === name)?.[1] ?? name;
}

/** What is wrong with a policy, in a sentence; "" if nothing that can be seen here. @param {Policy} p */
export function fault(p) {
  const odd = leaves(p).find(([, value]) => typeof value === 'number' && !Number.isFinite(value));
  if (odd) return `${title(odd[0])} needs a number.`;
  const negative = leaves(p).find(([, value]) => typeof value === 'number' && value < 0);
  if (negative) return `${title(negative[0])} cannot be negative.`;
  for (const [name, what] of /** @type {const} */ ([
    ['thresholds', 'thresholds'],
    ['min_reporters', 'numbers of reporters'],
  ])) {
    if (p[name].some((n, i, all) => i > 0 && n <= (all[i - 1] ?? 0)))
      return `The ${what} must rise from watch to cooldown.`;
  }
  if (Math.max(...p.thresholds) > 1) return 'A threshold above 1 is never reached.';
  if (Number(p.net_cap) >= (p.min_reporters[1] ?? 0)) {
    return 'The cap of one network must be below the reporters needed for restricted, or one network could restrict anybody.';
  }
  return '';
}
