// One call: envelopes, connection, proof, text and the watch over them, joined. It tells the page
// what happens as events and knows nothing of the page.

import { Chat, digest, exchange, inbox, verify, warn } from './channels.js';
import { fall, guard, judge, loudness, quality, watch } from './judge.js';
import { Peer } from './peer.js';
import * as protocol from './protocol.js';
import { fingerprint } from './sdp.js';
import { pair, Seal } from './seal.js';

/** @typedef {import('./protocol.js').Connected} Connected */
/** @typedef {import('./app-state.js').PeerEvent} PeerEvent */
/** @typedef {object} Shell what the call needs from the page
 * @property {MediaStreamTrack | null} track
 * @property {(frame: protocol.Outgoing) => void} send
 * @property {(event: PeerEvent) => void} hear
 * @property {(stream: MediaStream) => void} play
 * @property {(level: number) => void} level
 * @property {() => number} heard how loud the peer is, 0 to 1, or -1 when nobody can tell */
/** @typedef {{keys: Promise<import('./seal.js').Pair>, certificate: Promise<RTCCertificate>}} Prepared */

// ms: credentials younger than this need no renewal.
const FRESH = 3000;
// ms: longer than this nobody waits for new ones.
const RENEWAL = 1500;
// ms for the last words to leave.
const GOODBYE = 300;

// Envelopes that may come before their key.
const MOST_EARLY = 64;

/** prepare makes the keys of one call ahead of it: they serve no second one. No connection can be
 * built with a certificate that has expired, so it must outlast the search and the longest call.
 * @returns {Prepared} */
export function prepare() {
  /** @type {EcKeyGenParams & {expires: number}} */
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', expires: 86400000 };
  return { keys: pair(), certificate: RTCPeerConnection.generateCertificate(algorithm) };
}

export class Call {
  #frame;
  #shell;
  #hear;
  /** @type {Seal | null} */
  #seal = null;
  /** @type {Peer | null} */
  #peer = null;
  /** @type {RTCDataChannel | null} */
  #sas = null;
  #chat;
  /** @type {string[]} texts that wait for the peer's key */
  #waiting = [];
  /** @type {import('./protocol.js').Envelope[]} envelopes that wait for it */
  #early = [];
  /** @type {Promise<unknown>} */
  #incoming;
  /** @type {Promise<unknown>} */
  #outgoing = Promise.resolve();
  #iceAt = performance.now();
  /** @type {(() => void)[]} */
  #renewed = [];
  /** @type {Watch | null} */
  #watch = null;
  // The certificate of the peer.
  #pinned = '';
  #exchange;
  #over = false;

  /** @param {Connected} frame @param {Prepared} prepared @param {Shell} shell */
  constructor(frame, prepared, shell) {
    this.#frame = frame;
    this.#exchange = exchange(frame.role);
    this.#shell = shell;
    this.#hear = shell.hear;
    this.#chat = new Chat((event) => {
      if (event.type === 'peer-muted' && this.#watch) this.#watch.peerMuted = event.on;
      this.#hear(event);
    });
    this.#incoming = this.#begin(prepared).catch((error) => {
      console.error('call:', error.message);
      if (!this.#over) this.#hear({ type: 'peer-failed' });
    });
  }

  /** @param {Prepared} prepared */
  async #begin(prepared) {
    const [keys, certificate] = await Promise.all([prepared.keys, prepared.certificate]);
    if (this.#over) return;
    this.#seal = new Seal(this.#frame, keys);
    this.#hello();
    this.#peer = new Peer({
      role: this.#frame.role,
      certificate,
      track: this.#shell.track,
      ice: this.#frame.ice,
      send: (text) => this.#say(text),
      fresh: () => this.#fresh(),
      opened: (channels) => this.#opened(channels),
      hears: (heard) => this.#shell.play(new MediaStream([heard])),
      relayed: () => this.#hear({ type: 'peer-relayed' }),
      agrees: (on) => this.#hear({ type: 'peer-direct', on }),
    });
    this.#watch = new Watch(this.#peer, this.#shell);
  }

  /** receive takes an envelope from the server.
   * @param {import('./protocol.js').Envelope} envelope */
  receive({ from, seq, box }) {
    this.#incoming = this.#incoming
      .then(async () => {
        if (this.#seal?.early(box)) {
          // Its key was refused on the way and comes again, behind it.
          if (this.#early.length < MOST_EARLY) this.#early.push({ t: 'relay', from, seq, box });
          return;
        }
        const text = await this.#seal?.open(from, seq, box);
        if (text) this.#peer?.receive(text);
        else {
          for (const waiting of this.#waiting.splice(0)) this.#say(waiting);
          for (const early of this.#early.splice(0)) this.receive(early);
        }
      })
      .catch((error) => console.warn('envelope refused:', error.message));
  }

  /** rejoined goes on after the server had forgotten us. With other ids the envelopes need other keys.
   * @param {Connected} frame */
  async rejoined(frame) {
    const { room, me, peer } = this.#frame;
    if (frame.room !== room || frame.me !== me || frame.peer !== peer) this.#seal = new Seal(frame, await pair());
    this.#frame = frame;
    this.renew(frame.ice);
    this.resync();
  }

  /** resync says again what the peer may have missed. */
  resync() {
    if (this.#watch?.live) return;
    // Ours may be what the peer lacks. The same key again is no other key.
    this.#hello();
    this.#peer?.restart();
  }

  /** renew takes fresh credentials of the relay.
   * @param {protocol.Ice} ice */
  renew(ice) {
    this.#iceAt = performance.now();
    this.#peer?.renew(ice);
    for (const go of this.#renewed.splice(0)) go();
  }

  /** @param {MediaStreamTrack | null} track */
  replace(track) {
    this.#peer?.replace(track).catch((error) => console.warn('microphone:', error.message));
  }

  /** @param {string} text */
  text(text) {
    this.#chat.text(text);
  }

  /** @param {boolean} on */
  muted(on) {
    this.#chat.muted(on);
  }

  /** @param {boolean} on */
  direct(on) {
    this.#peer?.agree(on);
  }

  /** mismatch tells the other side that somebody may be in between. Both are mute from here on, so
   * that the watch would take the silence for an outage. */
  mismatch() {
    this.#watch?.stop();
    if (this.#sas?.readyState === 'open') warn(this.#sas);
    this.replace(null);
  }

  /** hangUp ends the call; bye tells the peer first.
   * @param {boolean} bye */
  hangUp(bye) {
    this.#over = true;
    this.#watch?.stop();
    for (const go of this.#renewed.splice(0)) go();
    if (!bye) return this.#peer?.close();
    this.replace(null);
    this.#chat.bye();
    setTimeout(() => this.#peer?.close(), GOODBYE);
  }

  #hello() {
    this.#post((seal) => seal.hello());
  }

  /** say seals a text, or keeps it until the peer's key is known.
   * @param {string} text */
  #say(text) {
    if (!this.#seal?.ready) this.#waiting.push(text);
    else this.#post((seal) => seal.seal(text));
  }

  /** post sends envelopes in the order of their numbers.
   * @param {(seal: Seal) => Promise<{seq: number, box: string}>} close */
  #post(close) {
    const seal = this.#seal;
    if (!seal) return;
    this.#outgoing = this.#outgoing
      .then(async () => {
        const { seq, box } = await close(seal);
        if (!this.#over) this.#shell.send(protocol.envelope(this.#frame.peer, seq, box));
      })
      .catch((error) => console.warn('envelope not sent:', error.message));
  }

  async #fresh() {
    if (this.#over || performance.now() - this.#iceAt < FRESH) return;
    this.#hear({ type: 'peer-relays' });
    await new Promise((resolve) => {
      this.#renewed.push(() => resolve(undefined));
      setTimeout(resolve, RENEWAL);
    });
  }

  /** @param {{sas: RTCDataChannel, chat: RTCDataChannel}} channels */
  #opened({ sas, chat }) {
    this.#sas = sas;
    this.#chat.attach(chat);
    const next = inbox(sas, () => this.#hear({ type: 'peer-mismatch' }));
    sas.onopen = () => {
      this.#prove(sas, next).catch((error) => {
        if (this.#over || sas.readyState !== 'open') return;
        console.error('proof:', error.message);
        this.#hear({ type: 'peer-mismatch' });
      });
    };
  }

  /** prove finds the string that both people can compare. Another connection of this call keeps both
   * certificates, so whoever was verified stays so, and so does the string (channels.js).
   * Not every browser shows the certificate in use (Firefox before 153 does not). Each has tied the
   * connection to the description anyway, so that not to see it is no sign of somebody in between.
   * @param {RTCDataChannel} channel @param {import('./channels.js').Next} next */
  async #prove(channel, next) {
    // On a fast line it opens before the browser shows the description that opened it. To see no fingerprint
    // is no sign of somebody in between either.
    await this.#peer?.settled;
    if (channel !== this.#sas) return;
    const pc = this.#peer?.pc;
    const mine = fingerprint(pc?.localDescription?.sdp ?? '');
    const theirs = fingerprint(pc?.remoteDescription?.sdp ?? '');
    const [der] = pc?.sctp?.transport.getRemoteCertificates?.() ?? [];
    if (der && (await digest(der)) !== theirs) throw new Error('another certificate than was said');
    if (this.#pinned && this.#pinned !== theirs) throw new Error('another certificate than before');
    this.#pinned = theirs;
    const sas = await verify(channel, next, this.#exchange, { mine, theirs });
    if (!this.#over) this.#hear({ type: 'peer-sas', sas });
  }
}

// The watch over a call: four times a second the connection is sampled, and what follows from the
// numbers is told or done. The rules are in judge.js.

/** @typedef {Awaited<ReturnType<import('./peer.js').Peer['sample']>>} Sample */

const SAMPLE = 250;
const LEVEL = 80;

class Watch {
  #peer;
  #shell;
  #watch = watch(performance.now());
  #quality = quality(performance.now());
  #path = '';
  #told = '';
  #shown = 0;
  // Of what arrives, however loud it is played here.
  #energy = 0;
  #busy = false;
  #timers;
  /** Whether the peer said that the microphone is off: then silence is no news. */
  peerMuted = false;

  /** @param {import('./peer.js').Peer} peer @param {Shell} shell */
  constructor(peer, shell) {
    this.#peer = peer;
    this.#shell = shell;
    this.#timers = [setInterval(() => this.#sample(), SAMPLE), setInterval(() => this.#meter(), LEVEL)];
  }

  /** Whether packets arrive. */
  get live() {
    return this.#watch.phase === 'live';
  }

  stop() {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    this.#shell.level(0);
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
    const [watched, effects] = guard(this.#watch, now, { packets: s.received, connects: s.connects, failed: s.failed });
    this.#watch = watched;
    for (const effect of effects) this.#act(effect);
    if (s.path && s.path !== this.#path) {
      this.#path = s.path;
      this.#shell.hear({ type: 'peer-path', path: s.path });
    }
    const [judged, verdict] = judge(this.#quality, now, {
      ...s,
      energy: this.#energy,
      peerMuted: this.peerMuted,
    });
    this.#quality = judged;
    this.#peer.red(verdict.red);
    const told = `${verdict.quality} ${verdict.silent}`;
    if (told !== this.#told)
      this.#shell.hear({ type: 'peer-quality', quality: verdict.quality, silent: verdict.silent });
    this.#told = told;
  }

  /** @param {import('./judge.js').Effect} effect */
  #act(effect) {
    if (effect === 'live') this.#shell.hear({ type: 'peer-live' });
    else if (effect === 'reconnecting') this.#shell.hear({ type: 'peer-reconnecting' });
    else if (effect === 'restart') this.#peer.restart();
    else if (effect === 'rebuild') this.#peer.rebuild();
    else this.#shell.hear({ type: 'peer-lost' });
  }

  #meter() {
    const heard = this.#shell.heard();
    const level = Math.max(heard, 0);
    // Unknown is not silent.
    this.#energy += heard < 0 ? 1 : (level * level * LEVEL) / 1000;
    this.#shown = fall(this.#shown, loudness(level));
    this.#shell.level(this.#shown);
  }
}
