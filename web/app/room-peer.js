// The connection to one other member: one RTCPeerConnection after another, with the same certificate. What is
// offered and when is room-negotiate.js; what may pass is room-sdp.js; who it is, is proven by a MAC over both
// certificates before anybody is called live. Sound and picture are sent as soon as there is a way: the
// description that names the certificate came in an envelope that only this member could seal.
//
// The member with the larger id makes the first offer, with a section each for sound, picture and data; both
// speak through what it made, so that a camera that comes later changes no description.

import { digest, exchange, inbox, verify } from './channels.js';
import { guard, watch } from './judge.js';
import { proof, same } from './room-keys.js';
import { negotiation, step } from './room-negotiate.js';
import { arrived, Readings, read, Signs } from './room-readings.js';
import { candidate, clean } from './room-sdp.js';
import { order, picture, voice } from './room-send.js';
import { Talk } from './room-talk.js';
import { fingerprint } from './sdp.js';

/** @typedef {import('./room-sdp.js').Word} Word */
/** @typedef {import('./room-plan.js').Size} Size */
/** @typedef {{audio: MediaStreamTrack | null, video: MediaStreamTrack | null}} Tracks */
/** @typedef {object} Shell
 * @property {string} me
 * @property {string} peer
 * @property {string} tag
 * @property {Uint8Array<ArrayBuffer>} secret
 * @property {RTCCertificate} certificate
 * @property {() => import('./protocol.js').Ice} ice
 * @property {() => boolean} hidden
 * @property {() => Tracks} tracks
 * @property {() => import('./room-send.js').Able} able
 * @property {() => Promise<void>} fresh resolves when relay credentials are fresh, or as fresh as they get
 * @property {(word: object) => void} send
 * @property {(stream: MediaStream) => void} plays
 * @property {(event: any) => void} hear */

const BEAT = 500;
// ms between two connections that this side begins.
const PAUSE = 3000;
const MOST_CANDIDATES = 40;
const MOST_HELD = 60;

export class RoomPeer {
  #shell;
  /** @type {RTCPeerConnection} */
  #pc;
  #generation = 1;
  #negotiation;
  #talk;
  #watch = watch(performance.now());
  #connects = 0;
  #live = false;
  #exchange;
  /** @type {string} a proof that came before the connection */
  #shown = '';
  /** @type {RTCIceCandidateInit[]} */
  #early = [];
  #sent = 0;
  #got = 0;
  /** @type {Size | null} */
  #size = null;
  #readings = new Readings();
  #signs = new Signs();
  /** @type {import('./room-state.js').Note[]} they came before the proof: the other had ours already */
  #held = [];
  #timer;
  #beatAt = performance.now();
  #rebuiltAt = Number.NEGATIVE_INFINITY;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #later;
  /** @type {Promise<unknown>} */
  #work = Promise.resolve();

  /** @param {Shell} shell */
  constructor(shell) {
    this.#shell = shell;
    this.#negotiation = negotiation(shell.me, shell.peer);
    this.#exchange = exchange(this.#offers ? 'offer' : 'answer');
    this.#talk = new Talk((note) => {
      if (this.#live) this.#hear({ type: 'note', note });
      else if (this.#held.length < MOST_HELD) this.#held.push(note);
    });
    this.#pc = this.#build();
    this.#timer = setInterval(() => this.#beat(), BEAT);
  }

  get #offers() {
    return this.#shell.me > this.#shell.peer;
  }

  /** @param {any} event */
  #hear(event) {
    this.#shell.hear({ ...event, id: this.#shell.peer });
  }

  #build() {
    const { ice, hidden, certificate } = this.#shell;
    const pc = new RTCPeerConnection({
      iceServers: ice().servers,
      iceTransportPolicy: hidden() ? 'relay' : 'all',
      bundlePolicy: 'max-bundle',
      certificates: [certificate],
    });
    this.#pc = pc;
    this.#work = Promise.resolve();
    this.#negotiation = negotiation(this.#shell.me, this.#shell.peer);
    this.#early = [];
    this.#sent = this.#got = 0;
    this.#shown = '';
    this.#held = [];
    this.#readings = new Readings();
    this.#signs.replaced();
    const stream = new MediaStream();
    pc.ontrack = ({ track }) => {
      stream.addTrack(track);
      this.#shell.plays(stream);
      // Their first picture; when it stands still is seen later.
      if (track.kind === 'video') track.onunmute = () => pc === this.#pc && this.#hear({ type: 'video', on: true });
    };
    pc.onconnectionstatechange = () => {
      if (pc.connectionState === 'connected') this.#connects += 1;
    };
    pc.onicecandidate = (event) => {
      if (pc === this.#pc && event.candidate) this.#found(event.candidate);
    };
    this.#channels(pc);
    if (this.#offers) {
      for (const kind of ['audio', 'video']) pc.addTransceiver(kind);
      this.#do(() => this.#dress());
      this.#negotiate({ type: 'needed' });
    }
    return pc;
  }

  /** @param {RTCPeerConnection} pc */
  #channels(pc) {
    const sas = pc.createDataChannel('sas', { negotiated: true, id: 0 });
    const talk = pc.createDataChannel('talk', { negotiated: true, id: 1 });
    const next = inbox(sas, () => {});
    this.#talk.attach(talk, () => this.#do((pc) => this.#show(pc)));
    sas.onopen = () => {
      this.#compare(sas, next).catch((error) => console.warn('string:', error.message));
    };
  }

  /** dress puts our tracks and codecs on what the connection has for them. */
  async #dress() {
    const { audio, video } = this.#shell.tracks();
    for (const transceiver of this.#pc.getTransceivers()) {
      const { kind } = transceiver.receiver.track;
      transceiver.direction = 'sendrecv';
      await transceiver.sender.replaceTrack(kind === 'audio' ? audio : video);
      if (kind === 'video') order(transceiver, this.#size, this.#shell.able());
    }
  }

  /** retrack sends other tracks, without another description. */
  retrack() {
    this.#do(async () => {
      const { audio, video } = this.#shell.tracks();
      for (const { sender, receiver } of this.#pc.getTransceivers()) {
        await sender.replaceTrack(receiver.track.kind === 'audio' ? audio : video);
      }
      await this.#fit();
    });
  }

  /** fit makes the picture as large as the plan says, or ends it.
   * @param {Size | null} size */
  fit(size) {
    this.#size = size;
    this.#do(() => this.#fit());
  }

  async #fit() {
    const sender = this.#pc.getSenders().find((s) => s.track?.kind === 'video');
    if (sender) await picture(sender, this.#size, this.#shell.able());
  }

  /** @param {import('./room-state.js').Note} note */
  say(note) {
    this.#talk.say(note);
  }

  /** word takes what came in an envelope.
   * @param {Word} word */
  word(word) {
    if (!('g' in word) || word.g < this.#generation) return;
    if (word.g > this.#generation) {
      this.#replace(word.g);
    }
    if (word.k === 'offer' || word.k === 'answer') this.#negotiate({ type: word.k, o: word.o, sdp: word.sdp });
    else if (word.k === 'candidate') this.#do(() => this.#add(word));
    else if (word.k === 'proof') {
      this.#shown = word.mac;
      this.#do((pc) => this.#check(pc));
    }
  }

  /** rebuild begins another connection; the other side follows. Where none works, not faster than people wait. */
  rebuild() {
    const now = performance.now();
    clearTimeout(this.#later);
    const early = this.#rebuiltAt + PAUSE - now;
    if (early > 0) {
      this.#later = setTimeout(() => this.rebuild(), early);
      return;
    }
    this.#rebuiltAt = now;
    this.#replace(this.#generation + 1);
    this.#shell.send({ k: 'again', g: this.#generation });
  }

  /** @param {number} generation */
  #replace(generation) {
    this.#generation = generation;
    const old = this.#pc;
    this.#lost();
    this.#build();
    old.close();
  }

  restart() {
    this.#do(async () => {
      await this.#shell.fresh();
      if (this.#pc.signalingState === 'closed') return;
      this.#pc.setConfiguration({ ...this.#pc.getConfiguration(), iceServers: this.#shell.ice().servers });
      this.#pc.restartIce();
      this.#negotiate({ type: 'needed' });
    });
  }

  /** Whether the other is heard and proven. */
  get live() {
    return this.#live && this.#watch.phase === 'live';
  }

  close() {
    clearInterval(this.#timer);
    clearTimeout(this.#later);
    this.#pc.close();
  }

  /** Runs tasks of one connection one after another. What a browser is asked of a connection that is closed then it
   * may never answer, so that another connection begins another row, and the old one comes to nothing.
   * @param {(pc: RTCPeerConnection) => Promise<void>} task */
  #do(task) {
    const pc = this.#pc;
    this.#work = this.#work
      .then(() => (pc === this.#pc ? task(pc) : undefined))
      .catch((error) => {
        if (pc.signalingState !== 'closed') console.warn('peer:', error.message);
      });
  }

  /** @param {import('./room-negotiate.js').Event} event */
  #negotiate(event) {
    const [next, effects] = step(this.#negotiation, event);
    this.#negotiation = next;
    for (const effect of effects) this.#act(effect);
  }

  /** @param {import('./room-negotiate.js').Effect} effect */
  #act(effect) {
    const pc = this.#pc;
    if (effect.do === 'send') {
      const { kind, o, sdp } = effect;
      this.#sent = 0;
      return this.#shell.send({ k: kind, g: this.#generation, o, sdp });
    }
    if (effect.do === 'rebuild') return this.rebuild();
    const tasks = {
      make: () => this.#make(pc),
      take: () => this.#take(pc, effect),
      accept: () => this.#accept(pc, effect),
    };
    this.#do(async () => {
      try {
        const event = await tasks[effect.do]();
        if (pc === this.#pc) this.#negotiate(event);
      } catch (error) {
        if (pc !== this.#pc || pc.signalingState === 'closed') return;
        console.warn('negotiation:', error);
        this.#negotiate({ type: 'failed' });
      }
    });
  }

  /** @param {RTCPeerConnection} pc @returns {Promise<import('./room-negotiate.js').Event>} */
  async #make(pc) {
    await pc.setLocalDescription(await pc.createOffer());
    return { type: 'made', sdp: clean(pc.localDescription?.sdp ?? '') };
  }

  /** @param {RTCPeerConnection} pc @param {any} effect @returns {Promise<import('./room-negotiate.js').Event>} */
  async #take(pc, { sdp }) {
    await pc.setRemoteDescription({ type: 'offer', sdp });
    await this.#dress();
    await this.#answered(pc);
    await pc.setLocalDescription();
    await this.#fit();
    return { type: 'taken', sdp: clean(pc.localDescription?.sdp ?? '') };
  }

  /** @param {RTCPeerConnection} pc @param {any} effect @returns {Promise<import('./room-negotiate.js').Event>} */
  async #accept(pc, { sdp }) {
    await pc.setRemoteDescription({ type: 'answer', sdp });
    await this.#answered(pc);
    await this.#fit();
    return { type: 'settled' };
  }

  /** @param {RTCIceCandidate} found */
  #found(found) {
    const line = candidate(found.candidate, this.#shell.hidden());
    if (!line || ++this.#sent > MOST_CANDIDATES) return;
    this.#shell.send({ k: 'candidate', g: this.#generation, candidate: line, mid: found.sdpMid ?? '0' });
  }

  /** @param {{candidate: string, mid: string}} theirs */
  async #add({ candidate: line, mid }) {
    const allowed = candidate(line, false);
    if (!allowed || ++this.#got > MOST_CANDIDATES) return;
    const init = { candidate: allowed, sdpMid: mid };
    if (!this.#pc.remoteDescription) this.#early.push(init);
    // It may be of an offer that was given up.
    else await this.#pc.addIceCandidate(init).catch(() => {});
  }

  /** @param {RTCPeerConnection} pc */
  async #answered(pc) {
    this.#got = 0;
    for (const early of this.#early.splice(0)) await pc.addIceCandidate(early).catch(() => {});
  }

  /** prints are the fingerprints of both certificates, ours and theirs as the connection really uses it. */
  async #prints() {
    const pc = this.#pc;
    const mine = fingerprint(pc.localDescription?.sdp ?? '');
    const theirs = fingerprint(pc.remoteDescription?.sdp ?? '');
    const [der] = pc.sctp?.transport.getRemoteCertificates?.() ?? [];
    if (der && (await digest(der)) !== theirs) throw new Error('another certificate than was said');
    return { mine, theirs };
  }

  /** @param {RTCPeerConnection} pc */
  async #show(pc) {
    const { secret, tag, me, peer } = this.#shell;
    const { mine, theirs } = await this.#prints();
    const mac = await proof(secret, { tag, from: me, to: peer }, mine, theirs);
    if (pc !== this.#pc) return;
    this.#shell.send({ k: 'proof', g: this.#generation, mac });
    await this.#check(pc);
  }

  /** @param {RTCPeerConnection} pc */
  async #check(pc) {
    // Whoever is told that they are live speaks at once, and what is said before the channel is open is lost.
    const ready = this.#talk.ready && this.#pc.sctp?.transport.state === 'connected';
    if (this.#live || !this.#shown || !ready) return;
    const { secret, tag, me, peer } = this.#shell;
    const { mine, theirs } = await this.#prints();
    const want = await proof(secret, { tag, from: peer, to: me }, theirs, mine);
    if (pc !== this.#pc) return;
    if (!same(want, this.#shown)) throw new Error('a wrong proof: somebody is in between');
    this.#live = true;
    this.#watch = watch(performance.now());
    this.#hear({ type: 'live' });
    for (const note of this.#held.splice(0)) this.#hear({ type: 'note', note });
  }

  #lost() {
    if (this.#live) this.#hear({ type: 'lost' });
    this.#live = false;
  }

  /** The string that both people may compare, too.
   * @param {RTCDataChannel} channel @param {import('./channels.js').Next} next */
  async #compare(channel, next) {
    await this.#work;
    const sas = await verify(channel, next, this.#exchange, await this.#prints());
    this.#hear({ type: 'sas', sas });
  }

  #beat() {
    this.#talk.beat();
    const failed = this.#pc.connectionState === 'failed';
    const now = performance.now();
    // While this page did not run it could hear nobody: that is no silence of theirs.
    const asleep = now - this.#beatAt - BEAT;
    this.#beatAt = now;
    if (asleep > BEAT) this.#watch = { ...this.#watch, since: Math.min(now, this.#watch.since + asleep) };
    const before = this.#watch.phase;
    const packets = this.#talk.beats + this.#signs.count;
    const [next, effects] = guard(this.#watch, now, { packets, connects: this.#connects, failed });
    this.#watch = next;
    void this.#look(now);
    for (const effect of effects) {
      if (effect === 'restart') this.restart();
      else if (effect === 'rebuild') this.rebuild();
      else if (effect === 'reconnecting' && this.#live) this.#hear({ type: 'lost' });
      else if (effect === 'live' && this.#live && before === 'reconnecting') this.#hear({ type: 'live' });
      else if (effect === 'end') {
        // Not given up: the server says when a member is gone.
        this.#watch = { ...watch(now), packets };
        this.rebuild();
      }
    }
  }

  /** Whether anything comes, where no beat does. Whoever was lost is back with a beat only.
   * @param {number} now */
  async #look(now) {
    if (!this.live || !this.#signs.wanted(now, this.#talk.beats)) return;
    const pc = this.#pc;
    const report = await pc.getStats().catch(() => null);
    if (report && pc === this.#pc && this.live) this.#signs.take(arrived(report));
  }

  /** sample returns what the numbers of the connection say.
   * @returns {Promise<import('./room-readings.js').Reading | null>} null when it was replaced meanwhile */
  async sample() {
    const [pc, readings, size] = [this.#pc, this.#readings, this.#size];
    const numbers = read(await pc.getStats());
    if (pc !== this.#pc || pc.signalingState === 'closed') return null;
    const reading = readings.take(performance.now(), numbers, size?.kbps ?? 0);
    if (reading.turned) this.#do(() => this.#voice(reading.twice));
    return reading;
  }

  /** @param {boolean} twice */
  async #voice(twice) {
    const sender = this.#pc.getSenders().find((s) => s.track?.kind === 'audio');
    if (sender) await voice(sender, twice);
  }
}
