// CPace: two people who typed the same password get the same secret; whoever did not, a server in between or
// a visitor of the same channel, gets one guess for each exchange with a member and nothing to try at home.
// CPace-RISTRETTO255-SHA512 of draft-irtf-cfrg-cpace, with the key confirmation that the draft asks for.
//
//   initiator -> responder  share    sid (16), Ya (32)
//   responder -> initiator  answer   Yb (32), MAC of the responder (32)
//   initiator -> responder  confirm  MAC of the initiator (32)
//   responder -> initiator  ask      nothing: begin with me, for my page is new
//
// The member with the smaller id initiates. The channel identifier holds version, tag, number and both
// ids; the session id is drawn by the initiator. Every message is as long as every other, so that only
// their number could betray a wrong password, which is answered by silence.
//
//   box = version kind body zeros, 66 bytes, base64url; the kinds go on from those of seal.js

import { encode } from './bytes.js';
import { ristretto255, ristretto255_hasher, sha512 } from './vendor/curves.js';

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {{secret: bigint, share: Uint8Array}} Started */
/** @typedef {{number: number, tag: string, password: string, me: string, peer: string}} About number and password of the
 *  channel, the tag that its number has, and both member ids */
/** @typedef {'' | 'wrong' | 'garbage' | 'turn'} Refused wrong: another password, or somebody in between */
/** @typedef {{box?: string, secret?: Bytes, refused?: Refused, guessed?: boolean}} Outcome box: to send; secret: they know
 *  the password too; guessed: they can now tell one password right or wrong, so that this counts until they confirm */

const VERSION = 1;
const SHARE = 3;
const ANSWER = 4;
const CONFIRM = 5;
const ASK = 6;
const BODY = 64;
const SID = 16;
const POINT = 32;
const MAC = 32;
// Input block of SHA-512, in bytes.
const BLOCK = 128;

const utf8 = new TextEncoder();
const DSI = utf8.encode('CPaceRistretto255');

/** @param {...Uint8Array} parts */
const join = (...parts) => Uint8Array.from(parts.flatMap((p) => [...p]));
/** @param {number} n @returns {number[]} */
const leb128 = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...leb128(n >>> 7)]);
/** Parts with their lengths, lv_cat of the draft. @param {...Uint8Array} parts */
const listed = (...parts) => join(...parts.flatMap((p) => [Uint8Array.from(leb128(p.length)), p]));

/** generator maps password, channel identifier and session id to a point.
 * @param {Uint8Array} password @param {Uint8Array} channel @param {Uint8Array} sid */
export function generator(password, channel, sid) {
  const pad = new Uint8Array(Math.max(0, BLOCK - 1 - listed(password).length - listed(DSI).length));
  return ristretto255_hasher.deriveToCurve(sha512(listed(DSI, password, pad, channel, sid)));
}

/** start draws a scalar and returns it with the share. random is for the vectors of the draft only.
 * @param {Uint8Array} password @param {Uint8Array} channel @param {Uint8Array} sid @param {Uint8Array} [random] @returns {Started} */
export function start(password, channel, sid, random = crypto.getRandomValues(new Uint8Array(POINT))) {
  const little = random.slice();
  // 252 bits: below the order of the group.
  little[31] = (little[31] ?? 0) & 0x0f;
  const secret = little.reduceRight((sum, b) => (sum << 8n) | BigInt(b), 0n);
  return { secret, share: generator(password, channel, sid).multiply(secret).toBytes() };
}

/** finish returns the key of 64 bytes. It throws for what is no element of the group and for the neutral one.
 * @param {Started} mine @param {Uint8Array} theirs their share @param {Uint8Array} sid @param {boolean} first whether we initiate
 * @param {{mine: Uint8Array, theirs: Uint8Array}} [data] public data that both bind @returns {Uint8Array} */
export function finish(
  { secret, share },
  theirs,
  sid,
  first,
  data = { mine: new Uint8Array(), theirs: new Uint8Array() },
) {
  const common = ristretto255.Point.fromBytes(theirs).multiply(secret);
  if (common.is0()) throw new Error('the neutral element');
  const [a, b] = [listed(share, data.mine), listed(theirs, data.theirs)];
  const transcript = first ? join(a, b) : join(b, a);
  return sha512(join(listed(join(DSI, utf8.encode('_ISK')), sid, common.toBytes()), transcript));
}

/** Exchange is one run with one other member. */
export class Exchange {
  #about;
  #first;
  #password;
  #channel;
  /** @type {Uint8Array} */
  #sid = new Uint8Array();
  /** @type {Started | null} */
  #mine = null;
  /** @type {Promise<Keys> | null} */
  #keys = null;
  #stage = 0;

  /** @param {About} about */
  constructor(about) {
    const { me, peer, tag, number, password } = about;
    this.#about = about;
    this.#first = me < peer;
    this.#password = utf8.encode(password);
    const [a, b] = this.#first ? [me, peer] : [peer, me];
    this.#channel = listed(...['parley/channel/v1', tag, String(number), a, b].map((p) => utf8.encode(p)));
  }

  /** Whether we speak first. */
  get initiates() {
    return this.#first;
  }

  /** wants tells whether a message of that kind is the next one.
   * @param {'share' | 'step' | 'ask'} kind */
  wants(kind) {
    if (this.#first) return kind === 'step' && this.#stage === 1;
    return kind === (this.#stage === 0 ? 'share' : 'step') && this.#stage <= 1;
  }

  /** begin returns the first message; only whoever initiates begins.
   * @returns {string} */
  begin() {
    if (!this.#first || this.#stage !== 0) throw new Error('not our turn');
    this.#stage = 1;
    this.#sid = crypto.getRandomValues(new Uint8Array(SID));
    this.#mine = start(this.#password, this.#channel, this.#sid);
    return box(SHARE, join(this.#sid, this.#mine.share));
  }

  /** receive takes a message of the other. What is out of turn changes nothing; a wrong
   * proof or a share that is none ends the exchange.
   * @param {string} text @returns {Promise<Outcome>} */
  async receive(text) {
    const message = unbox(text);
    const want = this.#first ? ANSWER : this.#stage === 0 ? SHARE : CONFIRM;
    if (!message || message.kind !== want || this.#stage > 1) return { refused: message ? 'turn' : 'garbage' };
    this.#stage += 1;
    try {
      if (want === SHARE) return await this.#answer(message.body);
      return want === ANSWER ? await this.#confirm(message.body) : await this.#confirmed(message.body);
    } catch {
      // No element of the group, or the neutral one: what nobody sends who knows the password.
      this.#stage = 9;
      return { refused: 'garbage' };
    }
  }

  /** @param {Uint8Array} body @returns {Promise<Outcome>} */
  async #answer(body) {
    this.#sid = body.slice(0, SID);
    this.#mine = start(this.#password, this.#channel, this.#sid);
    this.#keys = this.#derive(body.slice(SID, SID + POINT));
    const { macs } = await this.#keys;
    return { box: box(ANSWER, join(this.#mine.share, macs.responder)), guessed: true };
  }

  /** @param {Uint8Array} body @returns {Promise<Outcome>} */
  async #confirm(body) {
    const { macs, secret } = await this.#derive(body.slice(0, POINT));
    if (!equal(body.slice(POINT, POINT + MAC), macs.responder)) return { refused: 'wrong' };
    return { box: box(CONFIRM, macs.initiator), secret };
  }

  /** @param {Uint8Array} body @returns {Promise<Outcome>} */
  async #confirmed(body) {
    const keys = await this.#keys;
    if (!keys || !equal(body.slice(0, MAC), keys.macs.initiator)) return { refused: 'wrong' };
    return { secret: keys.secret };
  }

  /** @param {Uint8Array} theirs @returns {Promise<Keys>} */
  async #derive(theirs) {
    if (!this.#mine) throw new Error('not begun');
    const key = finish(this.#mine, theirs, this.#sid, this.#first);
    const source = await crypto.subtle.importKey('raw', Uint8Array.from(key), 'HKDF', false, ['deriveBits']);
    const { tag, me, peer } = this.#about;
    const salt = utf8.encode(`parley/cpace/v1|${tag}|${this.#first ? me : peer}|${this.#first ? peer : me}`);
    const parts = ['initiator', 'responder', 'pair'].map(async (what) => {
      const algorithm = { name: 'HKDF', hash: 'SHA-256', salt, info: utf8.encode(what) };
      return new Uint8Array(await crypto.subtle.deriveBits(algorithm, source, 256));
    });
    const [initiator, responder, secret] = await Promise.all(parts);
    if (!initiator || !responder || !secret) throw new Error('no keys');
    return { macs: { initiator, responder }, secret };
  }
}

/** @typedef {{macs: {initiator: Bytes, responder: Bytes}, secret: Bytes}} Keys */

/** @param {Uint8Array} a @param {Uint8Array} b */
const equal = (a, b) => a.length === b.length && a.reduce((sum, x, i) => sum | (x ^ (b[i] ?? 0)), 0) === 0;

/** @param {number} kind @param {Uint8Array} body */
function box(kind, body) {
  const bytes = new Uint8Array(2 + BODY);
  bytes.set([VERSION, kind]);
  bytes.set(body, 2);
  return encode(bytes);
}

// 66 bytes as base64url.
const TEXT = /^[\w-]{88}$/;

/** ask is the box with which the one who does not initiate wants it begun.
 * @returns {string} */
export const ask = () => box(ASK, new Uint8Array());

/** kindOf tells what a box is for; '' when it does not belong here but to seal.js.
 * @param {string} text @returns {'' | 'share' | 'step' | 'ask'} */
export function kindOf(text) {
  const kind = unbox(text)?.kind;
  if (kind === undefined) return '';
  if (kind === ASK) return 'ask';
  return kind === SHARE ? 'share' : 'step';
}

/** @param {string} text @returns {{kind: number, body: Uint8Array} | null} */
function unbox(text) {
  if (!TEXT.test(text)) return null;
  const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (ch) => ch.charCodeAt(0));
  const [version, kind = 0] = bytes;
  if (version !== VERSION || kind < SHARE || kind > ASK) return null;
  return { kind, body: bytes.subarray(2) };
}

// How often somebody may guess at us, and we at others.

/** @typedef {readonly number[]} Guesses when each exchange without a right answer began, in ms */

const MOST_GUESSES = 5;
const GUESS_SPAN = 60000;

/** spend notes an exchange in which the other learns whether one password is right.
 * @param {Guesses} guesses @param {number} now @returns {Guesses} */
export const spend = (guesses, now) => [...recent(guesses, now), now];

/** refund takes the guess of that time back: they confirmed.
 * @param {Guesses} guesses @param {number} at @returns {Guesses} */
export const refund = (guesses, at) => guesses.filter((_, i) => i !== guesses.indexOf(at));

/** pause says for how many ms no other exchange may begin; 0 when one may.
 * @param {Guesses} guesses @param {number} now @returns {number} */
export function pause(guesses, now) {
  const held = recent(guesses, now);
  const oldest = held[held.length - MOST_GUESSES];
  return oldest === undefined ? 0 : oldest + GUESS_SPAN - now;
}

/** @param {Guesses} guesses @param {number} now */
const recent = (guesses, now) => guesses.filter((at) => now - at < GUESS_SPAN);
