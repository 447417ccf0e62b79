// The watch over a call: four times a second the connection is sampled, and what follows from the
// numbers is told or done. The rules are in watchdog.js and quality.js.

import * as quality from './quality.js';
import { step, watch } from './watchdog.js';

/** @typedef {import('./app-state.js').PeerEvent} PeerEvent */
/** @typedef {Awaited<ReturnType<import('./peer.js').Peer['sample']>>} Sample */

const SAMPLE = 250;
const LEVEL = 80;

export class Watch {
  #peer;
  #hear;
  #level;
  #heard;
  #watch = watch(performance.now());
  #quality = quality.start(performance.now());
  #path = '';
  #told = '';
  #shown = 0;
  #energy = 0; // of what arrives, however loud it is played here
  #busy = false;
  #timers;
  /** Whether the peer said that the microphone is off: then silence is no news. */
  peerMuted = false;

  /** @param {import('./peer.js').Peer} peer @param {(event: PeerEvent) => void} hear @param {(level: number) => void} level
   * @param {() => number} heard how loud the peer is, 0 to 1, or -1 when nobody can tell */
  constructor(peer, hear, level, heard) {
    this.#peer = peer;
    this.#hear = hear;
    this.#level = level;
    this.#heard = heard;
    this.#timers = [setInterval(() => this.#sample(), SAMPLE), setInterval(() => this.#meter(), LEVEL)];
  }

  /** Whether packets arrive. */
  get live() {
    return this.#watch.phase === 'live';
  }

  stop() {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    this.#level(0);
  }

  async #sample() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const sample = await this.#peer.sample();
      if (sample && this.#timers.length > 0) this.#judge(sample, performance.now());
    } finally {
      this.#busy = false;
    }
  }

  /** @param {NonNullable<Sample>} s @param {number} now */
  #judge(s, now) {
    const [watched, effects] = step(this.#watch, now, { packets: s.received, connects: s.connects, failed: s.failed });
    this.#watch = watched;
    for (const effect of effects) this.#act(effect);
    if (s.path && s.path !== this.#path) {
      this.#path = s.path;
      this.#hear({ type: 'peer-path', path: s.path });
    }
    const [judged, verdict] = quality.step(this.#quality, now, {
      ...s,
      energy: this.#energy,
      peerMuted: this.peerMuted,
    });
    this.#quality = judged;
    this.#peer.red(verdict.red);
    const told = `${verdict.quality} ${verdict.silent}`;
    if (told !== this.#told) this.#hear({ type: 'peer-quality', quality: verdict.quality, silent: verdict.silent });
    this.#told = told;
  }

  /** @param {import('./watchdog.js').Effect} effect */
  #act(effect) {
    if (effect === 'live') this.#hear({ type: 'peer-live' });
    else if (effect === 'reconnecting') this.#hear({ type: 'peer-reconnecting' });
    else if (effect === 'restart') this.#peer.restart();
    else if (effect === 'rebuild') this.#peer.rebuild();
    else this.#hear({ type: 'peer-lost' });
  }

  #meter() {
    const heard = this.#heard();
    const level = Math.max(heard, 0);
    this.#energy += heard < 0 ? 1 : (level * level * LEVEL) / 1000; // unknown is not silent
    this.#shown = quality.fall(this.#shown, quality.loudness(level));
    this.#level(this.#shown);
  }
}
