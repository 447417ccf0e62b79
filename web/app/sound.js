// What is heard and measured on this device: the peer, the level of the microphone, and the recording
// of its test.

import { fall, loudness } from './judge.js';

// How the peer is heard: through a limiter, so that a scream does not hurt, and out of the one
// <audio> element of the page, so that volume and output device work everywhere.
//
//   stream -> compressor -> gain -> stream -> <audio>
//
// Chrome feeds a remote stream to WebAudio only while some media element plays it too: that one
// whispers, 40 dB below. Muted it would do as well, but then Chrome counts no energy of the sound in
// getStats. Where WebAudio does not run, the element of the page plays the stream itself.

// dB: loud speech passes, a scream does not.
const THRESHOLD = -14;
const RATIO = 20;
const WHISPER = 0.01;
// A compressor of WebAudio raises everything by (its loss at 0 dB) ^ 0.6; this takes that back.
const UNDO = 10 ** (((THRESHOLD - THRESHOLD / RATIO) * 0.6) / 20);

export class Speaker {
  #element;
  #context;
  #refused;
  #whisper = new Audio();
  /** @type {MediaStream | null} */
  #stream = null;
  #hushed = false;
  /** @type {AudioNode[]} */
  #nodes = [];
  /** @type {AnalyserNode | null} */
  #ear = null;
  #wave = new Float32Array(1024);

  /** @param {HTMLAudioElement} element @param {() => AudioContext} context
   * @param {(on: boolean) => void} refused the browser plays nothing before a touch, or plays now */
  constructor(element, context, refused) {
    this.#element = element;
    this.#context = context;
    this.#refused = refused;
    this.volume(1);
  }

  /** play lets a stream of the peer be heard.
   * @param {MediaStream} stream */
  play(stream) {
    this.stop();
    this.#stream = stream;
    const context = this.#context();
    context.onstatechange = () => this.#wire();
    this.#wire();
  }

  /** touch is called for every touch and key, with the context resumed: what the browser refused before
   * may play now. */
  touch() {
    if (this.#stream && this.#element.paused) this.#start();
  }

  /** @param {number} value 0 to 1 */
  volume(value) {
    this.#element.volume = value;
    this.#whisper.volume = value * WHISPER;
    // iOS leaves the volume to its buttons, and needs no second element.
    this.#hushed = this.#whisper.volume > WHISPER;
    this.#whisper.muted = this.#hushed || this.#element.muted;
  }

  /** @param {boolean} on */
  mute(on) {
    this.#element.muted = on;
    this.#whisper.muted = on || this.#hushed;
  }

  /** output plays through another device.
   * @param {string} id */
  async output(id) {
    await this.#element.setSinkId?.(id);
  }

  /** stop plays nothing any more. */
  stop() {
    this.#stream = null;
    this.#unwire();
    this.#element.srcObject = this.#whisper.srcObject = null;
    this.mute(false);
  }

  /** level is how loud the peer is before the limiter, the peak of the last moment, 0 to 1; -1 where
   * WebAudio does not run. We measure it ourselves: the header that would say it (RFC 6464) goes
   * over the network in clear and is not negotiated (sdp.js). */
  level() {
    if (!this.#ear) return -1;
    this.#ear.getFloatTimeDomainData(this.#wave);
    return this.#wave.reduce((peak, v) => Math.max(peak, Math.abs(v)), 0);
  }

  #unwire() {
    this.#ear = null;
    for (const node of this.#nodes) node.disconnect();
    this.#nodes = [];
  }

  #wire() {
    const stream = this.#stream;
    if (!stream) return;
    this.#unwire();
    const context = this.#context();
    if (context.state === 'running') {
      this.#whisper.srcObject = stream;
      this.#whisper.play().catch(() => {});
      const source = context.createMediaStreamSource(stream);
      const limiter = new DynamicsCompressorNode(context, {
        threshold: THRESHOLD,
        knee: 0,
        ratio: RATIO,
        attack: 0.002,
        release: 0.2,
      });
      const gain = new GainNode(context, { gain: UNDO });
      const out = context.createMediaStreamDestination();
      source.connect(limiter).connect(gain).connect(out);
      this.#ear = new AnalyserNode(context, { fftSize: 1024 });
      source.connect(this.#ear);
      this.#nodes = [source, limiter, gain];
      this.#element.srcObject = out.stream;
    } else {
      this.#whisper.srcObject = null;
      this.#element.srcObject = stream;
    }
    this.#start();
  }

  #start() {
    this.#element.play().then(
      () => this.#refused(false),
      (error) => {
        if (error.name === 'NotAllowedError') this.#refused(true);
      },
    );
  }
}

// The level of the microphone, a recording of three seconds and its playback, all on this device.

const SECONDS = 3;
// ms of nothing but zeros: no microphone is that silent.
const QUIET = 3000;

/** @typedef {{level: (level: number) => void, silent: (silent: boolean) => void, recorded: () => void}} MeterShell */

export class Meter {
  #shell;
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;
  /** @type {AudioWorkletNode | null} */
  #node = null;
  /** @type {AudioContext | null} the one of the page */
  #context = null;
  /** @type {Promise<void> | undefined} */
  #loaded;
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
    this.#loaded ??= context.audioWorklet.addModule(new URL('./meter-worklet.js', import.meta.url));
    await this.#loaded;
    // Stopped or replaced meanwhile.
    if (source !== this.#source) return;
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
