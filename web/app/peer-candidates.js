// The candidates of one connection: how many passed each way, and those that came too early.

import { candidate, MOST_CANDIDATES } from './sdp.js';

export class Candidates {
  #out = 0;
  #in = 0;
  /** @type {RTCIceCandidateInit[]} */
  #early = [];

  /** A description of ours begins: its candidates are counted anew. */
  described() {
    this.#out = 0;
  }

  /** found returns what may be told of a local candidate, or ''.
   * @param {RTCIceCandidate} found @param {boolean} direct @returns {string} */
  found(found, direct) {
    const line = candidate(found.candidate, { direct });
    if (!line || this.#out >= MOST_CANDIDATES) return '';
    this.#out += 1;
    return line;
  }

  /** add gives the connection a candidate of the peer, if it may pass.
   * @param {RTCPeerConnection} pc @param {{candidate: string, mid: string}} theirs @param {boolean} direct */
  async add(pc, { candidate: line, mid }, direct) {
    const allowed = candidate(line, { direct });
    if (!allowed || this.#in >= MOST_CANDIDATES) return;
    this.#in += 1;
    const init = { candidate: allowed, sdpMid: mid };
    if (!pc.remoteDescription) this.#early.push(init);
    else await pc.addIceCandidate(init).catch(() => {}); // of an offer that was replaced
  }

  /** answered takes in those that came before the description of the peer.
   * @param {RTCPeerConnection} pc */
  async answered(pc) {
    this.#in = 0;
    for (const early of this.#early.splice(0)) await pc.addIceCandidate(early).catch(() => {});
  }
}
