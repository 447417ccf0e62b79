// A page without a browser, for the tests of the reducer: events in, state and effects out.
import { start, step } from './app.js';

export const choices = { languages: ['en'], interests: ['music'], widen: true, adult: true };
export const ICE = { servers: [], ttl_ms: 600000 };
export const QUEUED = {
  t: 'queued',
  place: 'P1',
  since_ms: 0,
  widens_ms: 6000,
  steps: [
    { at_ms: 0, look: 'interests' },
    { at_ms: 6000, look: 'anything' },
  ],
  wait: { p50_ms: 9000, p90_ms: 20000 },
  waiting: 7,
};
export const MATCHED = { t: 'matched', match: 'M1', role: 'offer', shared: ['music'], language: 'en', within_ms: 4000 };
export const CONNECTED = {
  t: 'connected',
  room: 'R',
  me: 'a',
  peer: 'b',
  role: 'offer',
  ice: ICE,
  handle: 'H1',
  avoid: 'V1',
  pass: 'K1',
  shared: ['music'],
  language: 'en',
};

export function freeze(value) {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  }
  return value;
}

/** brief names an effect in a word or two. */
export function brief(e) {
  if (e.do === 'send') return `send ${e.frame.t}`;
  return [e.do, e.what ?? e.kind ?? e.on ?? e.place ?? e.value ?? e.id]
    .filter((p) => p !== undefined && p !== '')
    .join(' ');
}

export class Page {
  now = 1e12;
  effects = [];
  constructor(state = start(choices)) {
    this.state = freeze(state);
  }
  /** do takes events, by name, as frames or whole, and returns the effects of the last one. */
  do(...events) {
    for (const e of events) {
      const event = typeof e === 'string' ? { type: e } : e.t ? { type: 'frame', frame: e } : e;
      const [next, effects] = step(this.state, freeze(event), this.now);
      this.state = freeze(next);
      this.effects = effects;
    }
    return this.effects.map(brief);
  }
  wait(ms) {
    this.now += ms;
    return this.do('tick');
  }
  get at() {
    return `${this.state.screen} ${this.state.reason}`.trim();
  }
}

/** on lets events happen to a page and returns it. */
export const on = (p, ...events) => {
  p.do(...events);
  return p;
};

// The way to each screen.
export const online = { type: 'welcome', resumed: false };
export const atMic = () => on(new Page(), online, 'find');
export const queued = () => on(atMic(), 'mic-ask', 'mic-live', 'mic-ok', QUEUED);
export const matched = () => on(queued(), MATCHED);
export const connecting = () => on(matched(), CONNECTED);
export const live = () => on(connecting(), 'peer-live');
export const ended = () => on(live(), { t: 'ended', why: 'peer_left' });
