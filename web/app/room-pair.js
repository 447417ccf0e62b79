// Two members of a room, and what they say through the server: first that they share the room's secret, then
// everything that builds their connection, sealed. No connection is known here, and no clock but the
// caller's.
//
// One of the two may come with a new page, and so with new keys, while the other still talks to the old one.
// Anybody could claim that, the server too. So an opening word starts an attempt beside the present one,
// which is replaced only when the attempt has proved itself.

import { Exchange, kindOf, ask as please } from './room-cpace.js';
import { back, same, ticket } from './room-keys.js';
import { read } from './room-sdp.js';
import { carriesKey, pair, Seal } from './seal.js';

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {{tag: string, me: string, peer: string, secret: Bytes | null, number: number, password: string}} About secret: of a link;
 *  null for a channel, which has number and password */
/** @typedef {{seq: number, box: string}} Envelope */
/** @typedef {object} Shell
 * @property {(envelope: Envelope) => void} send
 * @property {() => void} approach they want to begin; permit is the answer
 * @property {() => number} guess they can now tell whether our password is theirs; returns when, in ms
 * @property {(proven: {secret: Bytes, ticket: Bytes, back: boolean, guess: number}) => void} proven they share the secret
 * @property {() => void} refused they do not
 * @property {(word: import('./room-sdp.js').Word) => void} word
 * @property {() => Bytes | null} ticket of an earlier page of one of us */

const MOST_EARLY = 64;
const MOST_WAITING = 300;

export class Pair {
  #about;
  #shell;
  /** @type {Attempt | null} */
  #now = null;
  /** @type {Attempt | null} */
  #next = null;
  /** The opening word that has no answer yet.
   * @type {Envelope | null} */
  #opening = null;
  /** @type {Promise<unknown>} */
  #work = Promise.resolve();
  #depth = 0;
  #over = false;

  /** @param {About} about @param {Shell} shell */
  constructor(about, shell) {
    this.#about = about;
    this.#shell = shell;
  }

  /** permit begins with them, or answers what they began.
   * Who has begun and waits for an answer does not begin again. */
  permit() {
    this.#do(async () => {
      const opening = this.#opening;
      this.#opening = null;
      const pending = this.#pending;
      if (!opening && pending && !pending.dead) return;
      // Two that both made new keys whenever they hear one would never end.
      const keys = pending?.proven ? undefined : pending?.keys;
      const attempt = new Attempt(this.#about, this.#shell, (one) => this.#proved(one), keys);
      if (this.#now?.proven) this.#next = attempt;
      else this.#now = attempt;
      await attempt.begin(opening);
    });
  }

  get #pending() {
    return this.#next ?? this.#now;
  }

  /** receive takes an envelope of theirs.
   * @param {Envelope} envelope */
  receive(envelope) {
    if (this.#depth >= MOST_WAITING) return;
    this.#depth += 1;
    this.#do(async () => {
      this.#depth -= 1;
      await this.#take(envelope);
    });
  }

  /** say seals a word for them, when there are keys.
   * @param {object} word */
  say(word) {
    this.#do(async () => {
      await this.#now?.say(word);
    });
  }

  close() {
    this.#over = true;
  }

  /** Nothing of this pair is under way any more. For tests. */
  get settled() {
    return this.#work;
  }

  /** @param {() => Promise<void>} task */
  #do(task) {
    this.#work = this.#work
      .then(() => (this.#over ? undefined : task()))
      .catch((error) => console.warn('envelope refused:', error.message));
  }

  /** @param {Envelope} envelope */
  async #take(envelope) {
    const opens = this.#opens(envelope.box);
    const wanting = [this.#next, this.#now].find((one) => one?.wants(envelope.box));
    if (opens && !wanting) {
      // An answer to our opening word, crossed on its way, is no other opening.
      if (opens === 'ask' && this.#pending && !this.#pending.proven && !this.#pending.dead) return;
      this.#opening = envelope;
      return this.#shell.approach();
    }
    if (wanting) return wanting.receive(envelope);
    if (await this.#next?.opened(envelope)) return;
    if (!(await this.#now?.opened(envelope))) throw new Error('of nobody whom we know');
  }

  /** What a box opens, or ''.
   * @param {string} box */
  #opens(box) {
    const kind = kindOf(box);
    if (kind) return this.#about.secret ? '' : kind === 'step' ? '' : kind;
    return this.#about.secret && carriesKey(box) ? 'key' : '';
  }

  /** @param {Attempt} attempt */
  #proved(attempt) {
    if (attempt !== this.#next) return;
    this.#now = attempt;
    this.#next = null;
  }
}

/** Attempt is one try at common keys. */
class Attempt {
  #about;
  #shell;
  #proved;
  /** @type {Exchange | null} */
  #exchange = null;
  /** @type {Seal | null} */
  #seal = null;
  /** @type {Bytes} */
  #secret = new Uint8Array();
  #guess = 0;
  #seq = 0;
  #heardKey = '';
  /** @type {Envelope[]} sealed ones that came before their key */
  #early = [];
  /** They share the secret. */
  proven = false;
  /** Nothing will come of it. */
  dead = false;

  /** @param {About} about @param {Shell} shell @param {(attempt: Attempt) => void} proved
   * @param {Promise<import('./seal.js').Pair>} [keys] */
  constructor(about, shell, proved, keys = pair()) {
    this.#about = about;
    this.#shell = shell;
    this.#proved = proved;
    this.keys = keys;
  }

  /** @param {Envelope | null} opening */
  async begin(opening) {
    const { secret, number, password, ...ids } = this.#about;
    if (secret) await this.#keys(secret);
    else {
      this.#exchange = new Exchange({ ...ids, number, password });
      const asked = opening && kindOf(opening.box) === 'ask';
      if (this.#exchange.initiates && (!opening || asked)) this.#send(this.#exchange.begin());
      else if (!opening) this.#send(please());
      if (asked) return;
    }
    if (opening) await this.receive(opening);
  }

  /** wants tells whether a box is the next word of this attempt.
   * @param {string} box */
  wants(box) {
    if (this.dead) return false;
    const kind = kindOf(box);
    if (kind) return this.#exchange?.wants(kind) === true;
    return carriesKey(box) && this.#seal !== null && (this.#heardKey === '' || this.#heardKey === box);
  }

  /** receive takes a word that it wants.
   * @param {Envelope} envelope */
  async receive(envelope) {
    if (kindOf(envelope.box)) return this.#step(envelope.box);
    const { peer } = this.#about;
    // Said again: then our answer to it was lost, or came before they could read it.
    if (this.#heardKey === envelope.box) return this.#hi();
    await this.#seal?.open(peer, envelope.seq, envelope.box);
    this.#heardKey = envelope.box;
    await this.#hi();
    for (const early of this.#early.splice(0)) await this.opened(early);
  }

  /** @param {string} box */
  async #step(box) {
    const { box: answer, secret, guessed, refused } = (await this.#exchange?.receive(box)) ?? {};
    if (guessed) this.#guess = this.#shell.guess();
    if (answer) this.#send(answer);
    if (secret) await this.#keys(secret);
    if (!refused) return;
    this.dead = true;
    // Whoever sent the wrong proof has tried one password, whoever got ours is counted already.
    if (refused === 'wrong' && this.#guess === 0) this.#shell.guess();
    this.#shell.refused();
  }

  /** @param {Bytes} secret */
  async #keys(secret) {
    const { tag, me, peer } = this.#about;
    this.#secret = secret;
    this.#seal = new Seal({ room: tag, me, peer }, await this.keys, secret);
    this.#post(await this.#seal.hello());
  }

  async #hi() {
    const { tag, me, peer } = this.#about;
    const old = this.#shell.ticket();
    const shown = old ? await back(old, this.#secret, { tag, from: me, to: peer }) : '';
    await this.say({ k: 'hi', back: shown });
  }

  /** @param {object} word */
  async say(word) {
    if (this.#seal?.ready) this.#post(await this.#seal.seal(JSON.stringify(word)));
  }

  /** opened takes a sealed envelope, if it opens with these keys.
   * @param {Envelope} envelope @returns {Promise<boolean>} */
  async opened(envelope) {
    const { seq, box } = envelope;
    if (!this.#seal || this.dead) return false;
    if (this.#seal.early(box)) {
      if (this.#early.length < MOST_EARLY) this.#early.push(envelope);
      return true;
    }
    const text = await this.#seal.open(this.#about.peer, seq, box).catch(() => '');
    if (!text) return false;
    const word = read(text);
    if (word.k === 'hi') await this.#greeted(word.back);
    else if (this.proven) this.#shell.word(word);
    return true;
  }

  /** @param {string} shown */
  async #greeted(shown) {
    if (this.proven) return;
    this.proven = true;
    const { tag, me, peer } = this.#about;
    const old = this.#shell.ticket();
    const wanted = old ? await back(old, this.#secret, { tag, from: peer, to: me }) : '';
    this.#proved(this);
    this.#shell.proven({
      secret: this.#secret,
      ticket: await ticket(this.#secret, tag),
      back: shown !== '' && same(shown, wanted),
      guess: this.#guess,
    });
  }

  /** @param {string} box */
  #send(box) {
    this.#post({ seq: ++this.#seq, box });
  }

  /** @param {Envelope} envelope */
  #post(envelope) {
    this.#shell.send(envelope);
  }
}
