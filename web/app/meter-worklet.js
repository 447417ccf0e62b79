// Runs in the audio thread: tells 20 times a second how loud the microphone is, and on request
// records a few seconds of it. Nothing leaves the device from here.

/** @type {any} */
const thread = globalThis;
/** The globals of an audio thread, which TypeScript's library does not list.
 * @type {{AudioWorkletProcessor: new () => {port: MessagePort}, registerProcessor: (name: string, kind: unknown) => void, sampleRate: number}} */
const { AudioWorkletProcessor, registerProcessor, sampleRate } = thread;

const TIMES = 20;

class Meter extends AudioWorkletProcessor {
  #sum = 0;
  #peak = 0;
  #count = 0;
  /** @type {Float32Array | null} */
  #record = null;
  #recorded = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      this.#record = new Float32Array(Math.round(data.seconds * sampleRate));
      this.#recorded = 0;
    };
  }

  /** @param {Float32Array[][]} inputs */
  process([input]) {
    const samples = input?.[0];
    if (!samples) return true;
    for (const s of samples) {
      this.#sum += s * s;
      this.#peak = Math.max(this.#peak, Math.abs(s));
    }
    this.#count += samples.length;
    if (this.#count >= sampleRate / TIMES) {
      this.port.postMessage({ rms: Math.sqrt(this.#sum / this.#count), peak: this.#peak });
      this.#sum = this.#peak = this.#count = 0;
    }
    this.#keep(samples);
    return true;
  }

  /** @param {Float32Array} samples */
  #keep(samples) {
    const record = this.#record;
    if (!record) return;
    const part = samples.subarray(0, record.length - this.#recorded);
    record.set(part, this.#recorded);
    this.#recorded += part.length;
    if (this.#recorded < record.length) return;
    this.#record = null;
    this.port.postMessage({ record }, [record.buffer]);
  }
}

registerProcessor('meter', Meter);
