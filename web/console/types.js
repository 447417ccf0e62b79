// What the server answers. web/console_api.go writes it.

/**
 * The policy by which devices are judged; names and meaning as in docs/console.md.
 * @typedef {{
 *   thresholds: number[], min_reporters: number[], hysteresis: number,
 *   reason_weight: Record<string, number>,
 *   [name: string]: number | string | number[] | Record<string, number>,
 * }} Policy
 */
/** @typedef {{ revision: number, preset: string, policy: Policy, who: string, when: string, reason: string }} Holding */
/** How many there are; "few" stands for one to four, or one to nine where ten is the floor. @typedef {number | 'few'} Count */
/** @typedef {{ name: string, waiting: Count, p50_s: number, p90_s: number, samples: number }} Queue */
/** calls by how long they lasted, the shortest first. @typedef {{ hour: string, calls: Count[] }} Hour */
/** @typedef {{ reason: string, reports: Count }} Reason */
/** @typedef {{ width: number, bins: Count[], records: Count }} Histogram */
/**
 * @typedef {{
 *   who: string, holding: Holding, presets: Record<string, Policy>, paused: boolean, paused_by: string, paused_reason: string,
 *   queues: Queue[], hours: Hour[], reasons: Reason[], histogram: Histogram, few_records: number, few_calls: number,
 * }} Overview
 */
/**
 * What a policy would change: bands[from][to] counts records.
 * @typedef {{
 *   bands: Count[][], records: Count, changed: Count, milder: Count, harder: Count,
 *   touched: number | null, matches: Count, histogram: Histogram, took_ms: number, revision: number,
 * }} Preview
 */
/** @typedef {{ seq: number, when: string, who: string, act: string, old?: any, new?: any, preview?: any, reason: string }} Line */
/** @typedef {{ lines: Line[], whole: boolean, says: string, path: string }} History */
/** @typedef {{ name: string, reports: Count, targets: Count, first: string, last: string }} Network */
/** @typedef {{ id: string, opened: string, reasons: Record<string, number>, band: string, score: number, reports: number, expires: string, state: string }} Review */

/** The bands from mild to severe, as the server numbers them. */
export const bands = /** @type {const} */ (['clear', 'watch', 'restricted', 'cooldown']);
