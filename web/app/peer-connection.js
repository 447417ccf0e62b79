// A connection as every call has it: through the relay alone unless both agreed otherwise, everything
// over one path, and two data channels whose numbers both sides know.

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
