// The allow-list over what members of a room say to build their connections: descriptions with sound, picture
// and data, candidates, and the few words around them. As in a call of strangers (sdp.js) nothing unknown
// passes, in or out, and candidates travel alone. Here the members know one another, so that every kind of
// candidate may pass, but none other than of a relay leaves a browser whose person hides their address.
//
// A description is kept line by line where a line is known, since pictures need many; addresses, names and
// ids of streams are not among the known ones.
//
//   offer      g o sdp        g: generation of the connection; a higher one makes the other side follow
//   answer     g o sdp
//   candidate  g candidate mid
//   proof      g mac          both see the same two certificates (room-keys.js)
//   hi         back           the first words: that the keys are right, and perhaps an old ticket
//   full                      our group has eight
//   again                     the one way we have is dead: build another one

import { fingerprint, OPUS, refuse, split, TOKEN, candidate as voiceCandidate } from './sdp.js';

/** @typedef {{k: 'offer' | 'answer', g: number, o: number, sdp: string} | {k: 'candidate', g: number, candidate: string, mid: string}
 *    | {k: 'proof', g: number, mac: string} | {k: 'hi', back: string} | {k: 'full'} | {k: 'again', g: number}} Word */

const BOUNDS = { length: 20000, lines: 600 };
const MOST_SECTIONS = 3;
const MOST_GENERATIONS = 1000;

const EXTENSIONS = [
  'urn:ietf:params:rtp-hdrext:sdes:mid',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'urn:3gpp:video-orientation',
  'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension',
];
const CODECS = { audio: /^(opus|red)\/48000\/2$/i, video: /^(AV1|VP9|VP8|H264|rtx)\/90000$/i };

/** Attributes that pass as they are. */
const KNOWN = new RegExp(
  `^a=(mid:[\\w-]{1,16}|ice-ufrag:${TOKEN}{4,256}|ice-pwd:${TOKEN}{22,256}|setup:(actpass|active|passive)` +
    '|sendrecv|sendonly|recvonly|inactive|rtcp-mux|rtcp-rsize|bundle-only|sctp-port:\\d{1,5}|max-message-size:\\d{1,10}' +
    '|ssrc-group:FID \\d{1,10} \\d{1,10})$',
);

/** clean writes the description again with nothing but what is allowed, or throws.
 * @param {string} sdp @returns {string} */
export function clean(sdp) {
  const [head = [], ...sections] = split(sdp, BOUNDS);
  if (sections.length === 0 || sections.length > MOST_SECTIONS) refuse('sections');
  const hex = fingerprint(sdp).toUpperCase().match(/../g)?.join(':');
  const origin = head.map((line) => /^o=\S+ (\d{1,20} \d{1,20}) /.exec(line)?.[1]).find(Boolean) ?? '1 1';
  const mids = sections.map(
    (lines) => lines.map((l) => /^a=mid:([\w-]{1,16})$/.exec(l)?.[1]).find(Boolean) ?? refuse('mid'),
  );
  const shared = head.filter((line) => /^a=(ice-ufrag|ice-pwd|setup):/.test(line));
  const out = ['v=0', `o=- ${origin} IN IP4 0.0.0.0`, 's=-', 't=0 0', `a=group:BUNDLE ${mids.join(' ')}`];
  for (const lines of sections) {
    const [first, ...rest] = section([...lines, ...shared]);
    out.push(first ?? '', 'c=IN IP4 0.0.0.0', 'a=ice-options:trickle', `a=fingerprint:sha-256 ${hex}`, ...rest);
  }
  return `${out.join('\r\n')}\r\n`;
}

/** @param {string[]} lines @returns {string[]} */
function section([first = '', ...lines]) {
  if (/^m=application \d{1,5} (UDP|TCP)\/DTLS\/SCTP webrtc-datachannel$/.test(first)) {
    return ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', ...lines.filter((line) => KNOWN.test(line))];
  }
  const [, kind, formats = ''] = /^m=(audio|video) \d{1,5} UDP\/TLS\/RTP\/SAVPF ([\d ]+)$/.exec(first) ?? [];
  if (kind !== 'audio' && kind !== 'video') return refuse(first.slice(0, 40));
  const payloads = formats.split(' ').filter((pt) => CODECS[kind].test(codec(lines, pt)));
  if (payloads.length === 0) refuse(`no codec for ${kind}`);
  const passes = (/** @type {string} */ line) => KNOWN.test(line) || known(line, kind, payloads);
  return [
    `m=${kind} 9 UDP/TLS/RTP/SAVPF ${payloads.join(' ')}`,
    ...lines.filter(passes).map((line) => (opus(line, lines) ? line.replace(/ .*/, ` ${OPUS}`) : line)),
    ...named(lines),
  ];
}

/** @param {string[]} lines @param {string} pt */
const codec = (lines, pt) => lines.find((l) => l.startsWith(`a=rtpmap:${pt} `))?.slice(`a=rtpmap:${pt} `.length) ?? '';

/** @param {string} line @param {string[]} lines */
function opus(line, lines) {
  const [, pt = ''] = /^a=fmtp:(\d+) /.exec(line) ?? [];
  return pt !== '' && /^opus/i.test(codec(lines, pt));
}

/** Lines that belong to a codec that is kept, and the header extensions that are known. Not the level of the
 * voice (RFC 6464), which would travel in clear.
 * @param {string} line @param {string} kind @param {string[]} payloads */
function known(line, kind, payloads) {
  const [, pt = ''] = /^a=(?:rtpmap|fmtp|rtcp-fb):(\d{1,3}) [\w=;,/ .+-]{1,300}$/.exec(line) ?? [];
  if (pt !== '') return payloads.includes(pt);
  const [, uri = ''] = /^a=extmap:\d{1,3} (\S+)$/.exec(line) ?? [];
  return uri === EXTENSIONS[0] || (kind === 'video' && EXTENSIONS.includes(uri));
}

/** Which sources speak, by a name that says nothing.
 * @param {string[]} lines */
const named = (lines) =>
  lines
    .map((line) => /^a=ssrc:(\d{1,10}) cname:/.exec(line)?.[1])
    .flatMap((ssrc) => (ssrc ? [`a=ssrc:${ssrc} cname:p`] : []));

const LOCAL =
  /^candidate:[\w+/]{1,64} 1 udp \d{1,10} [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.local \d{1,5} typ host\b/i;

/** candidate writes a candidate again, or returns '' when it may not pass. Names of the local network stand for an
 * address that the browser keeps to itself, and pass where addresses do.
 * @param {string} line @param {boolean} hidden whether only relays may pass @returns {string} */
export function candidate(line, hidden) {
  const numeric = voiceCandidate(line, { direct: !hidden });
  if (numeric || hidden || typeof line !== 'string') return numeric;
  const [found = ''] = LOCAL.exec(line) ?? [];
  const [, ufrag = ''] = / ufrag ([\w+/=-]{4,256})(?= |$)/.exec(line) ?? [];
  return found && (ufrag ? `${found} ufrag ${ufrag}` : found);
}

/** What each word must have besides its generation. @type {Record<string, (v: any) => Word | null>} */
const WORDS = {
  offer: description,
  answer: description,
  candidate: ({ k, g, candidate, mid }) =>
    typeof candidate === 'string' && /^[\w-]{1,16}$/.test(mid) ? { k, g, candidate, mid } : null,
  proof: ({ k, g, mac }) => (token(mac) ? { k, g, mac } : null),
  again: ({ k, g }) => ({ k, g }),
};

/** @param {any} v @returns {Word | null} */
function description({ k, g, o, sdp }) {
  return Number.isSafeInteger(o) && o > 0 ? { k, g, o, sdp: clean(sdp) } : null;
}

/** read checks a word of the other member and cleans its description, or throws.
 * @param {string} text @returns {Word} */
export function read(text) {
  const value = JSON.parse(text);
  const { k, g, back } = value;
  if (k === 'full') return { k };
  if (k === 'hi' && (back === '' || token(back))) return { k, back };
  if (!Number.isInteger(g) || g < 1 || g > MOST_GENERATIONS) throw new Error('bad generation');
  const word = Object.hasOwn(WORDS, k) ? WORDS[k]?.(value) : null;
  if (!word) throw new Error('unknown word of a member');
  return word;
}

/** 32 bytes as base64url. @param {unknown} v */
const token = (v) => typeof v === 'string' && /^[\w-]{43}$/.test(v);
