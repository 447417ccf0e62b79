// Keeps the screen on during a call, where the browser can. It lets go by itself when the page is
// hidden, so it is taken again when the page is seen.

export class Wake {
  /** @type {Promise<WakeLockSentinel | null> | null} */
  #lock = null;
  #wanted = false;

  constructor() {
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && this.#wanted) this.#take();
    });
  }

  /** keep holds the screen on, or lets it go.
   * @param {boolean} on */
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
