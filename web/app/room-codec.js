// Which codec the pictures of a room use, and why.
//
// In a mesh each picture is encoded once for each of the others, so the encoder is what runs out first. So:
//
// 1. What a chip encodes costs almost nothing: a codec that both have in hardware comes first.
// 2. Without hardware, a small picture may use the codec that is best for its bytes: AV1 up to 360 lines, VP9 up
//    to 540. In software AV1 costs several times what VP8 does, and at 720 lines heats a phone until it slows.
// 3. VP8 is what every browser encodes and decodes in software at any size: the fallback. H.264 comes with it,
//    because Safari and many phones have it in hardware and some have no VP8 hardware at all.
// 4. Only what both browsers list is used at all. Each side chooses what it sends, for encoding costs more than
//    decoding does; where a browser lets nobody choose, it is the order of the description.
// 5. A device with no more than two cores is spared AV1 and VP9 in software.
//
// room-send.js asks the browser and carries this out. Audio is Opus as in a call of strangers, and RED over it
// while more than 3 % is lost and both list it.

/** @typedef {'av1' | 'vp9' | 'vp8' | 'h264'} Codec */
/** @typedef {{mimeType: string, sdpFmtpLine?: string}} Capability as RTCRtpSender.getCapabilities lists them */
/** @typedef {{hardware: readonly Codec[], lines: number, frugal: boolean}} Device hardware: what its chip encodes, as
 *  mediaCapabilities says (powerEfficient); lines: height of the picture; frugal: few cores */

/** @type {readonly Codec[]} */
export const CODECS = ['av1', 'vp9', 'vp8', 'h264'];
/** The largest picture that software encodes well, in lines. @type {Record<Codec, number>} */
const SOFTWARE = { av1: 360, vp9: 540, vp8: 4320, h264: 4320 };

/** @param {Capability} capability @returns {string} */
const nameOf = ({ mimeType }) => mimeType.toLowerCase().replace('video/', '');

/** choose orders what this browser can do; the first that the other side also has will be used.
 * @param {readonly Codec[]} mine @param {readonly Codec[]} theirs what the other side said, or all when it said nothing
 * @param {Device} device @returns {Codec[]} */
export function choose(mine, theirs, { hardware, lines, frugal }) {
  /** @param {Codec} codec */
  const cost = (codec) => {
    if (hardware.includes(codec)) return 0;
    const heavy = codec === 'av1' || codec === 'vp9';
    return heavy && (frugal || lines > SOFTWARE[codec]) ? 2 : 1;
  };
  return CODECS.filter((codec) => mine.includes(codec) && theirs.includes(codec)).sort(
    (a, b) => cost(a) - cost(b) || CODECS.indexOf(a) - CODECS.indexOf(b),
  );
}

/** listed names the codecs for pictures that a browser lists.
 * @param {readonly Capability[]} capabilities @returns {Codec[]} */
export const listed = (capabilities) => CODECS.filter((codec) => capabilities.some((c) => nameOf(c) === codec));

/** prefer returns the capabilities in the order of choice, with retransmission (rtx) behind them; the rest is left
 * out. Of H.264 only the variants that a receiver may take apart in any order (packetization-mode=1).
 * @template {Capability} C @param {readonly C[]} capabilities @param {readonly Codec[]} order @returns {C[]} */
export function prefer(capabilities, order) {
  const of = (/** @type {string} */ name) => capabilities.filter((c) => nameOf(c) === name);
  const whole = (/** @type {C} */ c) => nameOf(c) !== 'h264' || /packetization-mode=1/.test(c.sdpFmtpLine ?? '');
  const chosen = order.flatMap((codec) => of(codec).filter(whole));
  return chosen.length > 0 ? [...chosen, ...of('rtx')] : [];
}
