// The microphone: asked for, measured, replaced when it vanishes, and switched off for good when it
// is no longer needed. Also the list of devices.

import { Meter } from './sound.js';

/** @typedef {import('./app-state.js').MicEvent} MicEvent */
/** @typedef {import('./app-state.js').Device} Device */
/** @typedef {import('./app-state.js').MicError} MicError */
/** @typedef {object} Shell
 * @property {() => AudioContext} context
 * @property {(event: MicEvent) => void} hear
 * @property {(level: number) => void} level
 * @property {(track: MediaStreamTrack | null) => void} track the microphone in use changed */

const PENDING = 3000;
// iOS takes the microphone away for a phone call and does not give it back.
const MUTED_TOO_LONG = 5000;
// Browsers inside other apps, by what they call themselves.
const IN_APP = /FBA[NV]|Instagram|Line\/|MicroMessenger|; wv\)/;

export class Microphone {
  #shell;
  #meter;
  // Which request counts.
  #asked = 0;
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {ConstantSourceNode | null} what speaks while there is no microphone */
  #silence = null;
  #input = '';
  #output = '';
  #muted = false;
  // Nothing but zeros.
  #deaf = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #patience;

  /** @param {Shell} shell */
  constructor(shell) {
    this.#shell = shell;
    this.#meter = new Meter({
      level: shell.level,
      silent: (silent) => this.#silent(silent),
      recorded: () => shell.hear({ type: 'mic-recorded' }),
    });
    navigator.mediaDevices?.addEventListener?.('devicechange', () => this.#changed());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && this.#deaf) this.ask();
    });
    permission().then((state) => shell.hear({ type: 'mic-granted', granted: state === 'granted' }));
  }

  /** The open track, or null. */
  get track() {
    return this.#stream?.getAudioTracks()[0] ?? null;
  }

  /** ask opens the microphone; the browser may ask its person first. */
  async ask() {
    const asked = ++this.#asked;
    const cannot = missing(window);
    if (cannot) return this.#shell.hear({ type: 'mic-failed', error: cannot });
    const before = await permission();
    const pending = setTimeout(() => {
      if (asked === this.#asked) this.#shell.hear({ type: 'mic-pending' });
    }, PENDING);
    try {
      const stream = await this.#open();
      if (asked !== this.#asked) return release(stream);
      await this.#use(stream);
    } catch (error) {
      const code = failure(nameOf(error), before, await permission(), navigator.userAgent);
      if (asked === this.#asked) this.#shell.hear({ type: 'mic-failed', error: code });
    } finally {
      clearTimeout(pending);
    }
  }

  /** stop switches the microphone off: the browser's sign for it goes out. */
  stop() {
    this.#asked += 1;
    clearTimeout(this.#patience);
    this.#meter.stop();
    if (this.#stream) release(this.#stream);
    this.#stream = null;
    this.#hush();
    this.#muted = this.#deaf = this.#meter.paused = false;
  }

  /** @param {string} id of the device to speak through */
  input(id) {
    this.#input = id;
    if (this.#stream) this.ask();
  }

  /** @param {string} id of the device in use, for the list */
  output(id) {
    this.#output = id;
    this.#list();
  }

  /** @param {boolean} on */
  mute(on) {
    this.#muted = on;
    this.#meter.paused = on;
    if (this.track) this.track.enabled = !on;
  }

  record = () => this.#meter.record();

  async play() {
    await this.#meter.play();
    this.#shell.hear({ type: 'mic-played' });
  }

  async #open() {
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    if (!this.#input) return navigator.mediaDevices.getUserMedia({ audio });
    try {
      return await navigator.mediaDevices.getUserMedia({ audio: { ...audio, deviceId: { exact: this.#input } } });
    } catch (error) {
      if (nameOf(error) !== 'OverconstrainedError') throw error;
      // Unplugged: any other will do.
      this.#input = '';
      return navigator.mediaDevices.getUserMedia({ audio });
    }
  }

  /** @param {MediaStream} stream */
  async #use(stream) {
    if (this.#stream) release(this.#stream);
    this.#stream = stream;
    this.#deaf = false;
    const track = this.track;
    if (!track) return;
    track.enabled = !this.#muted;
    track.onended = () => this.#lost(track);
    track.onmute = () => {
      clearTimeout(this.#patience);
      this.#patience = setTimeout(() => this.#silent(true), MUTED_TOO_LONG);
    };
    track.onunmute = () => clearTimeout(this.#patience);
    this.#shell.track(track);
    this.#hush();
    this.#shell.hear({ type: 'mic-live' });
    this.#list();
    await this.#meter.start(this.#shell.context(), stream).catch((error) => console.warn('meter:', error.message));
  }

  /** lost asks for whatever microphone there still is. Until then silence is sent: with no packets at
   * all the peer would take the call for dead.
   * @param {MediaStreamTrack} track */
  #lost(track) {
    if (track !== this.track) return;
    const context = this.#shell.context();
    const out = context.createMediaStreamDestination();
    this.#hush();
    this.#silence = new ConstantSourceNode(context, { offset: 0 });
    this.#silence.connect(out);
    this.#silence.start();
    this.#shell.track(out.stream.getAudioTracks()[0] ?? null);
    this.#shell.hear({ type: 'mic-lost' });
    this.ask();
  }

  #hush() {
    this.#silence?.stop();
    this.#silence = null;
  }

  /** @param {boolean} silent */
  #silent(silent) {
    if (this.#muted) return;
    this.#deaf = silent;
    this.#shell.hear({ type: 'mic-silent', silent });
  }

  async #changed() {
    const devices = await this.#list();
    const used = this.track?.getSettings().deviceId;
    // Some browsers let a track of an unplugged device live on in silence.
    const gone = used && !devices.some((d) => d.deviceId === used);
    if (devices.length > 0 && (gone || this.#silence)) {
      this.#input = '';
      await this.ask();
      this.#shell.hear({ type: 'mic-switched' });
    }
  }

  async #list() {
    const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    /** @param {MediaDeviceKind} kind @returns {Device[]} */
    const kind = (kind) =>
      all.filter((d) => d.kind === kind && d.deviceId).map((d) => ({ id: d.deviceId, label: d.label }));
    const outputs = 'setSinkId' in HTMLMediaElement.prototype ? kind('audiooutput') : [];
    const input = this.track?.getSettings().deviceId ?? this.#input;
    this.#shell.hear({ type: 'mic-devices', inputs: kind('audioinput'), input, outputs, output: this.#output });
    return all.filter((d) => d.kind === 'audioinput' && d.deviceId);
  }
}

/** @param {any} error @returns {string} */
const nameOf = (error) => error?.name ?? '';

/** @param {MediaStream} stream */
function release(stream) {
  for (const track of stream.getTracks()) {
    track.onended = track.onmute = null;
    track.stop();
  }
}

/** Wake keeps the screen on during a call, where the browser can. A hidden page loses that, so it is
 * taken again when the page is seen. */
export class Wake {
  /** @type {Promise<WakeLockSentinel | null> | null} */
  #lock = null;
  #wanted = false;

  constructor() {
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && this.#wanted) this.#take();
    });
  }

  /** @param {boolean} on */
  keep(on) {
    if (on === this.#wanted) return;
    this.#wanted = on;
    if (on) this.#take();
    else this.#lock?.then((lock) => lock?.release());
  }

  #take() {
    this.#lock = Promise.resolve(navigator.wakeLock?.request('screen') ?? null).catch(() => null);
  }
}

/** permission is what the browser would answer without asking, or '' where it does not say. */
export async function permission() {
  try {
    /** @type {any} */
    const name = 'microphone';
    const { state } = await navigator.permissions.query({ name });
    return state;
  } catch {
    return '';
  }
}

/** missing tells why this page cannot even ask, or ''.
 * @param {{isSecureContext: boolean, navigator: {mediaDevices?: {getUserMedia?: unknown}}}} page @returns {MicError} */
export function missing(page) {
  if (page.navigator.mediaDevices?.getUserMedia) return '';
  return page.isSecureContext ? 'webview' : 'insecure';
}

/** failure names an error of getUserMedia. before and after are the permission at these times: a
 * browser that remembers a no has not asked at all, one that still would ask was only waved away. A
 * browser inside another app often has not asked either, whatever it says, and shows no way to change it.
 * @param {string} name @param {string} before @param {string} after @param {string} [agent] @returns {MicError} */
export function failure(name, before, after, agent = '') {
  switch (name) {
    case 'NotAllowedError':
      if (IN_APP.test(agent)) return 'webview';
      if (before === 'denied') return 'blocked';
      return after === 'prompt' ? 'dismissed' : 'denied';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'none';
    case 'TypeError':
      return 'insecure';
    default: // NotReadableError, AbortError, and what browsers invent
      return name === 'SecurityError' ? 'blocked' : 'busy';
  }
}
