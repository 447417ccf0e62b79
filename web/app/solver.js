// Has a puzzle solved beside the page, one at a time.

/** @typedef {import('./app-state.js').PuzzleEvent} PuzzleEvent */

const url = new URL('solver-worker.js', import.meta.url).href;

/** A browser that guards against text that becomes code starts this one file and no other.
 * @type {{createScriptURL: (name: string) => string}} */
const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy('parley-solver', {
  createScriptURL: () => url,
}) ?? { createScriptURL: () => url };

export class Solver {
  /** @type {Worker | null} */
  #worker = null;
  #hear;

  /** @param {(event: PuzzleEvent) => void} hear */
  constructor(hear) {
    this.#hear = hear;
  }

  /** @param {{challenge: string, bits: number, within: number}} puzzle */
  solve(puzzle) {
    this.stop();
    const worker = new Worker(policy.createScriptURL(url), { type: 'module' });
    this.#worker = worker;
    /** @param {PuzzleEvent} event */
    const end = (event) => {
      if (worker !== this.#worker) return;
      this.stop();
      this.#hear(event);
    };
    worker.onmessage = ({ data }) => {
      if (data.proof) end({ type: 'puzzle-solved', proof: data.proof });
      else if (data.late) end({ type: 'puzzle-late' });
      else if (worker === this.#worker) this.#hear({ type: 'puzzle-pace', ms: data.pace });
    };
    worker.onerror = () => end({ type: 'puzzle-failed' });
    worker.postMessage(puzzle);
  }

  stop() {
    this.#worker?.terminate();
    this.#worker = null;
  }
}
