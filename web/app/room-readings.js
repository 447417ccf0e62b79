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

/** arrived is how many bytes came in over a connection, whatever they were.
 * @param {import('./judge.js').Report} report @returns {number} */
export const arrived = (report) =>
  [...report.values()].reduce((sum, x) => sum + (x.type === 'candidate-pair' ? (x.bytesReceived ?? 0) : 0), 0);

// ms without a beat until the bytes are looked at, and until even bytes are no sign of life.
const LATE = 400;
const LONGEST_STALL = 15000;

/** Signs tell a silent page from a dead line. Beats are sent by the page itself: where much else keeps it from running
 * they are late, and another way through the network would cost it still more. The browser beneath acknowledges our
 * own beats all the same, so while bytes come, the line is whole. Times are milliseconds of a monotonic clock. */
export class Signs {
  #beats = -1;
  #spokeAt = 0;
  #bytes = -1;
  /** How many signs of life came. */
  count = 0;

  /** wanted tells whether the bytes are to be looked at now.
   * @param {number} now @param {number} beats received so far @returns {boolean} */
  wanted(now, beats) {
    if (beats !== this.#beats) [this.#beats, this.#spokeAt, this.#bytes] = [beats, now, -1];
    const silent = now - this.#spokeAt;
    return silent >= LATE && silent < LONGEST_STALL;
  }

  /** take counts a sign when more came than the time before, in the same silence.
   * @param {number} bytes as {@link arrived} says */
  take(bytes) {
    if (this.#bytes >= 0 && bytes !== this.#bytes) this.count += 1;
    this.#bytes = bytes;
  }

  /** replaced says that another connection begins, which counts its own bytes. */
  replaced() {
    this.#bytes = -1;
  }
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
