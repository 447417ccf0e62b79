// Has puzzles solved beside the page, one at a time.

/** @typedef {import('./app-state.js').PuzzleEvent} PuzzleEvent */
/** @typedef {{challenge: string, bits: number, within: number}} Task */

const url = new URL('solver-worker.js', import.meta.url).href;
// ms of work for nothing, after which a browser has made the code fast.
const WARM = 80;

/** A browser that guards against text that becomes code starts this one file and no other.
 * @type {{createScriptURL: (name: string) => string}} */
const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy('parley-solver', {
  createScriptURL: () => url,
}) ?? { createScriptURL: () => url };

export class Solver {
  /** @type {Worker | null} */
  #worker = null;
  #hear;
  // The task whose answer is wanted, 0 for none.
  #turn = 0;
  #turns = 0;

  /** @param {(event: PuzzleEvent) => void} hear */
  constructor(hear) {
    this.#hear = hear;
  }

  /** warm gets ready for a puzzle that will probably come. */
  warm() {
    if (!this.#worker) this.#ask({ challenge: '', bits: 32, within: WARM }, 0);
  }

  /** @param {Task} task */
  solve(task) {
    if (this.#turn) this.stop();
    this.#turn = ++this.#turns;
    this.#ask(task, this.#turn);
  }

  stop() {
    this.#worker?.terminate();
    this.#worker = null;
    this.#turn = 0;
  }

  /** @param {Task} task @param {number} turn */
  #ask(task, turn) {
    this.#worker ??= this.#start();
    this.#worker.postMessage({ ...task, turn });
  }

  #start() {
    const worker = new Worker(policy.createScriptURL(url), { type: 'module' });
    /** @param {PuzzleEvent} event */
    const end = (event) => {
      this.stop();
      this.#hear(event);
    };
    worker.onmessage = ({ data }) => {
      if (worker !== this.#worker || data.turn !== this.#turn || !this.#turn) return;
      if (data.proof) end({ type: 'puzzle-solved', proof: data.proof });
      else if (data.late) end({ type: 'puzzle-late' });
      else this.#hear({ type: 'puzzle-pace', ms: data.pace });
    };
    worker.onerror = () => {
      if (worker !== this.#worker) return;
      if (this.#turn) end({ type: 'puzzle-failed' });
      else this.stop();
    };
    return worker;
  }
}
