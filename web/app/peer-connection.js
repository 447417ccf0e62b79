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

/** configuration is what may change during a call.
 * @param {import('./protocol.js').Ice} ice @param {boolean} direct @returns {RTCConfiguration} */
export const configuration = (ice, direct) => ({
  iceServers: ice.servers,
  iceTransportPolicy: direct ? 'all' : 'relay',
  bundlePolicy: 'max-bundle',
});

/** connection makes one. The certificate is the same for all connections of a call.
 * @param {RTCConfiguration} configuration @param {RTCCertificate} certificate
 * @returns {{pc: RTCPeerConnection, channels: Channels}} */
export function connection(configuration, certificate) {
  const pc = new RTCPeerConnection({ ...configuration, certificates: [certificate] });
  const sas = pc.createDataChannel('sas', { negotiated: true, id: 0 });
  const chat = pc.createDataChannel('chat', { negotiated: true, id: 1 });
  return { pc, channels: { sas, chat } };
}
