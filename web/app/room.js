// One room: carries out what its reducer asks for, and knows all its parts but the view. Nothing of it outlives
// the page, except what this tab needs to come back after a reload (room-store.js), which goes when the person does.

import { encode } from './bytes.js';
import * as protocol from './protocol.js';
import { ofChannel, ofLink } from './room-keys.js';
import { Devices } from './room-media.js';
import { Pair } from './room-pair.js';
import { RoomPeer } from './room-peer.js';
import { fragment } from './room-phrase.js';
import { advise, line, measure, plan, strained } from './room-plan.js';
import { chips } from './room-send.js';
import { ours, peer, start } from './room-state.js';
import { step } from './room-step.js';
import * as store from './room-store.js';

/** @typedef {import('./room-state.js').State} State */
/** @typedef {import('./room-state.js').Event} Event */
/** @typedef {import('./room-state.js').Effect} Effect */
/** @typedef {{[K in Effect['do']]: (effect: Effect & {do: K}) => void}} Table */
/** @typedef {object} Shell
 * @property {(frame: protocol.Outgoing) => void} send
 * @property {(state: State) => void} render
 * @property {(id: string, stream: MediaStream) => void} plays
 * @property {(tracks: {audio: MediaStreamTrack | null, video: MediaStreamTrack | null}) => void} preview
 * @property {(what: 'knock' | 'joined' | 'message') => void} notify */

const SAMPLE = 1000;
// ms: longer than this nobody waits for new credentials of the relay.
const RENEWAL = 1500;
const FRESH = 3000;
// ms that a connection is young.
const SETTLING = 5000;
const DAY = 86400000;

/** Of this page, and as epoch; it never jumps. */
export const clock = () => performance.timeOrigin + performance.now();

/** @param {string} text */
const decode = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (ch) => ch.charCodeAt(0));

export class Room {
  #shell;
  #state;
  /** @type {Event[]} */
  #events = [];
  #running = false;
  /** @type {Map<string, Pair>} */
  #pairs = new Map();
  /** @type {Map<string, RoomPeer>} */
  #peers = new Map();
  /** @type {Map<string, import('./room-sdp.js').Word[]>} */
  #early = new Map();
  /** @type {Map<string, Uint8Array<ArrayBuffer>>} the ticket that an earlier page got of each */
  #tickets = new Map();
  /** @type {Uint8Array<ArrayBuffer> | null} */
  #secret = null;
  #me = '';
  /** @type {protocol.Ice} */
  #ice = { servers: [], ttl_ms: 0 };
  #iceAt = Number.NEGATIVE_INFINITY;
  /** @type {(() => void)[]} */
  #renewed = [];
  #devices;
  /** @type {import('./room-plan.js').Line} */
  #line = line();
  #strained = 0;
  /** @type {import('./room-send.js').Able} */
  #able = { hardware: [], frugal: (navigator.hardwareConcurrency ?? 2) <= 2 };
  #busy = false;
  #planned = '';
  /** @type {Table} */
  #table;
  #timers;

  /** @param {Shell} shell @param {State} [state] */
  constructor(shell, state = start(clock())) {
    this.#shell = shell;
    this.#state = state;
    for (const [id, ticket] of Object.entries(state.own.tickets)) this.#tickets.set(id, decode(ticket));
    this.#devices = new Devices(
      (event) => this.dispatch(event),
      () => {
        shell.preview(this.#devices.tracks);
        for (const one of this.#peers.values()) one.retrack();
      },
    );
    this.#table = { ...this.#around(), ...this.#together() };
    chips().then((hardware) => {
      this.#able = { ...this.#able, hardware };
    });
    if (state.again) this.#table.derive({ do: 'derive' });
    this.#timers = [
      setInterval(() => this.dispatch({ type: 'tick' }), 1000),
      setInterval(() => this.#sample(), SAMPLE),
    ];
  }

  get state() {
    return this.#state;
  }

  get devices() {
    return this.#devices;
  }

  /** dispatch takes events one at a time: an effect may bring the next one.
   * @param {Event} event */
  dispatch(event) {
    this.#events.push(event);
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = this.#events.shift(); next; next = this.#events.shift()) {
        const [after, effects] = step(this.#state, next, clock());
        this.#state = after;
        for (const effect of effects) this.#run(effect);
        this.#shell.render(after);
      }
    } finally {
      this.#running = false;
    }
  }

  /** hear takes what the socket says.
   * @param {any} event */
  hear(event) {
    if (event.type !== 'frame' || event.frame.t !== 'relay') return this.dispatch(event);
    const { from, seq, box } = event.frame;
    if (this.#state.place === 'inside' && peer(this.#state, from)) this.#pair(from).receive({ seq, box });
  }

  /** @param {Effect} effect */
  #run(effect) {
    try {
      /** @type {any} */
      const table = this.#table;
      table[effect.do](effect);
    } catch (error) {
      console.error(error);
    }
  }

  /** What concerns this browser and the server.
   * @returns {Omit<Table, 'pair' | 'drop' | 'turn-away' | 'again' | 'say' | 'room'>} */
  #around() {
    return {
      send: ({ frame }) => this.#shell.send(frame),
      derive: () => void this.#derive().catch((error) => console.error(error)),
      ice: ({ ice }) => {
        this.#ice = ice;
        this.#iceAt = performance.now();
        for (const go of this.#renewed.splice(0)) go();
      },
      close: () => this.#close(),
      media: ({ kind, on }) => void this.#devices.turn(kind, on),
      mute: ({ on }) => this.#devices.mute(on),
      hide: () => {
        for (const one of this.#peers.values()) one.rebuild();
      },
      keep: () => store.keep(this.#state, clock()),
      forget: () => store.forget(),
      notify: ({ what }) => this.#shell.notify(what),
    };
  }

  /** What concerns the others.
   * @returns {Pick<Table, 'pair' | 'drop' | 'turn-away' | 'again' | 'say' | 'room'>} */
  #together() {
    return {
      room: ({ me }) => {
        // Another name needs other keys with everybody.
        if (this.#me && this.#me !== me) for (const id of [...this.#pairs.keys()]) this.#drop(id);
        this.#me = me;
      },
      pair: ({ id }) => this.#pair(id).permit(),
      drop: ({ id }) => this.#drop(id),
      'turn-away': ({ id }) => this.#pairs.get(id)?.say({ k: 'full' }),
      again: ({ id }) => {
        const one = this.#peers.get(id);
        if (!one) this.#pair(id).permit();
        // Their line to the server was gone, not the one to us.
        else if (one.live) this.dispatch({ type: 'live', id });
        else one.restart();
      },
      say: ({ note, except, to }) => {
        for (const [id, one] of this.#peers) if (id !== except && (to === '' || id === to)) one.say(note);
      },
    };
  }

  async #derive() {
    const { kind, words, channel } = this.#state;
    if (kind === 'channel') return this.dispatch({ type: 'tag', tag: await ofChannel(channel) });
    const { tag, secret } = await ofLink(fragment(words));
    this.#secret = secret;
    this.dispatch({ type: 'tag', tag });
  }

  /** @param {string} id */
  #pair(id) {
    const known = this.#pairs.get(id);
    if (known) return known;
    const { tag, kind, channel, password } = this.#state;
    const about = {
      tag,
      me: this.#me,
      peer: id,
      number: channel,
      password,
      secret: kind === 'link' ? this.#secret : null,
    };
    const made = new Pair(about, {
      send: ({ seq, box }) => this.#shell.send(protocol.envelope(id, seq, box)),
      approach: () => this.dispatch({ type: 'approach', id }),
      guess: () => {
        const at = clock();
        this.dispatch({ type: 'guess', at });
        return at;
      },
      proven: (proven) => void this.#proven(id, proven),
      refused: () => this.dispatch({ type: 'unpaired', id }),
      word: (word) => {
        if (word.k === 'full') this.dispatch({ type: 'told-full', id });
        else if (this.#early.has(id)) this.#early.get(id)?.push(word);
        else this.#peers.get(id)?.word(word);
      },
      ticket: () => this.#tickets.get(id) ?? null,
    });
    this.#pairs.set(id, made);
    return made;
  }

  /** @param {string} id @param {{secret: Uint8Array<ArrayBuffer>, ticket: Uint8Array<ArrayBuffer>, back: boolean, guess: number}} proven */
  async #proven(id, { secret, ticket, back, guess }) {
    this.dispatch({ type: 'paired', id, back, guess });
    if (peer(this.#state, id)?.phase !== 'joined') return;
    this.#peers.get(id)?.close();
    this.#peers.delete(id);
    this.#tickets.set(id, ticket);
    this.dispatch({ type: 'ticket', id, ticket: encode(ticket) });
    const pair = this.#pairs.get(id);
    // Words may come while the certificate is made.
    /** @type {import('./room-sdp.js').Word[]} */
    const early = [];
    this.#early.set(id, early);
    /** @type {EcKeyGenParams & {expires: number}} */
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', expires: DAY };
    const certificate = await RTCPeerConnection.generateCertificate(algorithm);
    if (this.#early.get(id) !== early || !pair) return;
    this.#early.delete(id);
    const made = this.#connect(id, secret, certificate, pair);
    this.#peers.set(id, made);
    for (const word of early) made.word(word);
  }

  /** @param {string} id @param {Uint8Array<ArrayBuffer>} secret @param {RTCCertificate} certificate @param {Pair} pair */
  #connect(id, secret, certificate, pair) {
    const size = this.#plan().video;
    const made = new RoomPeer({
      me: this.#me,
      peer: id,
      tag: this.#state.tag,
      secret,
      certificate,
      ice: () => this.#ice,
      hidden: () => this.#state.hidden,
      tracks: () => this.#devices.tracks,
      able: () => this.#able,
      fresh: () => this.#fresh(),
      send: (word) => pair.say(word),
      plays: (stream) => this.#shell.plays(id, stream),
      hear: (event) => this.dispatch(event),
    });
    made.fit(size);
    return made;
  }

  async #fresh() {
    if (performance.now() - this.#iceAt < FRESH) return;
    this.#shell.send(protocol.relays());
    await new Promise((resolve) => {
      this.#renewed.push(() => resolve(undefined));
      setTimeout(resolve, RENEWAL);
    });
  }

  /** @param {string} id */
  #drop(id) {
    this.#peers.get(id)?.close();
    this.#pairs.get(id)?.close();
    this.#peers.delete(id);
    this.#pairs.delete(id);
    this.#early.delete(id);
  }

  #situation() {
    const sending = this.#devices.tracks.video !== null;
    return {
      members: ours(this.#state).length + 1,
      line: this.#line.kbps,
      sending,
      weak: performance.now() < this.#strained,
    };
  }

  #plan() {
    return plan(this.#situation());
  }

  async #sample() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const read = await Promise.all([...this.#peers].map(([id, one]) => this.#look(id, one)));
      const samples = read.filter((sample) => sample !== null);
      const now = performance.now();
      this.#strained = strained(this.#strained, now, samples);
      // Of a young connection the browser knows nothing yet, and would say that it carries little.
      const young = this.#state.peers.some((p) => p.phase === 'live' && clock() - p.since < SETTLING);
      if (!young) this.#line = measure(this.#line, now, samples, this.#plan());
      this.#replan();
    } finally {
      this.#busy = false;
    }
  }

  /** @param {string} id @param {RoomPeer} one */
  async #look(id, one) {
    const reading = one.live ? await one.sample().catch(() => null) : null;
    const p = peer(this.#state, id);
    if (!reading || !p) return null;
    const { path, moving, weak } = reading;
    if (path && path !== p.path) this.dispatch({ type: 'path', id, path });
    if (moving !== p.video) this.dispatch({ type: 'video', id, on: moving });
    if (weak !== p.weak) this.dispatch({ type: 'quality', id, weak });
    return reading;
  }

  #replan() {
    const picture = this.#plan();
    const advice = advise(this.#situation(), this.#state.capacity);
    const planned = JSON.stringify([picture, advice.level, advice.members]);
    if (planned === this.#planned) return;
    this.#planned = planned;
    for (const one of this.#peers.values()) one.fit(picture.video);
    this.dispatch({ type: 'plan', advice, picture });
  }

  /** Everything stops: connections, devices, keys, timers. The last words leave first. */
  #close() {
    const peers = [...this.#peers.values()];
    setTimeout(() => peers.forEach((one) => void one.close()), 300);
    for (const pair of this.#pairs.values()) pair.close();
    for (const timer of this.#timers) clearInterval(timer);
    this.#peers.clear();
    this.#pairs.clear();
    this.#early.clear();
    this.#tickets.clear();
    this.#secret = null;
    this.#devices.stop();
    this.#shell.preview(this.#devices.tracks);
  }
}
