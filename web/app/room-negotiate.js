// Perfect negotiation of one pair (W3C WebRTC, section 10.7) as a step function: either side may offer at any
// time, and when both do, the polite one gives way. Who is polite follows from the member ids, so that
// nobody has to say it.
//
// Pure. The caller carries one effect at a time out and tells how it ended by the event named behind it:
//
//   make    setLocalDescription of a new offer              made
//   take    setRemoteDescription of an offer (a browser rolls its own back), and the answer to it   taken
//   accept  setRemoteDescription of an answer               settled
//   send    say this to the other side                      -
//   failed  is told instead when the browser refused: the connection must be built anew
//
// An offer has a number, which its answer repeats: an answer to an offer that was given up means nothing.

/** @typedef {'stable' | 'making' | 'offered' | 'taking' | 'settling'} Phase */
/** @typedef {{o: number, sdp: string}} Said */
/** @typedef {{polite: boolean, phase: Phase, again: boolean, o: number, taking: number, theirs: Said | null, broken: boolean}} Negotiation
 *  again: another offer is wanted afterwards; o: number of our last offer; taking: of the offer being taken; theirs: one that waits */
/** @typedef {{type: 'needed' | 'settled' | 'failed'} | {type: 'made' | 'taken', sdp: string}
 *    | {type: 'offer' | 'answer'} & Said} Event offer and answer came from the other side */
/** @typedef {{do: 'make'} | {do: 'take', sdp: string} | {do: 'accept', sdp: string} | {do: 'rebuild'}
 *    | {do: 'send', kind: 'offer' | 'answer', o: number, sdp: string}} Effect */

/** negotiation begins between two members.
 * @param {string} me @param {string} peer member ids @returns {Negotiation} */
export const negotiation = (me, peer) => ({
  polite: me < peer,
  phase: 'stable',
  again: false,
  o: 0,
  taking: 0,
  theirs: null,
  broken: false,
});

/** step returns the next state and the effects, in order.
 * @param {Negotiation} n @param {Event} event @returns {[Negotiation, Effect[]]} */
export function step(n, event) {
  if (n.broken) return [n, []];
  switch (event.type) {
    case 'needed':
      return next({ ...n, again: true });
    case 'made':
      return made(n, event.sdp);
    case 'offer':
      return offered(n, event);
    case 'answer':
      // To an offer that we gave up, or said twice.
      if (n.phase !== 'offered' || event.o !== n.o) return [n, []];
      return [{ ...n, phase: 'settling' }, [{ do: 'accept', sdp: event.sdp }]];
    case 'taken':
      return answered(n, event.sdp);
    case 'settled':
      return n.phase === 'settling' ? next({ ...n, phase: 'stable' }) : [n, []];
    case 'failed':
      return [{ ...n, broken: true }, [{ do: 'rebuild' }]];
  }
}

/** next begins what waits, if nothing is under way: their offer first, which may make ours superfluous.
 * @param {Negotiation} n @returns {[Negotiation, Effect[]]} */
function next(n) {
  if (n.phase !== 'stable') return [n, []];
  if (n.theirs) return take(n, n.theirs);
  if (!n.again) return [n, []];
  return [{ ...n, phase: 'making', again: false }, [{ do: 'make' }]];
}

/** @param {Negotiation} n @param {Said} theirs @returns {[Negotiation, Effect[]]} */
const take = (n, { o, sdp }) => [{ ...n, phase: 'taking', taking: o, theirs: null }, [{ do: 'take', sdp }]];

/** @param {Negotiation} n @param {string} sdp @returns {[Negotiation, Effect[]]} */
function made(n, sdp) {
  if (n.phase !== 'making') return [n, []];
  // Theirs came meanwhile and we give way: ours is not said at all, but once more afterwards.
  if (n.theirs) return take({ ...n, again: true }, n.theirs);
  const o = n.o + 1;
  return [{ ...n, phase: 'offered', o }, [{ do: 'send', kind: 'offer', o, sdp }]];
}

/** @param {Negotiation} n @param {Said} said @returns {[Negotiation, Effect[]]} */
function offered(n, { o, sdp }) {
  const theirs = { o, sdp };
  if (n.phase === 'stable') return take(n, theirs);
  const collision = n.phase === 'making' || n.phase === 'offered';
  // They will take ours: they are the polite side.
  if (collision && !n.polite) return [n, []];
  if (n.phase === 'offered') return take({ ...n, again: true }, theirs);
  // Where an offer is being taken already, they gave that one up.
  return [{ ...n, theirs }, []];
}

/** @param {Negotiation} n @param {string} sdp @returns {[Negotiation, Effect[]]} */
function answered(n, sdp) {
  if (n.phase !== 'taking') return [n, []];
  const [after, effects] = next({ ...n, phase: 'stable' });
  return [after, [{ do: 'send', kind: 'answer', o: n.taking, sdp }, ...effects]];
}
