// What the results of the check mean, apart from how they come about.

/** @typedef {'udp' | 'tcp' | 'tls'} Way */
/** @typedef {{how: 'works', ms: number} | {how: 'blocked'} | {how: 'refused'}} Result */
/** @typedef {{urls: string[], username: string, credential: string}} Server */
/** @typedef {{key: 'good' | 'fair' | 'bad' | 'refused', ways: Way[]}} Verdict ways are those that the sentence names */

/** The ways, best first. @type {readonly Way[]} */
export const order = ['udp', 'tcp', 'tls'];

/** wayOf tells how a URL of RFC 7065 reaches the relay. @param {string} url @returns {Way} */
export function wayOf(url) {
  if (url.startsWith('turns:')) return 'tls';
  return url.endsWith('?transport=tcp') ? 'tcp' : 'udp';
}

/** split gives each way that there is one of the servers, for it alone.
 * @param {readonly Server[]} servers @returns {Map<Way, Server>} */
export function split(servers) {
  /** @type {Map<Way, Server>} */
  const all = new Map();
  for (const [i, server] of servers.slice(0, order.length).entries()) {
    const way = /** @type {Way} */ (order[i]);
    const urls = server.urls.filter((url) => wayOf(url) === way);
    if (urls.length > 0) all.set(way, { ...server, urls });
  }
  return all;
}

/** judge says what all results together mean. @param {ReadonlyMap<Way, Result>} results @returns {Verdict} */
export function judge(results) {
  const has = (/** @type {Result['how']} */ how) => order.filter((way) => results.get(way)?.how === how);
  const works = has('works');
  if (works.includes('udp')) return { key: 'good', ways: works };
  if (works.length > 0) return { key: results.get('udp')?.how === 'refused' ? 'refused' : 'fair', ways: works };
  // Who was answered, even by a no, was not blocked.
  const refused = has('refused');
  return refused.length > 0 ? { key: 'refused', ways: refused } : { key: 'bad', ways: has('blocked') };
}

/** answered tells an error of the relay from the silence of a network: 701 is the browser's own code
 * for a server that it cannot reach (W3C WebRTC, RTCPeerConnectionIceErrorEvent).
 * @param {number} code */
export const answered = (code) => code >= 300 && code < 700;
