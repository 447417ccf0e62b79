// The arithmetic of the load: the calls of each hour, as the server tells them. A number below ten is
// not told, so sums are of what is told, and say when something is missing. No DOM here, so that node can
// test it.

/** @typedef {import('./types.js').Count} Count */
/** Calls by how long they lasted, the shortest class first. @typedef {{ at: number, calls: Count[] }} Hour at: epoch milliseconds */
/** What is told of some calls together, and whether some are not told. @typedef {{ n: number, few: boolean }} Sum */
/** @typedef {{ at: number, calls: Sum[] }} Bar */

const hour = 3_600_000;

/** Reads the values that the server sends. @param {string} csv @returns {Hour[]} */
export function read(csv) {
  const lines = csv.trim().split('\n').slice(1);
  return lines.map((line) => {
    const [at = '', ...calls] = line.split(',');
    return { at: Date.parse(at), calls: calls.map((text) => (/^\d+$/.test(text) ? Number(text) : 'few')) };
  });
}

/** @param {readonly (Count | Sum)[]} counts @returns {Sum} */
export function sum(counts) {
  const all = { n: 0, few: false };
  for (const one of counts) {
    if (one === 'few') all.few = true;
    else if (typeof one === 'number') all.n += one;
    else {
      all.n += one.n;
      all.few ||= one.few;
    }
  }
  return all;
}

/** A sum in words. @param {Sum} all @param {number} floor */
export function words({ n, few }, floor) {
  const number = n.toLocaleString('en-GB');
  if (!few) return number;
  return n === 0 ? `fewer than ${floor}` : `${number} and some`;
}

/** Bars of some hours each, from midnight UTC on. @param {readonly Hour[]} hours @param {number} each @returns {Bar[]} */
export function grouped(hours, each) {
  /** @type {Map<number, Hour[]>} */
  const groups = new Map();
  for (const one of hours) {
    const at = Math.floor(one.at / (each * hour)) * each * hour;
    groups.set(at, [...(groups.get(at) ?? []), one]);
  }
  return [...groups].map(([at, some]) => ({
    at,
    calls: (some[0]?.calls ?? []).map((_, i) => sum(some.map((one) => one.calls[i] ?? 0))),
  }));
}

/** The hour with the most calls that are told. @param {readonly Hour[]} hours @returns {Hour | undefined} */
export function busiest(hours) {
  /** @type {Hour | undefined} */
  let best;
  for (const one of hours) if (!best || sum(one.calls).n > sum(best.calls).n) best = one;
  return best;
}

/** The mean of the calls that are told, for each hour of the day, UTC. @param {readonly Hour[]} hours */
export function byHourOfDay(hours) {
  return Array.from({ length: 24 }, (_, of) => {
    const some = hours.filter((one) => new Date(one.at).getUTCHours() === of);
    return some.length === 0 ? 0 : sum(some.map((one) => sum(one.calls))).n / some.length;
  });
}
