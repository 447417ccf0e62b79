// Carries out what the reducer asks for. The one place that knows all parts of the engine.

import { Call, prepare } from './call.js';
import { Speaker } from './limiter.js';
import { Microphone } from './media.js';
import * as protocol from './protocol.js';

/** @typedef {import('./app-state.js').State} State */
/** @typedef {import('./app-state.js').Effect} Effect */
/** @typedef {import('./app-state.js').Event} Event */
/** @typedef {{[K in Effect['do']]: (effect: Effect & {do: K}) => void}} Table */
/** @typedef {'prepare' | 'call' | 'rejoined' | 'ice' | 'resync' | 'hang-up' | 'mute' | 'volume' | 'chat' | 'direct' | 'mismatch'} OfCall */
/** @typedef {object} Parts
 * @property {(event: Event) => void} dispatch
 * @property {() => State} state
 * @property {(side: 'me' | 'peer', level: number) => void} level
 * @property {import('./store.js').Store} store
 * @property {import('./socket.js').Socket} socket
 * @property {{matched(): void, ended(): void, message(): void, clear(): void}} alerts
 * @property {HTMLAudioElement} audio */

export class Effects {
  #parts;
  #microphone;
  #speaker;
  /** @type {Call | null} */
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
    this.#table = { ...this.#talking(), ...this.#around() };
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
        this.#prepared = prepare(); // anew: a certificate expires
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
   * @returns {Omit<Table, OfCall>} */
  #around() {
    const { store, socket, alerts, dispatch, state } = this.#parts;
    return {
      send: ({ frame }) => socket.send(frame),
      find: ({ place }) => socket.send(protocol.find(state().choices, store.avoid(Date.now()), place)),
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

  /** @param {protocol.Connected} frame */
  #begin(frame) {
    const { socket, dispatch, level, state } = this.#parts;
    const prepared = this.#prepared ?? prepare();
    this.#prepared = null;
    this.#speaker.volume(state().call?.volume ?? 1);
    this.#call = new Call(frame, prepared, {
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
