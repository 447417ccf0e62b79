// The page /check: the browser makes a call to itself through the relay, by each way alone, and says
// in plain words what that means for calls from this network.

import { h, nearest, speak } from '../view-parts.js';
import { answered, judge, split } from './ways.js';

/** @typedef {import('./ways.js').Way} Way */
/** @typedef {import('./ways.js').Result} Result */
/** @typedef {import('./ways.js').Server} Server */

/** How long one way may take. A browser asks a silent server for about 9 seconds (RFC 8489 section 6.2.1). */
const within = 12_000;

/** words loads those of this page and sets the language of the document. */
async function words() {
  const tag = nearest(navigator.language);
  const answer = await fetch(new URL(`lang/${tag}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`language ${tag}: status ${answer.status}`);
  const t = speak(await answer.json(), tag);
  Object.assign(document.documentElement, { lang: tag, dir: t.dir });
  document.title = t('title');
  return t;
}

/** introduce lets two connections of this page find each other, and only by the relay.
 * @param {RTCPeerConnection} a @param {RTCPeerConnection} b */
async function introduce(a, b) {
  /** @param {RTCPeerConnection} from @param {RTCPeerConnection} to @param {Promise<void>} ready */
  const tell = (from, to, ready) =>
    from.addEventListener('icecandidate', ({ candidate }) => {
      // One that comes too late for its connection changes nothing.
      if (candidate) ready.then(() => to.addIceCandidate(candidate)).catch(() => {});
    });
  /** @type {() => void} */
  let begun = () => {};
  const ready = new Promise((/** @type {(v: void) => void} */ resolve) => {
    begun = resolve;
  });
  tell(a, b, ready);
  tell(b, a, ready);
  await a.setLocalDescription();
  await b.setRemoteDescription(/** @type {RTCSessionDescription} */ (a.localDescription));
  await b.setLocalDescription();
  await a.setRemoteDescription(/** @type {RTCSessionDescription} */ (b.localDescription));
  begun();
}

/** echo resolves with the time that a word takes there and back.
 * @param {RTCPeerConnection} a @param {RTCPeerConnection} b @returns {Promise<number>} */
function echo(a, b) {
  b.addEventListener('datachannel', ({ channel }) => {
    channel.onmessage = ({ data }) => channel.send(data);
  });
  const channel = a.createDataChannel('check');
  return new Promise((resolve) => {
    let sent = 0;
    channel.onopen = () => {
      sent = performance.now();
      channel.send('there and back');
    };
    channel.onmessage = () => resolve(Math.max(1, Math.round(performance.now() - sent)));
  });
}

/** attempt makes a call through the relay by one way. @param {Server} server @returns {Promise<Result>} */
async function attempt(server) {
  /** @type {RTCConfiguration} */
  const config = { iceServers: [server], iceTransportPolicy: 'relay' };
  const a = new RTCPeerConnection(config);
  const b = new RTCPeerConnection(config);
  let refused = false;
  let candidates = 0;
  const heard = echo(a, b);
  const late = new Promise((/** @type {(v: number) => void} */ resolve) => {
    setTimeout(resolve, within, 0);
    for (const pc of [a, b]) {
      pc.addEventListener('icecandidate', ({ candidate }) => {
        if (candidate?.candidate) candidates += 1;
      });
      pc.addEventListener('icecandidateerror', ({ errorCode }) => {
        refused ||= answered(errorCode);
      });
      // A side that has found no way to the relay will find none later.
      pc.addEventListener('icegatheringstatechange', () => {
        if (pc.iceGatheringState === 'complete' && candidates === 0) resolve(0);
      });
    }
  });
  try {
    await introduce(a, b);
    const ms = await Promise.race([heard, late]);
    if (ms > 0) return { how: 'works', ms };
    return { how: refused ? 'refused' : 'blocked' };
  } finally {
    a.close();
    b.close();
  }
}

/** ask gets credentials for this check. @returns {Promise<Server[]>} */
async function ask() {
  const answer = await fetch(new URL('check.json', document.baseURI));
  if (answer.status === 429 || answer.status === 503) throw new Error('busy');
  if (!answer.ok) throw new Error('server');
  return answer.json();
}

/** @param {string} key @param {HTMLElement} heading @param {HTMLElement} why @param {[string, string]} says */
function conclude(key, heading, why, says) {
  [heading.textContent, why.textContent] = says;
  document.documentElement.dataset.verdict = key;
  document.documentElement.dataset.state = 'checked';
}

async function main() {
  const t = await words();
  const verdict = h('p', { class: 'lead', role: 'status', 'data-testid': 'verdict' }, t('checking'));
  const why = h('p', { 'data-testid': 'why' }, t('checking.why'));
  const list = h('dl', {});
  document
    .querySelector('main')
    ?.append(
      h('h1', {}, t('heading')),
      verdict,
      why,
      h('section', {}, list),
      h('p', {}, h('a', { class: 'door', href: 'check', 'data-testid': 'again' }, t('again'))),
      h('p', {}, h('a', { href: './' }, t('back'))),
    );
  /** @param {string} reason */
  const failed = (reason) => conclude('failed', verdict, why, [t('failed'), t(`failed.${reason}`)]);

  if (!('RTCPeerConnection' in window)) return failed('browser');
  /** @type {Server[]} */
  let servers;
  try {
    servers = await ask();
  } catch (error) {
    return failed(error instanceof Error && error.message === 'busy' ? 'busy' : 'server');
  }
  /** @type {Map<Way, Result>} */
  const results = new Map();
  await Promise.all(
    [...split(servers)].map(async ([way, alone]) => {
      const row = h('dd', { 'data-testid': `way-${way}` }, t('way.trying'));
      list.append(h('dt', {}, t(`way.${way}`)), row);
      const result = await attempt(alone).catch(() => /** @type {Result} */ ({ how: 'blocked' }));
      results.set(way, result);
      row.textContent = t(`way.${result.how}`, result.how === 'works' ? { ms: result.ms } : {});
    }),
  );
  const { key, ways } = judge(results);
  const params = { n: ways.length, ways: t.list(ways.map((way) => t(`way.${way}`))) };
  conclude(key, verdict, why, [t(key, params), t(`${key}.why`, params)]);
}

main();
