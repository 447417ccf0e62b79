// Whether every packet of speech is sent twice (RED, RFC 2198): it hides 20 % of loss for twice the
// bytes. The order in a description says what its writer wants to receive.

/** prefer puts RED before or behind Opus, where the browser has it, and leaves out everything else.
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
