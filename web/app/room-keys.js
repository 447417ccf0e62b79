// What a room's secret is turned into. All by HKDF-SHA-256 (RFC 5869) with a label for each use, so that
// no value can stand for another:
//
//   link     the phrase -> the tag that the server sees, and the secret of the room
//   channel  the number -> the tag, shared by four numbers; the password is in no tag, not even in part
//   pair     the secret between two members -> the proof of both certificates, and the ticket with which one
//            of them comes back into a locked channel
//
// The phrase carries 90 bits, so that no slow hash is needed. A password does not, so that nothing is
// derived from it that a server could try guesses on (room-cpace.js).
//
// So what a channel is found by can come from its number alone, and whoever runs the server can derive the tags
// of all 1,000. What it cannot do is tell apart the numbers that share one. More numbers to a tag would hide
// more, and bring more strangers together: each of them costs every member an exchange, of which a browser
// answers five a minute without a right password, and 64 visitors find room at a tag. Four keep both small.

import { encode } from './bytes.js';

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

// How many tags all channels share: a server that sees one knows the number only as one of four.
const TAGS = 250;

const utf8 = new TextEncoder();

/** @param {string | Bytes} input @param {string | Bytes} salt @param {string} info @returns {Promise<Bytes>} */
async function derive(input, salt, info) {
  const bytes = (/** @type {string | Bytes} */ v) => (typeof v === 'string' ? utf8.encode(v) : v);
  const key = await crypto.subtle.importKey('raw', bytes(input), 'HKDF', false, ['deriveBits']);
  const algorithm = { name: 'HKDF', hash: 'SHA-256', salt: bytes(salt), info: utf8.encode(info) };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, 256));
}

/** ofLink returns the tag of a phrase and the secret of its room.
 * @param {string} phrase as fragment of room-phrase.js writes it @returns {Promise<{tag: string, secret: Bytes}>} */
export async function ofLink(phrase) {
  const salt = 'parley/link/v1';
  const [tag, secret] = await Promise.all([derive(phrase, salt, 'tag'), derive(phrase, salt, 'key')]);
  return { tag: encode(tag), secret };
}

/** ofChannel returns the tag of a channel.
 * @param {number} number @returns {Promise<string>} */
export const ofChannel = async (number) =>
  encode(await derive(String((number - 1) % TAGS), 'parley/channel/v1', 'tag'));

/** @typedef {{tag: string, from: string, to: string}} Way one direction between two members of a room */

/** proof is what from shows to the other, inside an envelope: that both see the same two certificates, so that
 * nobody sits between their connections (a MAC over both DTLS fingerprints, keyed by what only they share).
 * @param {Bytes} secret @param {Way} way @param {string} mine fingerprint of the certificate of from @param {string} theirs
 * @returns {Promise<string>} */
export async function proof(secret, { tag, from, to }, mine, theirs) {
  const print = /^[0-9a-f]{64}$/;
  if (!print.test(mine) || !print.test(theirs)) throw new Error('not a fingerprint');
  return encode(await derive(secret, `parley/proof/v1|${tag}`, `${from}|${to}|${mine}|${theirs}`));
}

/** ticket is what both keep of a pair for the case that one of them reloads its page in a locked channel.
 * @param {Bytes} secret @param {string} tag @returns {Promise<Bytes>} */
export const ticket = (secret, tag) => derive(secret, `parley/ticket/v1|${tag}`, 'return');

/** back shows an old ticket within a new secret: whoever sends it was let in before.
 * @param {Bytes} ticket @param {Bytes} secret of the new pair @param {Way} way @returns {Promise<string>} */
export const back = async (ticket, secret, { tag, from, to }) =>
  encode(await derive(secret, ticket, `parley/back/v1|${tag}|${from}|${to}`));

/** same compares two texts without telling by its time where they differ.
 * @param {string} a @param {string} b */
export function same(a, b) {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
