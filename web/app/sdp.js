// The allow-list over session descriptions and candidates, on the way out and on the way in.
//
// A description is taken apart into the few things that a voice call between strangers needs, and
// written again from them; whatever is not known does not exist. So no address, no second
// fingerprint, no other codec and no injected line gets through, whoever wrote it. Candidates travel
// alone, never inside a description, and only relayed ones unless both people chose *direct*.

/** The most candidates that one side may send for one description. */
export const MOST_CANDIDATES = 30;

/** @typedef {{length: number, lines: number}} Bounds of a description, in characters and lines */

const BOUNDS = { length: 16000, lines: 300 };
const LONGEST_LINE = 1000;
const MESSAGE = 65536;

/** A character of the names and passwords of ICE. */
export const TOKEN = '[\\w+/=-]';

/** How Opus speaks: packets of a constant bit rate do not betray the rhythm of speech. */
export const OPUS = 'minptime=10;useinbandfec=1;usedtx=0;cbr=1;maxaveragebitrate=24000';

/** @typedef {{direct?: boolean}} Permission direct: both people agreed to show their addresses */

/** clean writes the description again with nothing but what is allowed, or throws.
 * @param {string} sdp @returns {string} */
export function clean(sdp) {
  const [head = [], ...sections] = split(sdp, BOUNDS);
  const hex = fingerprint(sdp).toUpperCase().match(/../g)?.join(':');
  const mids = sections.map((lines) => pick(lines, 'mid:([\\w-]{1,16})'));
  const [session] = match(head, 'o=\\S+ (\\d{1,20} \\d{1,20}) .*');
  const out = ['v=0', `o=- ${session ?? '1 1'} IN IP4 0.0.0.0`, 's=-', 't=0 0', `a=group:BUNDLE ${mids.join(' ')}`];
  const kinds = [];
  for (const [i, lines] of sections.entries()) {
    // Browsers write some attributes once for all sections.
    const scope = [...lines, ...head];
    const [first, kind, rest] = section(lines);
    kinds.push(kind);
    out.push(
      first,
      'c=IN IP4 0.0.0.0',
      `a=mid:${mids[i]}`,
      `a=ice-ufrag:${pick(scope, `ice-ufrag:(${TOKEN}{4,256})`)}`,
      `a=ice-pwd:${pick(scope, `ice-pwd:(${TOKEN}{22,256})`)}`,
      'a=ice-options:trickle',
      `a=fingerprint:sha-256 ${hex}`,
      `a=setup:${pick(scope, 'setup:(actpass|active|passive)')}`,
      ...rest,
    );
  }
  if (kinds.sort().join() !== 'application,audio') refuse(`sections ${kinds}`);
  return `${out.join('\r\n')}\r\n`;
}

/** fingerprint returns the SHA-256 fingerprint of the certificate in sdp, as lower-case hexadecimal
 * digits. A description that names none, two, or another hash is refused.
 * @param {string} sdp @returns {string} */
export function fingerprint(sdp) {
  const all = new Set(Array.from(sdp.matchAll(/^a=fingerprint:(.*)/gm), (m) => m[1]?.trim().toLowerCase()));
  const [only = ''] = all;
  if (all.size !== 1 || !/^sha-256 [0-9a-f]{2}(:[0-9a-f]{2}){31}$/.test(only)) refuse('not one sha-256 fingerprint');
  return only.slice('sha-256 '.length).replaceAll(':', '');
}

/** @param {string} why @returns {never} */
export function refuse(why) {
  throw new Error(`description refused: ${why}`);
}

/** split returns the lines of the head and of each section.
 * @param {string} sdp @param {Bounds} bounds @returns {string[][]} */
export function split(sdp, bounds) {
  if (typeof sdp !== 'string' || sdp.length > bounds.length) refuse('length');
  const lines = sdp.split('\r\n');
  if (lines.pop() !== '' || lines.length > bounds.lines) refuse('lines');
  /** @type {string[][]} */
  const parts = [[]];
  for (const line of lines) {
    if (line.length > LONGEST_LINE || !/^[a-z]=[\x20-\x7e]*$/.test(line)) refuse('malformed line');
    if (line.startsWith('m=')) parts.push([]);
    parts.at(-1)?.push(line);
  }
  return parts;
}

/** section returns the first line, the kind, and the lines that only this kind has.
 * @param {string[]} lines @returns {[string, string, string[]]} */
function section(lines) {
  const [first = ''] = lines;
  const [, formats] = /^m=audio [1-9]\d{0,4} UDP\/TLS\/RTP\/SAVPF ([\d ]+)$/.exec(first) ?? [];
  if (formats) {
    const payloads = codecs(lines, formats.split(' '));
    return [`m=audio 9 UDP/TLS/RTP/SAVPF ${[...payloads.keys()].join(' ')}`, 'audio', audio(lines, payloads)];
  }
  const [, port] = /^m=application (\d{1,5}) (?:UDP|TCP)\/DTLS\/SCTP webrtc-datachannel$/.exec(first) ?? refuse(first);
  const open = port !== '0';
  // Firefox gives a section that is only bundled the port 0.
  if (!open && !lines.includes('a=bundle-only')) refuse('a rejected section');
  const size = Math.min(Number(match(lines, 'a=max-message-size:(\\d{1,10})')[0] ?? MESSAGE), MESSAGE);
  const rest = [`a=sctp-port:${pick(lines, 'sctp-port:(\\d{1,5})')}`, `a=max-message-size:${size}`];
  return [
    `m=application ${open ? 9 : 0} UDP/DTLS/SCTP webrtc-datachannel`,
    'application',
    open ? rest : ['a=bundle-only', ...rest],
  ];
}

/** codecs returns the payload types of Opus and of RED over it, in order of preference.
 * @param {string[]} lines @param {string[]} formats @returns {Map<string, string>} */
function codecs(lines, formats) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const pt of formats) {
    const [codec] = match(lines, `a=rtpmap:${pt} (opus|red)/48000/2`);
    if (codec && Number(pt) < 128) found.set(pt, codec.toLowerCase());
  }
  if (![...found.values()].includes('opus')) refuse('no opus');
  return found;
}

/** @param {string[]} lines @param {Map<string, string>} payloads @returns {string[]} */
function audio(lines, payloads) {
  const [direction = 'sendrecv'] = match(lines, 'a=(sendrecv|sendonly|recvonly|inactive)');
  const out = [`a=${direction}`, 'a=rtcp-mux'];
  // The section that a packet belongs to. Not the level of the voice (RFC 6464): header extensions go
  // in clear, and would show the rhythm of speech that constant packet sizes hide.
  const mid = 'urn:ietf:params:rtp-hdrext:sdes:mid';
  const [number] = match(lines, `a=extmap:(\\d{1,3}) ${mid}`);
  if (number) out.push(`a=extmap:${number} ${mid}`);
  // Which source speaks, so that its first packets count even before the answer; the name says nothing.
  const [ssrc] = match(lines, 'a=ssrc:(\\d{1,10}) cname:.*');
  if (ssrc) out.push(`a=ssrc:${ssrc} cname:p`);
  const opus = [...payloads.keys()].find((pt) => payloads.get(pt) === 'opus');
  for (const [pt, codec] of payloads) {
    out.push(`a=rtpmap:${pt} ${codec}/48000/2`, `a=fmtp:${pt} ${codec === 'opus' ? OPUS : `${opus}/${opus}`}`);
  }
  return out;
}

/** match returns the groups of the first line that is as the pattern says, or none.
 * @param {string[]} lines @param {string} pattern @returns {string[]} */
function match(lines, pattern) {
  const whole = new RegExp(`^${pattern}$`, 'i');
  for (const line of lines) {
    const found = whole.exec(line);
    if (found) return found.slice(1);
  }
  return [];
}

/** pick returns the one group of the first attribute that is as the pattern says, or throws.
 * @param {string[]} lines @param {string} pattern @returns {string} */
const pick = (lines, pattern) => match(lines, `a=${pattern}`)[0] ?? refuse(`without ${pattern}`);

const CANDIDATE =
  /^candidate:[\w+/]{1,64} (1|2) udp (\d{1,10}) ([0-9a-f.:]{3,45}) (\d{1,5}) typ (relay|srflx|prflx|host)((?: [\w-]+ \S+)*)\s*$/i;

/** candidate writes a candidate again without the related address and network it came from, or
 * returns '' when it may not pass. A name instead of an address never does: to look it up would tell
 * the network; nor does TCP, which a relay does not offer.
 * @param {string} line @param {Permission} [permission] @returns {string} */
export function candidate(line, { direct = false } = {}) {
  const m = typeof line === 'string' && line.length <= LONGEST_LINE && CANDIDATE.exec(line);
  if (!m) return '';
  const [, component, priority, address = '', port, type = '', rest = ''] = m;
  const kind = type.toLowerCase();
  const numeric = /^\d{1,3}(\.\d{1,3}){3}$|^[0-9a-f:]+:[0-9a-f:.]*$/i.test(address);
  if ((kind !== 'relay' && !direct) || !numeric || Number(port) > 65535) return '';
  const [, ufrag] = / ufrag ([\w+/=-]{4,256})(?= |$)/.exec(rest) ?? [];
  const related = kind === 'host' ? '' : ` raddr ${address.includes(':') ? '::' : '0.0.0.0'} rport 9`;
  return `candidate:${kind[0]} ${component} udp ${priority} ${address} ${port} typ ${kind}${related}${ufrag ? ` ufrag ${ufrag}` : ''}`;
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

// What the two say inside sealed envelopes to build their connection.
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
