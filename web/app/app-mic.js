// The microphone screen, and what happens when the microphone comes and goes.

import { confirm, search, stopSearch } from './app-search.js';
import { go } from './app-state.js';

/** @typedef {import('./app-state.js').State} State */
/** @typedef {import('./app-state.js').Context} Context */

/** @param {State} s @param {Context} x */
function ask(s, x) {
  s.mic = { ...s.mic, phase: 'asking', error: '' };
  x.out({ do: 'mic', what: 'ask' });
}

export const micActions = {
  /** @param {State} s @param {unknown} _ @param {Context} x */
  'mic-ask': (s, _, x) => ask(s, x),
  /** @param {State} s @param {unknown} _ @param {Context} x */
  'mic-retry': (s, _, x) => ask(s, x),
  /** @param {State} s @param {unknown} _ @param {Context} x */
  'mic-record'(s, _, x) {
    if (s.mic.phase !== 'test') return;
    s.mic.phase = 'recording';
    x.out({ do: 'mic', what: 'record' });
  },
  /** @param {State} s @param {unknown} _ @param {Context} x */
  'mic-play'(s, _, x) {
    if (s.mic.phase !== 'test') return;
    s.mic.phase = 'playing';
    x.out({ do: 'mic', what: 'play' });
  },
  /** @param {State} s @param {unknown} _ @param {Context} x */
  'mic-ok'(s, _, x) {
    if (s.screen !== 'mic' || !s.own.micLive) return;
    s.own.tested = true;
    search(s, x);
  },
  /** @param {State} s @param {{id: string}} e @param {Context} x */
  input(s, { id }, x) {
    s.mic.input = id;
    x.out({ do: 'input', id });
  },
  /** @param {State} s @param {{id: string}} e @param {Context} x */
  output(s, { id }, x) {
    s.mic.output = id;
    x.out({ do: 'output', id });
  },
};

export const micEvents = {
  /** @param {State} s @param {unknown} _ @param {Context} x */
  'mic-live'(s, _, x) {
    s.own.micLive = true;
    s.own.granted = true;
    s.mic = { ...s.mic, phase: 'test', error: '' };
    if (s.alert === 'mic') s.alert = '';
    confirm(s, x);
  },
  /** @param {State} s */
  'mic-pending'(s) {
    if (s.mic.phase === 'asking') s.mic.phase = 'pending';
  },
  /** @param {State} s @param {{error: import('./app-state.js').MicError}} e @param {Context} x */
  'mic-failed'(s, { error }, x) {
    s.own.micLive = false;
    if (error === 'denied' || error === 'blocked') s.own.granted = false;
    s.mic = { ...s.mic, phase: 'failed', error };
    if (s.call) s.alert = 'mic';
    else if (s.screen === 'queued' || s.screen === 'matched') {
      stopSearch(s, x);
      go(s, 'mic');
    }
  },
  /** @param {State} s */
  'mic-lost'(s) {
    s.own.micLive = false;
    if (s.call) s.alert = 'mic';
  },
  /** @param {State} s */
  'mic-switched'(s) {
    if (s.own.micLive) s.alert = 'device';
  },
  /** @param {State} s @param {{silent: boolean}} e */
  'mic-silent'(s, { silent }) {
    if (s.mic.phase !== 'failed') s.mic.error = silent ? 'silent' : '';
  },
  /** @param {State} s @param {unknown} _ @param {Context} x */
  'mic-recorded'(s, _, x) {
    if (s.mic.phase !== 'recording') return;
    s.mic.phase = 'playing';
    x.out({ do: 'mic', what: 'play' });
  },
  /** @param {State} s */
  'mic-played'(s) {
    if (s.mic.phase === 'playing') s.mic.phase = 'test';
  },
  /** @param {State} s @param {import('./app-state.js').Devices} e */
  'mic-devices'(s, { inputs, input, outputs, output }) {
    Object.assign(s.mic, { inputs, input, outputs, output });
  },
  /** @param {State} s @param {{granted: boolean}} e */
  'mic-granted'(s, { granted }) {
    s.own.granted = granted;
  },
};
