// Microphone and camera of a room: asked for one at a time, each stopped for good when it is turned off, so that
// the light of the device goes out.

import { failure, missing } from './media.js';

/** @typedef {'mic' | 'camera'} Kind */
/** @typedef {{id: string, label: string}} Device */

/** @type {Record<Kind, 'audio' | 'video'>} */
const TRACK = { mic: 'audio', camera: 'video' };
const WANTED = {
  mic: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  camera: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
};

/** state of a permission, or '' where the browser does not say.
 * @param {Kind} kind @returns {Promise<{state: string, watch: (changed: () => void) => void}>} */
export async function permission(kind) {
  try {
    /** @type {any} */
    const name = kind === 'mic' ? 'microphone' : 'camera';
    const status = await navigator.permissions.query({ name });
    return { state: status.state, watch: (changed) => status.addEventListener('change', changed) };
  } catch {
    return { state: '', watch: () => {} };
  }
}

export class Devices {
  #hear;
  #changed;
  /** @type {Record<Kind, MediaStreamTrack | null>} */
  #tracks = { mic: null, camera: null };
  /** @type {Record<Kind, number>} which request counts */
  #asked = { mic: 0, camera: 0 };
  /** @type {Record<Kind, string>} */
  #chosen = { mic: '', camera: '' };
  #muted = false;

  /** @param {(event: import('./room-state.js').MediaEvent) => void} hear @param {() => void} changed other tracks are in use */
  constructor(hear, changed) {
    this.#hear = hear;
    this.#changed = changed;
  }

  get tracks() {
    return { audio: this.#tracks.mic, video: this.#tracks.camera };
  }

  /** @param {Kind} kind @param {boolean} on */
  async turn(kind, on) {
    const asked = ++this.#asked[kind];
    if (!on) {
      this.#use(kind, null);
      return this.#hear({ type: 'media', kind, on: false, error: '', device: '' });
    }
    const { stream, error } = await this.#open(kind);
    const [track] = stream?.getTracks() ?? [];
    if (asked !== this.#asked[kind]) return track?.stop();
    if (!track) return this.#hear({ type: 'media', kind, on: false, error, device: '' });
    track.onended = () => {
      if (this.#tracks[kind] === track) this.turn(kind, false);
    };
    this.#use(kind, track);
    this.#hear({ type: 'media', kind, on: true, error: '', device: track.getSettings().deviceId ?? '' });
  }

  /** choose uses another device, now if that kind is on.
   * @param {Kind} kind @param {string} id */
  choose(kind, id) {
    this.#chosen[kind] = id;
    if (this.#tracks[kind]) this.turn(kind, true);
  }

  /** @param {boolean} on */
  mute(on) {
    this.#muted = on;
    if (this.#tracks.mic) this.#tracks.mic.enabled = !on;
  }

  stop() {
    for (const kind of /** @type {Kind[]} */ (['mic', 'camera'])) {
      this.#asked[kind]++;
      this.#tracks[kind]?.stop();
      this.#tracks[kind] = null;
    }
  }

  /** list names the devices of a kind; browsers name them once one is in use.
   * @param {Kind} kind @returns {Promise<Device[]>} */
  async list(kind) {
    const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    const wanted = kind === 'mic' ? 'audioinput' : 'videoinput';
    return all.filter((d) => d.kind === wanted && d.deviceId).map((d) => ({ id: d.deviceId, label: d.label }));
  }

  /** @param {Kind} kind @param {MediaStreamTrack | null} track */
  #use(kind, track) {
    const old = this.#tracks[kind];
    this.#tracks[kind] = track;
    if (track && kind === 'mic') track.enabled = !this.#muted;
    this.#changed();
    old?.stop();
  }

  /** @param {Kind} kind @returns {Promise<{stream?: MediaStream, error: import('./room-state.js').MediaError}>} */
  async #open(kind) {
    const cannot = missing(window);
    if (cannot) return { error: /** @type {any} */ (cannot) };
    const before = await permission(kind);
    const id = this.#chosen[kind];
    try {
      const wanted = { ...WANTED[kind], ...(id ? { deviceId: { ideal: id } } : {}) };
      return { stream: await navigator.mediaDevices.getUserMedia({ [TRACK[kind]]: wanted }), error: '' };
    } catch (error) {
      const name = error instanceof Error ? error.name : '';
      const after = await permission(kind);
      return { error: /** @type {any} */ (failure(name, before.state, after.state, navigator.userAgent)) };
    }
  }
}
