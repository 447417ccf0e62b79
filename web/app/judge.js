// Judges a call by its numbers: does it live and what would heal it, is it weak, should speech be sent
// twice (RED), has the peer been silent, how loud is somebody. Pure: the caller samples every 250 ms,
// and times are milliseconds of a monotonic clock.
//
// Whether it lives is told from the count of received audio packets. connectionState is no substitute:
// after its relay died, Chromium said 'failed' after 16 s and Firefox after 29 s, and Firefox never
// recovers from there. The caller carries these effects out:
//
//   'reconnecting'  say so to the user
//   'restart'       an ICE restart, with fresh relay credentials set first
//   'rebuild'       a new RTCPeerConnection with the same certificate; once per silence
//   'live'          packets arrive, for the first time or again
//   'end'           give up: "connection lost"

const SHOW = 1500;
const RESTART = 2000;
const AGAIN = 4000;
const RESTARTS = 3;
const DEAF = 3000;
const GIVE_UP = 20000;

// Before the first packet everything takes longer: keys, descriptions and candidates are on their way.
const FIRST_RESTART = 6000;
const FIRST_GIVE_UP = 30000;

/** @typedef {{packets: number, connects: number, failed: boolean}} Packets packets: received since the call began, over
 *  all its connections; connects: how often connectionState became 'connected'; failed: whether it is 'failed' now */
/** @typedef {'reconnecting' | 'restart' | 'rebuild' | 'live' | 'end'} Effect */
/** @typedef {{phase: 'first' | 'live' | 'reconnecting' | 'ended', packets: number, connects: number, since: number,
 *    restarts: number, connectedAt: number, rebuilt: boolean}} Watch */

/** watch begins with the call.
 * @param {number} now @returns {Watch} */
export const watch = (now) => begin('first', now, { packets: 0, connects: 0 });

/** @param {Watch['phase']} phase @param {number} now @param {{packets: number, connects: number}} sample @returns {Watch} */
const begin = (phase, now, { packets, connects }) => ({
  phase,
  packets,
  connects,
  since: now,
  restarts: 0,
  connectedAt: 0,
  rebuilt: false,
});

/** guard returns the next state and the effects of one sample, in order.
 * @param {Watch} w @param {number} now @param {Packets} sample @returns {[Watch, Effect[]]} */
export function guard(w, now, sample) {
  if (w.phase === 'ended') return [w, []];
  if (sample.packets > w.packets) return [begin('live', now, sample), w.phase === 'live' ? [] : ['live']];
  const silent = now - w.since;
  if (silent >= (w.phase === 'first' ? FIRST_GIVE_UP : GIVE_UP)) return [{ ...w, phase: 'ended' }, ['end']];
  if (silent < SHOW) return [w, []];
  const [s, repair] = heal(w, now, sample);
  return [s, w.phase === 'live' ? ['reconnecting', ...repair] : repair];
}

/** heal decides what to try in a silence.
 * @param {Watch} w @param {number} now @param {Packets} sample @returns {[Watch, Effect[]]} */
function heal(w, now, { connects, failed }) {
  const first = w.phase === 'first';
  /** @type {Watch} */
  const s = { ...w, phase: first ? 'first' : 'reconnecting', connects };
  if ((first || w.restarts > 0) && connects > w.connects) s.connectedAt = now;
  if (s.rebuilt) return [s, []];
  // Connected, yet no packet.
  const deaf = s.connectedAt > 0 && now - s.connectedAt >= DEAF;
  if (failed || deaf) return [{ ...s, rebuilt: true }, ['rebuild']];
  const due = (first ? FIRST_RESTART : RESTART) + s.restarts * AGAIN;
  if (s.restarts >= RESTARTS || now - w.since < due) return [s, []];
  return [{ ...s, restarts: s.restarts + 1, connectedAt: 0 }, ['restart']];
}

// What the numbers say about the sound.

/** @typedef {{received: number, lost: number, sent: number, sentLost: number, rtt: number, energy: number, peerMuted: boolean}} Sample
 *  packets received and lost, packets sent and lost at the peer, seconds of round trip, energy of the received audio;
 *  each counted over the whole call */
/** @typedef {{at: number, sample: Sample}} Point */
/** @typedef {{points: Point[], red: boolean, badSince: number, goodSince: number, weakUntil: number, soundAt: number, energy: number}} Quality */
/** @typedef {{quality: '' | 'good' | 'weak', red: boolean, silent: boolean}} Verdict */

const WINDOW = 5000;
const RED_LOSS = 0.03;
const RED_ON = 10000;
const RED_OFF = 60000;
const WEAK_LOSS = 0.05;
const WEAK_RTT = 0.8;
const WEAK_HOLD = 5000;
const SILENT = 20000;
// Energy a second: 80 dB below the loudest.
const FAINT = 1e-8;

/** quality begins to judge it.
 * @param {number} now @returns {Quality} */
export const quality = (now) => ({
  points: [],
  red: false,
  badSince: 0,
  goodSince: now,
  weakUntil: 0,
  soundAt: now,
  energy: 0,
});

/** judge takes a sample into account.
 * @param {Quality} q @param {number} now @param {Sample} sample @returns {[Quality, Verdict]} */
export function judge(q, now, sample) {
  const points = [...q.points.filter((p) => now - p.at <= WINDOW), { at: now, sample }];
  const from = points[0] ?? { at: now, sample };
  const seconds = (now - from.at) / 1000;
  const loss = Math.max(
    share(sample.lost - from.sample.lost, sample.received - from.sample.received),
    share(
      sample.sentLost - from.sample.sentLost,
      sample.sent - from.sample.sent - (sample.sentLost - from.sample.sentLost),
    ),
  );
  const s = { ...q, points };
  if (loss > RED_LOSS) {
    s.badSince ||= now;
    s.goodSince = 0;
  } else {
    s.badSince = 0;
    s.goodSince ||= now;
  }
  if (s.badSince > 0 && now - s.badSince >= RED_ON) s.red = true;
  if (s.goodSince > 0 && now - s.goodSince >= RED_OFF) s.red = false;
  if (loss > WEAK_LOSS || sample.rtt > WEAK_RTT) s.weakUntil = now + WEAK_HOLD;

  const loud = sample.energy - q.energy > (FAINT * Math.max(now - (q.points.at(-1)?.at ?? now), 1)) / 1000;
  if (loud || sample.peerMuted) s.soundAt = now;
  s.energy = sample.energy;
  const heard = now < s.weakUntil ? 'weak' : seconds >= 2 ? 'good' : '';
  return [s, { quality: heard, red: s.red, silent: now - s.soundAt >= SILENT }];
}

/** @param {number} lost @param {number} arrived */
function share(lost, arrived) {
  const all = Math.max(lost, 0) + Math.max(arrived, 0);
  // Too few to judge.
  return all < 20 ? 0 : Math.max(lost, 0) / all;
}

/** loudness maps the amplitude 0..1 of a sound to 0..1 as people hear it, 60 dB wide.
 * @param {number} amplitude @returns {number} */
export function loudness(amplitude) {
  if (!(amplitude > 0)) return 0;
  return Math.min(1, Math.max(0, 1 + Math.log10(amplitude) / 3));
}

/** fall lets a meter rise at once and fall slowly.
 * @param {number} shown @param {number} level @returns {number} */
export const fall = (shown, level) => (level >= shown ? level : Math.max(level, shown - 0.08));

// The few numbers of getStats that a call is judged by, added up over all its connections.

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
