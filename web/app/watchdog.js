// Call watchdog: tells from the count of received audio packets whether a call lives.
// connectionState is no substitute: after its relay died, Chromium said 'failed' after 16 s and
// Firefox after 29 s, and Firefox never recovers from there.
//
// Pure: the caller samples every 250 ms, calls step, and carries the effects out. Times are
// milliseconds of a monotonic clock. Effects:
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

/** @typedef {{packets: number, connects: number, failed: boolean}} Sample packets: received since the call began, over
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

/** step returns the next state and the effects of one sample, in order.
 * @param {Watch} w @param {number} now @param {Sample} sample @returns {[Watch, Effect[]]} */
export function step(w, now, sample) {
  if (w.phase === 'ended') return [w, []];
  if (sample.packets > w.packets) return [begin('live', now, sample), w.phase === 'live' ? [] : ['live']];
  const silent = now - w.since;
  if (silent >= (w.phase === 'first' ? FIRST_GIVE_UP : GIVE_UP)) return [{ ...w, phase: 'ended' }, ['end']];
  if (silent < SHOW) return [w, []];
  const [s, repair] = heal(w, now, sample);
  return [s, w.phase === 'live' ? ['reconnecting', ...repair] : repair];
}

/** heal decides what to try in a silence.
 * @param {Watch} w @param {number} now @param {Sample} sample @returns {[Watch, Effect[]]} */
function heal(w, now, { connects, failed }) {
  const first = w.phase === 'first';
  /** @type {Watch} */
  const s = { ...w, phase: first ? 'first' : 'reconnecting', connects };
  if ((first || w.restarts > 0) && connects > w.connects) s.connectedAt = now;
  if (s.rebuilt) return [s, []];
  const deaf = s.connectedAt > 0 && now - s.connectedAt >= DEAF; // connected, yet no packet
  if (failed || deaf) return [{ ...s, rebuilt: true }, ['rebuild']];
  const due = (first ? FIRST_RESTART : RESTART) + s.restarts * AGAIN;
  if (s.restarts >= RESTARTS || now - w.since < due) return [s, []];
  return [{ ...s, restarts: s.restarts + 1, connectedAt: 0 }, ['restart']];
}
