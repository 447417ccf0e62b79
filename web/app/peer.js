// The connection to the peer: one RTCPeerConnection after another, with the same certificate, so
// that whoever was verified stays verified. It goes through the relay alone unless both people
// agreed to be direct, and no address passes in or out otherwise (sdp.js).
// Everything goes over one path, with two data channels whose numbers both sides know. One side makes
// every offer, the other answers and may ask for one: no glare. Roles come from the server.

import { Tally } from './judge.js';
import { candidate, clean, MOST_CANDIDATES, read, restarts, wantsRed } from './sdp.js';

/** @typedef {import('./sdp.js').Message} Message */
/** @typedef {import('./sdp.js').Description} Description */
/** @typedef {{sas: RTCDataChannel, chat: RTCDataChannel}} Channels */
/** @typedef {object} Shell what the connection needs from the call
 * @property {import('./protocol.js').Role} role
 * @property {RTCCertificate} certificate
 * @property {MediaStreamTrack | null} track
 * @property {import('./protocol.js').Ice} ice
 * @property {(text: string) => void} send seals and sends
 * @property {() => Promise<void>} fresh resolves when relay credentials are fresh, or as fresh as they get
 * @property {(channels: Channels) => void} opened a new connection begins
 * @property {(track: MediaStreamTrack) => void} hears
 * @property {() => void} relayed we have an address of the relay
 * @property {(on: boolean) => void} agrees the peer agrees to be direct, or no longer does */

const RESTART_PAUSE = 1500;
// ms between two connections that the peer begins.
const FOLLOW_PAUSE = 2000;
const MOST_WAITING = 200;

export class Peer {
  #shell;
  /** @type {RTCPeerConnection} */
  #pc;
  #ice;
  #track;
  #generation = 1;
  #offers = 0;
  #restartedAt = Number.NEGATIVE_INFINITY;
  #followedAt = Number.NEGATIVE_INFINITY;
  // Messages that came and are not yet taken in.
  #waiting = 0;
  // Agreement to be direct.
  #mine = false;
  #theirs = false;
  #red = { mine: false, theirs: false };
  #candidates = new Candidates();
  #connects = 0;
  #tally = new Tally();
  /** @type {Promise<never>} of the present connection: it ends when another replaces it */
  #replaced = new Promise(() => {});
  #replace = () => {};
  /** @type {Promise<unknown>} */
  #work = Promise.resolve();

  /** @param {Shell} shell */
  constructor(shell) {
    this.#shell = shell;
    this.#ice = shell.ice;
    this.#track = shell.track;
    this.#pc = this.#build();
  }

  get pc() {
    return this.#pc;
  }

  /** settled resolves when what the peer has said so far is taken in. */
  get settled() {
    return this.#work;
  }

  get #direct() {
    return this.#mine && this.#theirs;
  }

  /** Servers and policy may change during a call; the rest must be repeated then as it was, or the
   * browser refuses.
   * @returns {RTCConfiguration} */
  #configuration = () => ({
    iceServers: this.#ice.servers,
    iceTransportPolicy: this.#direct ? 'all' : 'relay',
    bundlePolicy: 'max-bundle',
    certificates: [this.#shell.certificate],
  });

  /** during fails when the connection is replaced meanwhile: what a browser was asked of a connection that is closed
   * then it never answers, and everything behind it would wait for ever.
   * @template T @param {Promise<T>} asked @returns {Promise<T>} */
  #during(asked) {
    return Promise.race([asked, this.#replaced]);
  }

  #build() {
    const pc = new RTCPeerConnection(this.#configuration());
    this.#replaced = new Promise((_, reject) => {
      this.#replace = () => reject(new Error('replaced'));
    });
    this.#replaced.catch(() => {});
    const sas = pc.createDataChannel('sas', { negotiated: true, id: 0 });
    const chat = pc.createDataChannel('chat', { negotiated: true, id: 1 });
    this.#pc = pc;
    this.#offers = 0;
    this.#candidates = new Candidates();
    if (this.#track) pc.addTrack(this.#track);
    else if (this.#shell.role === 'offer') pc.addTransceiver('audio');
    pc.ontrack = ({ track }) => this.#shell.hears(track);
    pc.onconnectionstatechange = () => {
      if (pc.connectionState === 'connected') this.#connects += 1;
    };
    pc.onicecandidate = (event) => {
      if (pc === this.#pc && event.candidate) this.#found(event.candidate);
    };
    this.#shell.opened({ sas, chat });
    if (this.#shell.role === 'offer') this.#do(() => this.#offer());
    return pc;
  }

  /** rebuild replaces the connection by a new one; the other side follows. Where none can be built the
   * old one stays.
   * @param {number} [generation] */
  rebuild(generation = this.#generation + 1) {
    const [old, replace] = [this.#pc, this.#replace];
    this.#build();
    this.#generation = generation;
    old.close();
    replace();
    this.#tally.replaced();
    if (this.#shell.role === 'answer') this.#send({ kind: 'direct', g: generation, direct: this.#mine });
  }

  /** restart looks for a new way between the two. Both watchdogs notice an outage; one restart serves both. */
  restart() {
    if (this.#shell.role === 'answer') {
      this.#send({ kind: 'ask', g: this.#generation, what: 'restart' });
      return;
    }
    const now = performance.now();
    if (now - this.#restartedAt < RESTART_PAUSE) return;
    this.#restartedAt = now;
    this.#do(() => this.#offer({ iceRestart: true }));
  }

  /** renew sets fresh credentials of the relay, for the next restart.
   * @param {import('./protocol.js').Ice} ice */
  renew(ice) {
    this.#ice = ice;
    this.#configure();
  }

  /** agree says whether this person wants to be direct.
   * @param {boolean} on */
  agree(on) {
    const before = this.#direct;
    this.#mine = on;
    if (this.#direct !== before) this.rebuild();
    else this.#send({ kind: 'direct', g: this.#generation, direct: on });
  }

  /** red asks for every packet to be sent twice, in both directions, or no longer.
   * @param {boolean} on */
  red(on) {
    if (this.#red.mine === on) return;
    this.#red.mine = on;
    if (this.#shell.role === 'answer') this.#send({ kind: 'ask', g: this.#generation, what: on ? 'red' : 'plain' });
    else this.#do(() => this.#offer());
  }

  /** replace speaks through another track, or none.
   * @param {MediaStreamTrack | null} track */
  async replace(track) {
    this.#track = track;
    await this.#pc.getTransceivers()[0]?.sender.replaceTrack(track);
  }

  /** receive follows the peer to the next connection, not faster than an honest one goes: to build many
   * would be work for this side alone. What comes meanwhile waits.
   * @param {string} text an opened envelope of the peer */
  receive(text) {
    if (this.#waiting >= MOST_WAITING) return;
    this.#waiting += 1;
    this.#do(async () => {
      this.#waiting -= 1;
      const message = read(text);
      const early = this.#followedAt + FOLLOW_PAUSE - performance.now();
      if (message.g === this.#generation + 1 && early > 0) await new Promise((go) => setTimeout(go, early));
      const ahead = message.g - this.#generation;
      if (ahead < 0 || ahead > 1 || this.#pc.signalingState === 'closed') return;
      if (ahead === 1) {
        this.#followedAt = performance.now();
        this.rebuild(message.g);
      }
      await this.#handle(message, ahead === 1);
    });
  }

  close = () => this.#pc.close();

  /** sample counts over all connections of the call. */
  async sample() {
    const { pc } = this;
    const report = await pc.getStats();
    // It was replaced meanwhile.
    if (pc !== this.#pc) return null;
    return { ...this.#tally.take(report), connects: this.#connects, failed: pc.connectionState === 'failed' };
  }

  /** Runs tasks one after another. A failed one is told and the next one goes on.
   * @param {() => Promise<void>} task */
  #do(task) {
    this.#work = this.#work.then(task).catch((error) => {
      if (this.#pc.signalingState !== 'closed') console.warn('peer:', error.message);
    });
  }

  /** @param {Message} message */
  #send(message) {
    this.#shell.send(JSON.stringify(message));
  }

  /** @param {RTCOfferOptions} [options] */
  async #offer(options = {}) {
    if (options.iceRestart) await this.#shell.fresh();
    const pc = this.#pc;
    if (pc.signalingState === 'closed') return;
    prefer(pc.getTransceivers()[0], this.#red.mine || this.#red.theirs);
    await this.#during(pc.createOffer(options).then((offer) => pc.setLocalDescription(offer)));
    this.#describe('offer', ++this.#offers);
  }

  /** @param {'offer' | 'answer'} kind @param {number} o */
  #describe(kind, o) {
    this.#candidates.described();
    const sdp = clean(this.#pc.localDescription?.sdp ?? '');
    this.#send({ kind, g: this.#generation, o, sdp, direct: this.#mine });
  }

  /** @param {Message} message @param {boolean} follows it began another connection */
  async #handle(message, follows) {
    if (message.kind === 'candidate') return this.#during(this.#candidates.add(this.#pc, message, this.#direct));
    if (message.kind === 'ask') return this.#asked(message.what);
    if (this.#theirs !== message.direct) this.#agreed(message.direct, follows);
    if (message.kind === 'offer' && this.#shell.role === 'answer') await this.#answer(message);
    if (message.kind === 'answer' && this.#shell.role === 'offer') await this.#accept(message);
  }

  /** @param {Description} offer */
  async #answer({ sdp, o }) {
    const pc = this.#pc;
    if (restarts(pc.remoteDescription?.sdp, sdp)) await this.#shell.fresh();
    await this.#remote({ type: 'offer', sdp });
    prefer(pc.getTransceivers()[0], wantsRed(sdp));
    await this.#during(pc.setLocalDescription());
    this.#describe('answer', o);
  }

  /** @param {Description} answer */
  async #accept({ sdp, o }) {
    // A newer offer is under way.
    if (o !== this.#offers || this.#pc.signalingState !== 'have-local-offer') return;
    await this.#remote({ type: 'answer', sdp });
  }

  /** @param {RTCSessionDescriptionInit} description */
  async #remote(description) {
    await this.#during(this.#pc.setRemoteDescription(description));
    await this.#during(this.#candidates.answered(this.#pc));
  }

  /** @param {import('./sdp.js').Wish} what */
  #asked(what) {
    if (this.#shell.role !== 'offer') return;
    if (what === 'restart') return this.restart();
    if (this.#red.theirs === (what === 'red')) return;
    this.#red.theirs = what === 'red';
    this.#do(() => this.#offer());
  }

  /** @param {RTCIceCandidate} found */
  #found(found) {
    const line = this.#candidates.found(found, this.#direct);
    if (!line) return;
    if (found.type === 'relay') this.#shell.relayed();
    this.#send({ kind: 'candidate', g: this.#generation, candidate: line, mid: found.sdpMid ?? '0' });
  }

  /** agreed takes in what the peer says. A restart would keep the old way as long as it works, so another
   * way needs another connection; the one who offers makes it, unless the message did.
   * @param {boolean} on @param {boolean} follows */
  #agreed(on, follows) {
    const before = this.#direct;
    this.#theirs = on;
    this.#shell.agrees(on);
    if (this.#direct === before) return;
    if (follows || this.#shell.role === 'answer') this.#configure();
    else this.rebuild();
  }

  #configure() {
    if (this.#pc.signalingState !== 'closed') this.#pc.setConfiguration(this.#configuration());
  }
}

/** prefer says whether every packet of speech is to be sent twice (RED, RFC 2198), which hides 20 % of loss
 * for twice the bytes: it puts RED before or behind Opus, where the browser has it, and leaves out everything else.
 * @param {RTCRtpTransceiver | undefined} transceiver @param {boolean} on */
function prefer(transceiver, on) {
  const all = RTCRtpReceiver.getCapabilities('audio')?.codecs ?? [];
  /** @param {string} name */
  const named = (name) => all.filter((c) => c.mimeType.toLowerCase() === `audio/${name}`);
  const [opus, red] = [named('opus'), named('red')];
  if (opus.length > 0) transceiver?.setCodecPreferences?.(on ? [...red, ...opus] : [...opus, ...red]);
}

/** Candidates of one connection: how many passed each way, and those that came too early. */
class Candidates {
  #out = 0;
  #in = 0;
  /** @type {RTCIceCandidateInit[]} */
  #early = [];

  /** A description of ours begins: its candidates are counted anew. */
  described() {
    this.#out = 0;
  }

  /** found returns what may be told of a local candidate, or ''.
   * @param {RTCIceCandidate} found @param {boolean} direct @returns {string} */
  found(found, direct) {
    const line = candidate(found.candidate, { direct });
    if (!line || this.#out >= MOST_CANDIDATES) return '';
    this.#out += 1;
    return line;
  }

  /** add gives the connection a candidate of the peer, if it may pass.
   * @param {RTCPeerConnection} pc @param {{candidate: string, mid: string}} theirs @param {boolean} direct */
  async add(pc, { candidate: line, mid }, direct) {
    const allowed = candidate(line, { direct });
    if (!allowed || this.#in >= MOST_CANDIDATES) return;
    this.#in += 1;
    const init = { candidate: allowed, sdpMid: mid };
    if (!pc.remoteDescription) this.#early.push(init);
    // It may be of an offer that was replaced.
    else await pc.addIceCandidate(init).catch(() => {});
  }

  /** answered takes in those that came before the description of the peer.
   * @param {RTCPeerConnection} pc */
  async answered(pc) {
    this.#in = 0;
    for (const early of this.#early.splice(0)) await pc.addIceCandidate(early).catch(() => {});
  }
}
