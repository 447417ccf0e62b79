// What one other member is sent: the picture as large as the plan says and in the codec that room-codec.js chooses,
// and the voice, twice where much of it is lost.
//
// Which codec a connection uses is said where the browser lets its sender say so (encodings[].codec), from what
// both descriptions list; so it may change with the size of the picture and without another description.
// Elsewhere the order of the first description decides.

import { CODECS, choose, listed, prefer } from './room-codec.js';

/** @typedef {import('./room-plan.js').Size} Size */
/** @typedef {{hardware: readonly import('./room-codec.js').Codec[], frugal: boolean}} Able what encoding costs this device */

/** order puts the codecs of the description in the order of choice.
 * @param {RTCRtpTransceiver} transceiver @param {Size | null} size @param {Able} able */
export function order(transceiver, size, able) {
  const all = RTCRtpReceiver.getCapabilities('video')?.codecs ?? [];
  const wanted = prefer(all, choose(listed(all), listed(all), { ...able, lines: size?.height ?? 0 }));
  if (wanted.length > 0) transceiver.setCodecPreferences?.(wanted);
}

/** picture makes the picture as large as the plan says, or ends it.
 * @param {RTCRtpSender} sender @param {Size | null} size @param {Able} able */
export function picture(sender, size, able) {
  return change(sender, (encoding, codecs) => {
    encoding.active = size !== null;
    if (!size) return;
    encoding.maxBitrate = size.kbps * 1000;
    encoding.maxFramerate = size.fps;
    encoding.scaleResolutionDownBy = Math.max(1, (sender.track?.getSettings().height ?? 720) / size.height);
    const mine = listed(RTCRtpSender.getCapabilities?.('video')?.codecs ?? []);
    const [best] = choose(mine, listed(codecs), { ...able, lines: size.height });
    const [codec] = best ? prefer(codecs, [best]) : [];
    if (codec) encoding.codec = codec;
  });
}

/** voice sends every packet twice (RED, RFC 2198), or no longer, where both list that.
 * @param {RTCRtpSender} sender @param {boolean} twice */
export function voice(sender, twice) {
  return change(sender, (encoding, codecs) => {
    const codec = codecs.find(({ mimeType }) => /^audio\/red$/i.test(mimeType) === twice);
    if (codec) encoding.codec = codec;
  });
}

/** @typedef {RTCRtpEncodingParameters & {codec?: RTCRtpCodec}} Encoding TypeScript does not know codec yet */

/** @param {RTCRtpSender} sender @param {(encoding: Encoding, codecs: RTCRtpCodecParameters[]) => void} how */
async function change(sender, how) {
  const parameters = sender.getParameters();
  const [encoding] = parameters.encodings ?? [];
  if (!encoding) return;
  how(encoding, parameters.codecs ?? []);
  await sender.setParameters(parameters);
}

const TYPICAL = { width: 640, height: 360, bitrate: 400000, framerate: 24 };

/** chips names the codecs that this device encodes in hardware, as far as the browser says.
 * @param {Pick<MediaCapabilities, 'encodingInfo'> | null} [asks] @returns {Promise<import('./room-codec.js').Codec[]>} */
export async function chips(asks = navigator.mediaCapabilities) {
  const told = CODECS.map(async (codec) => {
    /** @type {MediaEncodingConfiguration} */
    const what = { type: 'webrtc', video: { contentType: `video/${codec.toUpperCase()}`, ...TYPICAL } };
    const answer = await asks?.encodingInfo(what);
    return answer?.supported && answer.powerEfficient ? [codec] : [];
  });
  const all = await Promise.allSettled(told);
  return all.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
}
