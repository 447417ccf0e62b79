// What two browsers say to each other inside sealed envelopes to build their connection. Pure.
//
// Every message names the generation g of the connection: a higher one makes the other side follow,
// a lower one is stale. An offer has a number o, which its answer repeats. direct says whether its
// sender agrees to show addresses.
//
//   offer      g o sdp direct
//   answer     g o sdp direct
//   candidate  g candidate mid
//   ask        g what: restart, red, plain (the answering side asks for an offer)
//   direct     g direct

import { clean } from './sdp.js';

/** @typedef {{kind: 'offer' | 'answer', g: number, o: number, sdp: string, direct: boolean}} Description */
/** @typedef {{kind: 'candidate', g: number, candidate: string, mid: string}} Candidate */
/** @typedef {'restart' | 'red' | 'plain'} Wish */
/** @typedef {Description | Candidate | {kind: 'ask', g: number, what: Wish} | {kind: 'direct', g: number, direct: boolean}} Message */

const MOST_GENERATIONS = 1000;
const WISHES = ['restart', 'red', 'plain'];

/** read checks a message of the peer and cleans its description, or throws.
 * @param {string} text @returns {Message} */
export function read(text) {
  const { kind, g, o, sdp, direct, candidate, mid, what } = JSON.parse(text);
  if (!Number.isInteger(g) || g < 1 || g > MOST_GENERATIONS) throw new Error('bad generation');
  if (kind === 'offer' || kind === 'answer') {
    if (!Number.isSafeInteger(o) || o < 1) throw new Error('bad offer number');
    return { kind, g, o, sdp: clean(sdp), direct: direct === true };
  }
  if (kind === 'candidate' && typeof candidate === 'string' && /^[\w-]{1,16}$/.test(mid))
    return { kind, g, candidate, mid };
  if (kind === 'ask' && WISHES.includes(what)) return { kind, g, what };
  if (kind === 'direct') return { kind, g, direct: direct === true };
  throw new Error('unknown message of the peer');
}
