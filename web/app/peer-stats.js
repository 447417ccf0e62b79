// The few numbers of getStats that a call is judged by, added up over all its connections. Pure.

/** @typedef {{received: number, lost: number, sent: number, sentLost: number}} Counts */
/** @typedef {Counts & {rtt: number, path: '' | 'relayed' | 'direct'}} Summary */
/** @typedef {{values(): Iterable<any>, get(id: string): any}} Report */

/** @type {Counts} */
const ZERO = { received: 0, lost: 0, sent: 0, sentLost: 0 };

/** @type {Record<string, (s: Summary, x: any) => void>} */
const READ = {
  'inbound-rtp'(s, { packetsReceived = 0, packetsLost = 0 }) {
    s.received += packetsReceived;
    s.lost += packetsLost;
  },
  'outbound-rtp'(s, { packetsSent = 0 }) {
    s.sent += packetsSent;
  },
  'remote-inbound-rtp'(s, { packetsLost = 0, roundTripTime = 0 }) {
    s.sentLost += packetsLost;
    s.rtt = roundTripTime;
  },
};

/** summarize reads one report.
 * @param {Report} report @returns {Summary} */
export function summarize(report) {
  /** @type {Summary} */
  const s = { ...ZERO, rtt: 0, path: '' };
  const all = [...report.values()];
  for (const x of all) if (x.kind === 'audio') READ[x.type]?.(s, x);
  const named = all.find((x) => x.type === 'transport' && x.selectedCandidatePairId);
  // Not "state succeeded" as well: under loss a pair in use is often 'in-progress'.
  const used = named
    ? report.get(named.selectedCandidatePairId)
    : all.find((x) => x.type === 'candidate-pair' && x.nominated);
  if (used) {
    const ends = [report.get(used.localCandidateId), report.get(used.remoteCandidateId)];
    s.path = ends.some((end) => end?.candidateType === 'relay') ? 'relayed' : 'direct';
  }
  return s;
}

/** Tally goes on counting when a connection is replaced. */
export class Tally {
  #past = ZERO;
  #present = ZERO;

  /** take reads the report of the present connection and returns the sums of the call.
   * @param {Report} report @returns {Summary} */
  take(report) {
    const { rtt, path, ...counts } = summarize(report);
    this.#present = counts;
    return { ...add(this.#past, counts), rtt, path };
  }

  /** replaced says that another connection begins. */
  replaced() {
    this.#past = add(this.#past, this.#present);
    this.#present = ZERO;
  }
}

/** @param {Counts} a @param {Counts} b @returns {Counts} */
const add = (a, b) => ({
  received: a.received + b.received,
  lost: a.lost + b.lost,
  sent: a.sent + b.sent,
  sentLost: a.sentLost + b.sentLost,
});
