// A connection as every call has it: through the relay alone unless both agreed otherwise, everything
// over one path, and two data channels whose numbers both sides know.
//
// What the two say inside sealed envelopes to build it:
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

import { candidate, clean, MOST_CANDIDATES } from './sdp.js';

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

/** configuration of a connection. Servers and policy may change during a call; the rest must be
 * repeated then as it was, or the browser refuses.
 * @param {import('./protocol.js').Ice} ice @param {boolean} direct @param {RTCCertificate} certificate
 * @returns {RTCConfiguration} */
export const configuration = (ice, direct, certificate) => ({
  iceServers: ice.servers,
  iceTransportPolicy: direct ? 'all' : 'relay',
  bundlePolicy: 'max-bundle',
  certificates: [certificate],
});

/** connection makes one.
 * @param {RTCConfiguration} configuration
 * @returns {{pc: RTCPeerConnection, channels: Channels}} */
export function connection(configuration) {
  const pc = new RTCPeerConnection(configuration);
  const sas = pc.createDataChannel('sas', { negotiated: true, id: 0 });
  const chat = pc.createDataChannel('chat', { negotiated: true, id: 1 });
  return { pc, channels: { sas, chat } };
}

/** prefer says whether every packet of speech is to be sent twice (RED, RFC 2198), which hides 20 % of loss
 * for twice the bytes: it puts RED before or behind Opus, where the browser has it, and leaves out everything else.
 * @param {RTCRtpTransceiver | undefined} transceiver @param {boolean} on */
export function prefer(transceiver, on) {
  const all = RTCRtpReceiver.getCapabilities('audio')?.codecs ?? [];
  /** @param {string} name */
  const named = (name) => all.filter((c) => c.mimeType.toLowerCase() === `audio/${name}`);
  const [opus, red] = [named('opus'), named('red')];
  if (opus.length > 0) transceiver?.setCodecPreferences?.(on ? [...red, ...opus] : [...opus, ...red]);
}

/** wantsRed tells whether a cleaned description puts RED first.
 * @param {string} sdp @returns {boolean} */
export function wantsRed(sdp) {
  const [, first] = /^m=audio \d+ \S+ (\d+)/m.exec(sdp) ?? [];
  return sdp.includes(`\r\na=rtpmap:${first} red/`);
}

/** restarts tells whether a description begins a new search for the way between the two.
 * @param {string | undefined} before @param {string} after @returns {boolean} */
export function restarts(before, after) {
  /** @param {string} sdp */
  const ufrag = (sdp) => /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];
  return before !== undefined && ufrag(before) !== ufrag(after);
}

/** Candidates of one connection: how many passed each way, and those that came too early. */
export class Candidates {
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
    else await pc.addIceCandidate(init).catch(() => {}); // of an offer that was replaced
  }

  /** answered takes in those that came before the description of the peer.
   * @param {RTCPeerConnection} pc */
  async answered(pc) {
    this.#in = 0;
    for (const early of this.#early.splice(0)) await pc.addIceCandidate(early).catch(() => {});
  }
}

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
