// What a person may ask about their own device: how it stands, what is stored about it, and to have that
// erased or looked at by a human.

import * as protocol from './protocol.js';

/** @typedef {import('./app-state.js').State} State */
/** @typedef {import('./app-state.js').Context} Context */
/** @typedef {import('./app-state.js').Dossier} Dossier */

/** ask sends a question, or the question under way again.
 * @param {State} s @param {Context} x @param {Dossier['asking']} what */
function ask(s, x, what) {
  s.device.asking = what;
  const frames = {
    '': null,
    standing: protocol.standing,
    erase: protocol.erase,
    review: protocol.review,
    answer: () => protocol.answer(s.device.code),
  };
  const frame = frames[what]?.();
  if (frame) x.out({ do: 'send', frame });
}

/** askStanding looks up how this device stands, unless another question is under way.
 * @param {State} s @param {Context} x */
export function askStanding(s, x) {
  if (s.device.asking) return;
  s.device.trouble = '';
  ask(s, x, 'standing');
}

/** askAgain repeats what has no answer yet. The server may do each of them twice.
 * @param {State} s @param {Context} x */
export const askAgain = (s, x) => ask(s, x, s.device.asking);

/** done ends the question of that name and tells whether it was under way.
 * @param {State} s @param {Dossier['asking']} what */
function done(s, what) {
  const mine = s.device.asking === what;
  if (mine) Object.assign(s.device, { asking: '', trouble: '' });
  return mine;
}

/** A question that waits for no other one.
 * @param {Dossier['asking']} what @returns {(s: State, e: unknown, x: Context) => void} */
const question = (what) => (s, _, x) => {
  if (s.device.asking && s.device.asking !== 'standing') return;
  Object.assign(s.device, { trouble: '', sure: false });
  ask(s, x, what);
};

export const deviceActions = {
  /** @type {(s: State, e: unknown, x: Context) => void} */
  standing: (s, _, x) => askStanding(s, x),
  review: question('review'),
  /** @param {State} s @param {{code: string}} e @param {Context} x */
  answer(s, { code }, x) {
    const words = code.trim();
    if (!words) return;
    Object.assign(s.device, { code: words, answer: '' });
    question('answer')(s, null, x);
  },
  /** @param {State} s */
  'erase-ask'(s) {
    s.device.sure = true;
  },
  /** @param {State} s */
  'erase-not'(s) {
    s.device.sure = false;
  },
  erase: question('erase'),
};

export const deviceFrames = {
  /** @param {State} s @param {import('./protocol.js').Stand} f @param {Context} x */
  standing(s, { band, until_ms, reasons, expires_ms, stored }, x) {
    done(s, 'standing');
    const at = (/** @type {number} */ ms) => (ms > 0 ? x.now + ms : 0);
    s.device.standing = { band, until: at(until_ms), reasons, expires: at(expires_ms), stored };
  },
  /** @param {State} s @param {unknown} _ @param {Context} x */
  erased(s, _, x) {
    // Another tab of this browser may have asked.
    done(s, 'erase');
    x.out({ do: 'forget' });
  },
  /** @param {State} s @param {{code: string}} f @param {Context} x */
  review(s, { code }, x) {
    done(s, 'review');
    Object.assign(s.device, { code, answer: 'open' });
    x.out({ do: 'review', code });
  },
  /** @param {State} s @param {{state: Exclude<Dossier['answer'], ''>}} f @param {Context} x */
  answer(s, { state }, x) {
    if (!done(s, 'answer')) return;
    s.device.answer = state;
    // What was expunged changes how the device stands.
    if (state === 'expunged') askStanding(s, x);
  },
};

/** refusedDevice answers an error about one of the questions.
 * @param {State} s @param {import('./protocol.js').Refusal} f @returns {boolean} whether to ask again later */
export function refusedDevice(s, f) {
  if (f.about !== s.device.asking) return false;
  s.device.trouble = f.code;
  if (f.code === 'unavailable') return true;
  s.device.asking = '';
  return false;
}
