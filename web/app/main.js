// Starts the page: words and catalogue, the view, the connection to the server, and the loop in which
// every event goes through the reducer and its effects are carried out.

import { start, step } from './app.js';
import { digest } from './bytes.js';
import { Microphone, Wake } from './media.js';
import * as protocol from './protocol.js';
import { Socket } from './socket.js';
import { Speaker } from './sound.js';
import { Store, token } from './store.js';
import { mount } from './view.js';
import { alerts } from './view-access.js';
import { load } from './view-parts.js';

/** @typedef {import('./app-state.js').Event} Event */
/** @typedef {import('./app-state.js').Choices} Choices */

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
  // The microphone screen says what is wrong.
  if (!window.isSecureContext) return true;
  if (!('RTCPeerConnection' in window && 'AudioWorkletNode' in window)) return false;
  return crypto.subtle.generateKey({ name: 'X25519' }, false, ['deriveBits']).then(
    () => true,
    () => false,
  );
}

/** introduce finds out whether a call is possible here, and what the server is told of this browser.
 * @param {Store} store @param {Promise<boolean>} wanted whether this server wants to hear of its kind @returns {Promise<{able: boolean, who: () => protocol.Who}>} */
async function introduce(store, wanted) {
  const able = await capable();
  if (!able || !window.isSecureContext) return { able, who: () => ({ device: '', digest: '', age: '' }) };
  const signals = wanted.then((on) => (on ? import('./signals.js').then((module) => module.signals()) : ''));
  // Weak evidence that is missing is no reason not to begin.
  const [device, weak] = await Promise.all([digest(store.token), signals.catch(() => '')]);
  return { able, who: () => ({ device, digest: weak, age: store.age }) };
}

/** own returns the element that the page is built in.
 * @template {Element} E @param {string} selector @param {new () => E} kind @returns {E} */
function own(selector, kind) {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`the page lacks ${selector}`);
  return found;
}

/** invited tells what the link that was followed wants, and takes its words out of the address bar; where a room was
 * lost by a reload, this tab remembers it.
 * @returns {{what: import('./room-page.js').What | '', fragment: string}} */
function invited() {
  const fragment = location.hash.slice(1);
  const link = /\/room$/.test(location.pathname);
  if (link || fragment) history.replaceState(null, '', new URL('./', document.baseURI));
  if (link) return fragment === 'permissions' ? { what: 'help', fragment: '' } : { what: 'phrase', fragment };
  return { what: within() ? 'back' : '', fragment: '' };
}

/** Whether this tab is in a room. */
function within() {
  try {
    return sessionStorage.getItem('parley-room') !== null;
  } catch {
    return false;
  }
}

/** Private is a room in the place of everything else, until the page is loaded again. */
class Private {
  #send;
  #notify;
  #online = false;
  /** @type {Promise<{hear: (event: any) => void}> | null} */
  #opened = null;

  /** @param {(frame: protocol.Outgoing) => void} send @param {(what: 'matched' | 'message') => void} notify */
  constructor(send, notify) {
    this.#send = send;
    this.#notify = notify;
  }

  get open() {
    return this.#opened !== null;
  }

  /** @param {import('./room-page.js').What} what @param {string} [fragment] */
  enter(what, fragment = '') {
    if (this.#opened) return;
    const page = { what, fragment, send: this.#send, notify: this.#notify };
    this.#opened = import('./room-page.js').then(({ open }) => open(own('#app', HTMLElement), page));
    this.#opened.catch(() => location.reload());
    if (this.#online) this.hear({ type: 'welcome', resumed: true });
  }

  /** hear takes what the socket says, if a room is open.
   * @param {import('./app-state.js').SocketEvent} event */
  hear(event) {
    if (event.type === 'welcome') this.#online = true;
    if (event.type === 'offline') this.#online = false;
    this.#opened?.then((room) => room.hear(event));
    return this.open;
  }
}

async function main() {
  const { what, fragment } = invited();
  const store = new Store(() => localStorage, token);
  const offer = catalogue();
  const wanted = offer.then(({ signals }) => signals !== false);
  const [t, list, { able, who }] = await Promise.all([load(navigator.language), offer, introduce(store, wanted)]);
  let state = start(known(store.choices, list), store.tested, store.review(Date.now()), !store.age);
  /** @type {Event[]} */
  const events = [];
  let running = false;

  function draw() {
    if (!room.open) view.render(state);
    wake.keep(state.call !== null || room.open);
  }

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
        if (state.screen === 'mic' || state.screen === 'queued') effects.fetch(state.screen === 'mic');
        for (const effect of todo) attempt(() => effects.run(effect));
        draw();
      }
    } finally {
      running = false;
    }
  }

  const room = new Private(
    (frame) => socket.send(frame),
    (what) => effects.run({ do: 'notify', what }),
  );
  const view = mount(own('#app', HTMLElement), { dispatch, t, catalogue: list, room: (what) => room.enter(what) });
  const wake = new Wake();
  const socket = new Socket({
    url: new URL('ws', document.baseURI).href.replace(/^http/, 'ws'),
    who,
    hear: (event) => {
      if (room.hear(event)) return;
      if (event.type === 'frame' && event.frame.t === 'relay') effects.receive(event.frame);
      else dispatch(event);
    },
  });
  const effects = new Effects({
    dispatch,
    state: () => state,
    level: view.level,
    talks: view.talks,
    store,
    socket,
    alerts: alerts({ t }),
    audio: own('[data-testid="peer-audio"]', HTMLAudioElement),
  });

  view.render(state);
  if (!able) return dispatch({ type: 'unsupported' });
  setInterval(() => dispatch({ type: 'tick' }), 1000);
  // Nothing to search for where the browser gives no microphone: its screen says so.
  if (!window.isSecureContext) socket.close();
  listen(socket, effects, dispatch, () => state);
  if (what) room.enter(what, fragment);
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

// Carries out what the reducer asks for. The one place that knows all parts of the engine.

/** @typedef {import('./app-state.js').State} State */
/** @typedef {import('./app-state.js').Effect} Effect */
/** @typedef {{[K in Effect['do']]: (effect: Effect & {do: K}) => void}} Table */
/** @typedef {'prepare' | 'call' | 'rejoined' | 'ice' | 'resync' | 'hang-up' | 'mute' | 'volume' | 'chat' | 'direct' | 'mismatch'} OfCall */
/** @typedef {'puzzle' | 'puzzle-stop' | 'ask-work' | 'age' | 'review' | 'forget'} OfAccount */
/** @typedef {typeof import('./call.js')} Engine */
/** @typedef {object} Parts
 * @property {(event: Event) => void} dispatch
 * @property {() => State} state
 * @property {(side: 'me' | 'peer', level: number) => void} level
 * @property {(module: typeof import('./view-talk.js')) => void} talks what is drawn of a call has come
 * @property {import('./store.js').Store} store
 * @property {import('./socket.js').Socket} socket
 * @property {{matched(): void, ended(): void, message(): void, clear(): void}} alerts
 * @property {HTMLAudioElement} audio */

class Effects {
  #parts;
  #microphone;
  #speaker;
  /** What only a call needs, once it has come.
   * @type {Engine | null} */
  #engine = null;
  #fetched = false;
  // The search that waits for it.
  #waiting = () => {};
  /** @type {import('./solver.js').Solver | null} */
  #solver = null;
  /** @type {import('./call.js').Call | null} */
  #call = null;
  /** @type {import('./call.js').Prepared | null} */
  #prepared = null;
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {Table} */
  #table;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    const context = () => this.#audio();
    this.#speaker = new Speaker(parts.audio, context, (on) => parts.dispatch({ type: 'peer-tap', on }));
    this.#microphone = new Microphone({
      context,
      hear: parts.dispatch,
      level: (level) => parts.level('me', level),
      track: (track) => this.#call?.replace(track),
    });
    this.#table = { ...this.#talking(), ...this.#around(), ...this.#accounts() };
  }

  /** fetch loads what a call needs, as soon as somebody wants one. Where it does not come, a newer page has
   * taken this one's place. Who tests the microphone is probably new, and will have to solve a puzzle.
   * @param {boolean} early */
  fetch(early) {
    if (this.#fetched) return;
    this.#fetched = true;
    if (early) this.#solving((solver) => solver.warm());
    Promise.all([import('./call.js'), import('./view-talk.js')]).then(
      ([engine, talk]) => {
        this.#parts.talks(talk);
        this.#engine = engine;
        this.#waiting();
      },
      () => this.#parts.dispatch({ type: 'closed', how: 'reload' }),
    );
  }

  /** run carries out one effect.
   * @param {Effect} effect */
  run(effect) {
    /** @type {any} */
    const table = this.#table;
    table[effect.do](effect);
  }

  /** receive takes an envelope of the peer.
   * @param {protocol.Envelope} envelope */
  receive(envelope) {
    this.#call?.receive(envelope);
  }

  /** touch is called for every touch and key: browsers let sound play only then. */
  touch() {
    this.#audio()
      .resume()
      .catch(() => {});
    this.#speaker.touch();
  }

  /** One context for everything that sounds, made at the first need. */
  #audio() {
    this.#context ??= new AudioContext();
    return this.#context;
  }

  /** What concerns the call.
   * @returns {Pick<Table, OfCall>} */
  #talking() {
    return {
      prepare: () => {
        // Anew: a certificate expires.
        this.#prepared = this.#engine?.prepare() ?? null;
      },
      call: ({ frame }) => this.#begin(frame),
      rejoined: ({ frame }) => void this.#call?.rejoined(frame),
      ice: ({ ice }) => this.#call?.renew(ice),
      resync: () => this.#call?.resync(),
      'hang-up': ({ bye }) => {
        this.#call?.hangUp(bye);
        this.#call = null;
        this.#microphone.mute(false);
        this.#speaker.stop();
      },
      mute: ({ on }) => {
        this.#microphone.mute(on);
        this.#call?.muted(on);
      },
      volume: ({ value }) => this.#speaker.volume(value),
      chat: ({ text }) => this.#call?.text(text),
      direct: ({ on }) => this.#call?.direct(on),
      mismatch: () => {
        this.#microphone.mute(true);
        this.#speaker.mute(true);
        this.#call?.mismatch();
      },
    };
  }

  /** Everything else.
   * @returns {Omit<Table, OfCall | OfAccount>} */
  #around() {
    const { store, socket, alerts, dispatch, state } = this.#parts;
    return {
      send: ({ frame }) => socket.send(frame),
      find: ({ place, proof }) => {
        const send = () => socket.send(protocol.find(state().choices, store.avoid(Date.now()), place, proof));
        if (this.#engine) return send();
        this.#waiting = () => {
          if (state().own.searching) send();
        };
      },
      disconnect: () => socket.close(),
      mic: ({ what }) => void this.#microphone[what](),
      input: ({ id }) => this.#microphone.input(id),
      output: ({ id }) => {
        this.#speaker.output(id).then(
          () => this.#microphone.output(id),
          () => dispatch({ type: 'mic-devices', ...devices(state().mic), output: '' }),
        );
      },
      save: () => store.keep(state().choices, state().own.tested),
      remember: ({ kind, avoid }) => store.remember(kind, avoid, Date.now()),
      notify: ({ what }) => alerts[what](),
    };
  }

  /** What holds devices to account, and costs them a little work.
   * @returns {Pick<Table, OfAccount>} */
  #accounts() {
    const { store } = this.#parts;
    // Which puzzle is wanted, since the solver may come late.
    let wanted = 0;
    return {
      puzzle: (puzzle) => {
        const mine = ++wanted;
        this.#solving((solver) => {
          if (mine === wanted) solver.solve(puzzle);
        });
      },
      'ask-work': () => this.#parts.socket.send(protocol.find(this.#parts.state().choices, [], '', '')),
      'puzzle-stop': () => {
        wanted++;
        this.#solver?.stop();
      },
      age: ({ ticket }) => store.keepAge(ticket),
      review: ({ code }) => store.keepReview(code, Date.now()),
      forget: () => {
        store.forget();
        location.reload();
      },
    };
  }

  /** solving does something with the solver, when it has come.
   * @param {(solver: import('./solver.js').Solver) => void} task */
  #solving(task) {
    const { dispatch } = this.#parts;
    import('./solver.js')
      .then(({ Solver }) => {
        this.#solver ??= new Solver(dispatch);
        task(this.#solver);
      })
      .catch(() => dispatch({ type: 'puzzle-failed' }));
  }

  /** @param {protocol.Connected} frame */
  #begin(frame) {
    const { socket, dispatch, level, state } = this.#parts;
    const engine = this.#engine;
    // No search begins without it.
    if (!engine) return;
    const prepared = this.#prepared ?? engine.prepare();
    this.#prepared = null;
    this.#speaker.volume(state().call?.volume ?? 1);
    this.#call = new engine.Call(frame, prepared, {
      track: this.#microphone.track,
      send: (envelope) => socket.send(envelope),
      hear: dispatch,
      play: (stream) => this.#speaker.play(stream),
      level: (loud) => level('peer', loud),
      heard: () => this.#speaker.level(),
    });
  }
}

/** @param {import('./app-state.js').Mic} mic */
const devices = ({ inputs, input, outputs }) => ({ inputs, input, outputs });

// Without words or view there is only what index.html says; it also shows when a module does not come.
const late = own('.late', HTMLElement);

main().catch((error) => {
  console.error(error);
  own('#app', HTMLElement).replaceChildren(late);
  Object.assign(document.documentElement.dataset, { state: 'blocked', reason: 'error' });
});
