// Starts the page: words and catalogue, the view, the connection to the server, and the loop in which
// every event goes through the reducer and its effects are carried out.

import { alerts } from './alerts.js';
import { start, step } from './app.js';
import { load } from './i18n.js';
import { Effects } from './main-effects.js';
import { Wake } from './media.js';
import { Socket } from './socket.js';
import { digest, Store, token } from './store.js';
import { mount } from './view.js';

/** @typedef {import('./app-state.js').Event} Event */
/** @typedef {import('./app-state.js').Choices} Choices */

const IN_CALL = ['matched', 'connecting', 'live', 'reconnecting'];

async function catalogue() {
  const answer = await fetch(new URL('catalogue.json', document.baseURI));
  if (!answer.ok) throw new Error(`catalogue: status ${answer.status}`);
  return answer.json();
}

/** known keeps of remembered choices what the catalogue has; the first language is the browser's.
 * @param {Partial<Choices>} choices @param {{languages: {tag: string}[], interests: string[]}} catalogue */
function known({ languages = [], interests = [], ...rest }, catalogue) {
  const tags = catalogue.languages.map(({ tag }) => tag);
  const spoken = languages.filter((tag) => tags.includes(tag));
  const own = navigator.languages.map((locale) => locale.split('-')[0] ?? '').find((tag) => tags.includes(tag));
  return {
    ...rest,
    languages: spoken.length > 0 ? spoken : [own ?? 'en'],
    interests: interests.filter((slug) => catalogue.interests.includes(slug)),
  };
}

/** capable tells whether this browser can do what a call needs. */
async function capable() {
  if (typeof RTCPeerConnection === 'undefined' || typeof AudioWorkletNode === 'undefined') return false;
  if (!window.isSecureContext) return true; // the microphone screen says what is wrong
  return crypto.subtle.generateKey({ name: 'X25519' }, false, ['deriveBits']).then(
    () => true,
    () => false,
  );
}

/** own returns the element that the page is built in.
 * @template {Element} E @param {string} selector @param {new () => E} kind @returns {E} */
function own(selector, kind) {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`the page lacks ${selector}`);
  return found;
}

async function main() {
  const store = new Store({ local: () => localStorage, session: () => sessionStorage, token });
  const [t, list, able] = await Promise.all([load(navigator.language), catalogue(), capable()]);
  let state = start(known(store.choices, list), store.tested);
  /** @type {Event[]} */
  const events = [];
  let running = false;

  /** Takes events one at a time: an effect may bring the next one.
   * @param {Event} event */
  function dispatch(event) {
    events.push(event);
    if (running) return;
    running = true;
    try {
      for (let next = events.shift(); next; next = events.shift()) {
        const [after, todo] = step(state, next, Date.now());
        state = after;
        for (const effect of todo) attempt(() => effects.run(effect));
        view.render(state);
        wake.keep(IN_CALL.includes(state.screen));
      }
    } finally {
      running = false;
    }
  }

  const view = mount(own('#app', HTMLElement), { dispatch, t, catalogue: list });
  const wake = new Wake();
  const socket = new Socket({
    url: new URL('ws', document.baseURI).href.replace(/^http/, 'ws'),
    device: able && window.isSecureContext ? await digest(store.token) : '',
    hear: (event) => {
      if (event.type === 'frame' && event.frame.t === 'relay') effects.receive(event.frame);
      else dispatch(event);
    },
  });
  const effects = new Effects({
    dispatch,
    state: () => state,
    level: view.level,
    store,
    socket,
    alerts: alerts({ t }),
    audio: own('[data-testid="peer-audio"]', HTMLAudioElement),
  });

  view.render(state);
  if (!able) return dispatch({ type: 'unsupported' });
  setInterval(() => dispatch({ type: 'tick' }), 1000);
  listen(socket, effects, dispatch, () => state);
  socket.wake();
}

/** attempt goes on whatever happens: one effect that fails must not stop the page.
 * @param {() => void} task */
function attempt(task) {
  try {
    task();
  } catch (error) {
    console.error(error);
  }
}

/** listen brings what happens to the page itself.
 * @param {Socket} socket @param {Effects} effects @param {(event: Event) => void} dispatch @param {() => import('./app-state.js').State} state */
function listen(socket, effects, dispatch, state) {
  addEventListener('online', () => socket.wake());
  for (const touch of ['pointerup', 'keyup']) addEventListener(touch, () => effects.touch(), { capture: true });
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) socket.wake();
  });
  addEventListener('pagehide', () => {
    dispatch({ type: state().call ? 'leave' : 'cancel' });
    socket.close();
  });
  // A page that comes back from the browser's cache has lost its connections.
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) location.reload();
  });
}

main().catch((error) => {
  console.error(error);
  document.documentElement.dataset.state = 'blocked';
  document.documentElement.dataset.reason = 'error';
});
