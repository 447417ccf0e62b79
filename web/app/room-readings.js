// What getStats says of one connection, and what follows from it: the way it takes, what the line carries, whether
// their picture moves, whether much is lost. Pure; the caller samples once a second.

import { judge, quality, summarize } from './judge.js';

/** @typedef {{path: '' | 'relayed' | 'direct', kbps: number, target: number, frames: number, cpu: boolean,
 *    voice: {received: number, lost: number, sent: number, sentLost: number}, rtt: number}} Numbers kbps: what the browser thinks that the way
 *  carries; target: what it gives the encoder of the picture; frames: of theirs, decoded */
/** @typedef {{path: Numbers['path'], kbps: number, held: boolean, cpu: boolean, moving: boolean, weak: boolean, twice: boolean, turned: boolean}} Reading held:
 *  the line is what makes our picture worse; moving: their picture does; weak: much is lost or late; twice: so that speech should be
 *  sent twice; turned: since now */

// Samples without a new picture until it stands still.
const STILL = 2;
// Of what the plan allows.
const ENOUGH = 0.9;

/** read takes the numbers out of a report.
 * @param {import('./judge.js').Report} report @returns {Numbers} */
export function read(report) {
  const all = [...report.values()];
  const { path, rtt, ...voice } = summarize(report);
  const transport = all.find((x) => x.type === 'transport' && x.selectedCandidatePairId);
  const used = transport
    ? report.get(transport.selectedCandidatePairId)
    : all.find((x) => x.type === 'candidate-pair' && x.nominated);
  const video = all.find((x) => x.type === 'inbound-rtp' && x.kind === 'video');
  const sent = all.find((x) => x.type === 'outbound-rtp' && x.kind === 'video');
  return {
    ...{ path, rtt, voice },
    kbps: Math.round((used?.availableOutgoingBitrate ?? 0) / 1000),
    target: (sent?.targetBitrate ?? 0) / 1000,
    frames: video?.framesDecoded ?? 0,
    cpu: sent?.qualityLimitationReason === 'cpu',
  };
}

/** Readings are of one connection, in order. */
export class Readings {
  #frames = 0;
  #still = STILL;
  #quality = quality(0);

  /** take judges the next numbers.
   * @param {number} now @param {Numbers} numbers @param {number} allowed kbit/s of the picture by the plan, 0 for none @returns {Reading} */
  take(now, { path, kbps, target, frames, cpu, voice, rtt }, allowed) {
    this.#still = frames > this.#frames ? 0 : this.#still + 1;
    this.#frames = frames;
    const was = this.#quality.red;
    const [next, verdict] = judge(this.#quality, now, { ...voice, rtt, energy: 0, peerMuted: true });
    this.#quality = next;
    const held = target > 0 && target < allowed * ENOUGH;
    const [moving, weak] = [this.#still < STILL, verdict.quality === 'weak'];
    return { path, kbps, held, cpu, moving, weak, twice: verdict.red, turned: verdict.red !== was };
  }
}
