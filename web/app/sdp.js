// The allow-list over session descriptions and candidates, on the way out and on the way in.
//
// A description is taken apart into the few things that a voice call between strangers needs, and
// written again from them; whatever is not known does not exist. So no address, no second
// fingerprint, no other codec and no injected line gets through, whoever wrote it. Candidates travel
// alone, never inside a description, and only relayed ones unless both people chose *direct*.

/** The most candidates that one side may send for one description. */
export const MOST_CANDIDATES = 30;

const LONGEST = 16000;
const MOST_LINES = 300;
const LONGEST_LINE = 1000;

// The packets of a constant bit rate do not betray the rhythm of speech.
const OPUS = 'minptime=10;useinbandfec=1;usedtx=0;cbr=1;maxaveragebitrate=24000';

const EXTENSIONS = [
  'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'urn:ietf:params:rtp-hdrext:sdes:mid',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
];

/** @typedef {{kind: 'audio' | 'application', open: boolean, payloads: string[], lines: string[]}} Section */
/** @typedef {{direct?: boolean}} Permission direct: both people agreed to show their addresses */

/** clean writes the description again with nothing but what is allowed, or throws.
 * @param {string} sdp @returns {string} */
export function clean(sdp) {
  const [head = [], ...sections] = split(sdp);
  const print = fingerprint(sdp);
  const media = sections.map(section);
  const kinds = media
    .map((m) => m.kind)
    .sort()
    .join(' ');
  if (kinds !== 'application audio') throw new Error(`need one audio and one application section, not "${kinds}"`);
  const mids = media.map((m) => pick(m.lines, /^a=mid:([\w-]{1,16})$/, 'mid'));
  const out = ['v=0', origin(head), 's=-', 't=0 0', `a=group:BUNDLE ${mids.join(' ')}`];
  if (head.includes('a=extmap-allow-mixed')) out.push('a=extmap-allow-mixed');
  for (const [i, m] of media.entries()) out.push(...write(m, head, mids[i] ?? '', print));
  return `${out.join('\r\n')}\r\n`;
}

/** fingerprint returns the SHA-256 fingerprint of the certificate in sdp, as lower-case hexadecimal
 * digits. A description that names none, two, or another hash is refused.
 * @param {string} sdp @returns {string} */
export function fingerprint(sdp) {
  const all = new Set(
    Array.from(sdp.matchAll(/^a=fingerprint:([^\r\n]*)/gm), (m) => (m[1] ?? '').trim().toLowerCase()),
  );
  const [only = ''] = all;
  if (all.size !== 1 || !/^sha-256 [0-9a-f]{2}(:[0-9a-f]{2}){31}$/.test(only)) {
    throw new Error('need exactly one sha-256 fingerprint');
  }
  return only.slice('sha-256 '.length).replaceAll(':', '');
}

/** split returns the lines of the head and of each section.
 * @param {string} sdp @returns {string[][]} */
function split(sdp) {
  if (typeof sdp !== 'string' || sdp.length > LONGEST) throw new Error('description too long');
  const lines = sdp.split('\r\n');
  if (lines.pop() !== '' || lines.length > MOST_LINES) throw new Error('description has too many lines or no end');
  /** @type {string[][]} */
  const parts = [[]];
  for (const line of lines) {
    if (line.length > LONGEST_LINE || !/^[a-z]=[\x20-\x7e]*$/.test(line))
      throw new Error('description has a malformed line');
    if (line.startsWith('m=')) parts.push([]);
    parts.at(-1)?.push(line);
  }
  return parts;
}

// The session number and version of the o= line matter to browsers; name and address do not.
/** @param {string[]} head @returns {string} */
function origin(head) {
  const [, number = '1', version = '1'] =
    /^o=\S+ (\d{1,20}) (\d{1,20}) /.exec(head.find((l) => l.startsWith('o=')) ?? '') ?? [];
  return `o=- ${number} ${version} IN IP4 0.0.0.0`;
}

/** @param {string[]} lines @returns {Section} */
function section(lines) {
  const m = /^m=(audio|application) (\d{1,5}) (\S+) (.+)$/.exec(lines[0] ?? '');
  const [, kind = '', port = '', transport = '', formats = ''] = m ?? [];
  if (kind === 'audio' && transport === 'UDP/TLS/RTP/SAVPF') {
    if (port === '0') throw new Error('the audio section is rejected');
    const payloads = codecs(lines, formats.split(' '));
    if (payloads.length === 0) throw new Error('the audio section has no opus');
    return { kind, open: true, payloads, lines };
  }
  if (kind === 'application' && /^(UDP|TCP)\/DTLS\/SCTP$/.test(transport) && formats === 'webrtc-datachannel') {
    // Firefox gives a section that is only bundled the port 0.
    if (port === '0' && !lines.includes('a=bundle-only')) throw new Error('the application section is rejected');
    return { kind, open: port !== '0', payloads: [], lines };
  }
  throw new Error('a section is neither audio nor a data channel');
}

/** codecs returns the payload types of Opus and of RED over it, in order of preference.
 * @param {string[]} lines @param {string[]} formats @returns {string[]} */
function codecs(lines, formats) {
  const named = new Map(
    all(lines, /^a=rtpmap:(\d{1,3}) (opus|red)\/48000\/2$/i).map(([pt = '', codec = '']) => [pt, codec.toLowerCase()]),
  );
  const known = formats.filter((pt, i) => named.has(pt) && formats.indexOf(pt) === i && Number(pt) < 128);
  return known.some((pt) => named.get(pt) === 'opus') ? known : [];
}

/** write returns the lines of one section.
 * @param {Section} m @param {string[]} head @param {string} mid @param {string} print @returns {string[]} */
function write(m, head, mid, print) {
  const scope = [...m.lines, ...head]; // browsers write some attributes once for all sections
  const setup = pick(scope, /^a=setup:(actpass|active|passive)$/, 'setup');
  const hex = print.toUpperCase().match(/../g)?.join(':');
  const out = [
    m.kind === 'audio'
      ? `m=audio 9 UDP/TLS/RTP/SAVPF ${m.payloads.join(' ')}`
      : `m=application ${m.open ? 9 : 0} UDP/DTLS/SCTP webrtc-datachannel`,
    'c=IN IP4 0.0.0.0',
    ...(m.open ? [] : ['a=bundle-only']),
    `a=mid:${mid}`,
    `a=ice-ufrag:${pick(scope, /^a=ice-ufrag:([A-Za-z0-9+/=_-]{4,256})$/, 'ice-ufrag')}`,
    `a=ice-pwd:${pick(scope, /^a=ice-pwd:([A-Za-z0-9+/=_-]{22,256})$/, 'ice-pwd')}`,
    'a=ice-options:trickle',
    `a=fingerprint:sha-256 ${hex}`,
    `a=setup:${setup}`,
  ];
  return [...out, ...(m.kind === 'audio' ? audio(m) : data(m))];
}

/** @param {Section} m @returns {string[]} */
function audio({ lines, payloads }) {
  const direction = lines.find((l) => /^a=(sendrecv|sendonly|recvonly|inactive)$/.test(l)) ?? 'a=sendrecv';
  const out = [direction, 'a=rtcp-mux'];
  if (lines.includes('a=rtcp-rsize')) out.push('a=rtcp-rsize');
  for (const [number = '', uri = ''] of all(lines, /^a=extmap:(\d{1,3})(?:\/sendrecv)? (\S+)$/)) {
    if (EXTENSIONS.includes(uri)) out.push(`a=extmap:${number} ${uri}`);
  }
  const red = new Set(all(lines, /^a=rtpmap:(\d{1,3}) red\//i).map(([pt]) => pt));
  const opus = payloads.find((pt) => !red.has(pt));
  for (const pt of payloads) {
    if (red.has(pt)) out.push(`a=rtpmap:${pt} red/48000/2`, `a=fmtp:${pt} ${opus}/${opus}`);
    else out.push(`a=rtpmap:${pt} opus/48000/2`, `a=fmtp:${pt} ${OPUS}`);
    if (lines.includes(`a=rtcp-fb:${pt} transport-cc`)) out.push(`a=rtcp-fb:${pt} transport-cc`);
  }
  for (const [stream = '', track = ''] of all(lines, /^a=msid:([\w{}-]{1,64})(?: ([\w{}-]{1,64}))?$/).slice(0, 1)) {
    out.push(track ? `a=msid:${stream} ${track}` : `a=msid:${stream}`);
  }
  // The name of the source says nothing here, but a browser wants one.
  for (const [ssrc] of all(lines, /^a=ssrc:(\d{1,10}) cname:/).slice(0, 1)) out.push(`a=ssrc:${ssrc} cname:p`);
  return out;
}

/** @param {Section} m @returns {string[]} */
function data({ lines }) {
  const port = pick(lines, /^a=sctp-port:(\d{1,5})$/, 'sctp-port');
  const [[size] = ['65536']] = all(lines, /^a=max-message-size:(\d{1,10})$/);
  return [`a=sctp-port:${port}`, `a=max-message-size:${Math.min(Number(size), 65536)}`];
}

/** all returns the groups of every line that matches.
 * @param {string[]} lines @param {RegExp} pattern @returns {string[][]} */
function all(lines, pattern) {
  return lines
    .map((l) => pattern.exec(l))
    .filter((m) => m !== null)
    .map((m) => m.slice(1));
}

/** pick returns the one group of the first line that matches, or throws.
 * @param {string[]} lines @param {RegExp} pattern @param {string} name @returns {string} */
function pick(lines, pattern, name) {
  const value = all(lines, pattern)[0]?.[0];
  if (value === undefined) throw new Error(`description without ${name}`);
  return value;
}

const CANDIDATE =
  /^(?:candidate:)[\w+/]{1,64} (1|2) (udp|tcp) (\d{1,10}) ([0-9a-fA-F.:]{3,45}|[\w-]{1,64}\.local) (\d{1,5}) typ (relay|srflx|prflx|host)((?: [\w-]+ [^\s]+)*)\s*$/i;

/** candidate writes a candidate again without the related address and network it came from, or
 * returns '' when it may not pass.
 * @param {string} line @param {Permission} [permission] @returns {string} */
export function candidate(line, { direct = false } = {}) {
  if (typeof line !== 'string' || line.length > LONGEST_LINE) return '';
  const m = CANDIDATE.exec(line);
  if (!m) return '';
  const [, component, protocol = '', priority, address = '', port, type = '', rest = ''] = m;
  const kind = type.toLowerCase();
  if (kind !== 'relay' && !direct) return '';
  if (!numeric(address) || Number(port) > 65535) return '';
  const out = [
    `candidate:${kind[0]}${protocol[0]?.toLowerCase()} ${component} ${protocol.toLowerCase()} ${priority} ${address} ${port} typ ${kind}`,
  ];
  if (kind !== 'host') out.push(address.includes(':') ? 'raddr :: rport 9' : 'raddr 0.0.0.0 rport 9');
  const [, tcp] = / tcptype (active|passive|so)(?= |$)/.exec(rest) ?? [];
  if (tcp) out.push(`tcptype ${tcp}`);
  const [, ufrag] = / ufrag ([A-Za-z0-9+/=_-]{4,256})(?= |$)/.exec(rest) ?? [];
  if (ufrag) out.push(`ufrag ${ufrag}`);
  return out.join(' ');
}

// A name instead of an address would make the other browser ask the network for it.
/** @param {string} address @returns {boolean} */
function numeric(address) {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(address) || /^[0-9a-f:]+:[0-9a-f:.]*$/i.test(address);
}
