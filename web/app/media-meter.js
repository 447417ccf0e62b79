// The level of the microphone, a recording of three seconds and its playback, all on this device.

import { fall, loudness } from './quality.js';

const SECONDS = 3;
const QUIET = 3000; // ms of nothing but zeros: no microphone is that silent

/** @typedef {{level: (level: number) => void, silent: (silent: boolean) => void, recorded: () => void}} MeterShell */

export class Meter {
  #shell;
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;
  /** @type {AudioWorkletNode | null} */
  #node = null;
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {Float32Array<ArrayBuffer> | null} */
  #record = null;
  #shown = 0;
  #soundAt = 0;
  #silent = false;
  /** While the track is switched off, zeros are no news. */
  paused = false;

  /** @param {MeterShell} shell */
  constructor(shell) {
    this.#shell = shell;
  }

  /** start measures a stream.
   * @param {AudioContext} context @param {MediaStream} stream */
  async start(context, stream) {
    this.#disconnect();
    this.#context = context;
    const source = context.createMediaStreamSource(stream);
    this.#source = source;
    await ready(context);
    if (source !== this.#source) return; // stopped or replaced meanwhile
    const node = new AudioWorkletNode(context, 'meter', {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: 'explicit',
    });
    this.#node = node;
    this.#soundAt = performance.now();
    node.port.onmessage = ({ data }) => {
      if (node === this.#node) this.#measured(data);
    };
    source.connect(node);
  }

  /** record keeps the next three seconds. */
  record() {
    this.#record = null;
    this.#node?.port.postMessage({ seconds: SECONDS });
  }

  /** play plays what was recorded, and resolves at its end. */
  async play() {
    const [context, record] = [this.#context, this.#record];
    if (!context || !record) return;
    const buffer = new AudioBuffer({ length: record.length, sampleRate: context.sampleRate });
    buffer.copyToChannel(record, 0);
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(context.destination);
    source.start();
    await new Promise((resolve) => {
      source.onended = resolve;
    });
  }

  /** stop forgets the stream and the recording. */
  stop() {
    this.#disconnect();
    this.#record = null;
    this.#shown = 0;
    this.#shell.level(0);
  }

  #disconnect() {
    this.#source?.disconnect();
    this.#node?.disconnect();
    this.#source = this.#node = null;
    this.#silent = false;
  }

  /** @param {{rms: number, peak: number, record?: Float32Array<ArrayBuffer>}} data */
  #measured({ rms, peak, record }) {
    if (record) {
      this.#record = record;
      this.#shell.recorded();
      return;
    }
    this.#shown = this.paused ? 0 : fall(this.#shown, loudness(rms));
    this.#shell.level(this.#shown);
    const now = performance.now();
    if (peak > 0 || this.paused) this.#soundAt = now;
    const silent = now - this.#soundAt >= QUIET;
    if (silent === this.#silent) return;
    this.#silent = silent;
    this.#shell.silent(silent);
  }
}

/** @type {WeakMap<AudioContext, Promise<void>>} */
const loaded = new WeakMap();

/** ready loads the worklet once for a context.
 * @param {AudioContext} context */
function ready(context) {
  const promise = loaded.get(context) ?? context.audioWorklet.addModule(new URL('./meter-worklet.js', import.meta.url));
  loaded.set(context, promise);
  return promise;
}
