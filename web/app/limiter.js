// How the peer is heard: through a limiter, so that a scream does not hurt, and out of the one
// <audio> element of the page, so that volume and output device work everywhere.
//
//   stream -> compressor -> gain -> stream -> <audio>
//
// Chrome feeds a remote stream to WebAudio only while some media element plays it too: that one
// whispers, 40 dB below. Muted it would do as well, but then Chrome counts no energy of the sound in
// getStats. Where WebAudio does not run, the element of the page plays the stream itself.

const THRESHOLD = -14; // dB: loud speech passes, a scream does not
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

  /** touch is called for every touch and key: what the browser refused before may play now. */
  touch() {
    if (!this.#stream) return;
    this.#context()
      .resume()
      .catch(() => {});
    if (this.#element.paused) this.#start();
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
