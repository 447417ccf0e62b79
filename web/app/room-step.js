// The reducer of a room: step(state, event, now) gives the next state and what is to be done. Pure: no DOM, no
// timer, no socket, no key; room.js carries the effects out and brings the events.
//
// Who is in the room and who shares its secret are two things. The server says the first. The second two
// browsers find out between them, and only those who do are shown, heard and spoken to: on a channel others
// may sit with another password, a group of their own that is never met.

import * as protocol from './protocol.js';
import { pause, refund, spend } from './room-cpace.js';
import * as frames from './room-frames.js';
import { allow, greet, hear, left, lock, locked, readWord } from './room-lock.js';
import { MOST_MEMBERS, ours, peer } from './room-state.js';

/** @typedef {import('./room-state.js').State} State */
/** @typedef {import('./room-state.js').Peer} Peer */
/** @typedef {import('./room-state.js').Event} Event */
/** @typedef {import('./room-state.js').Effect} Effect */
/** @typedef {import('./room-state.js').Context} Context */
/** @typedef {{[K in Event['type']]: (s: State, e: Event & {type: K}, x: Context) => void}} Handlers */

// ms that keys may take; then they have not our secret, or nothing at all.
const PAIRING = 10000;
// ms until a question that the server could not take is asked again.
const RETRY = 2500;
const MOST_LINES = 500;

/** draft copies as deep as handlers write.
 * @param {State} s @returns {State} */
const draft = (s) => ({
  ...s,
  peers: s.peers.map((p) => ({ ...p })),
  media: { ...s.media, mic: { ...s.media.mic }, camera: { ...s.media.camera } },
  own: { ...s.own, tickets: { ...s.own.tickets } },
});

/** step returns the next state and the effects of an event, in order.
 * @param {State} state @param {Event} event @param {number} now ms of any clock that does not jump @returns {[State, Effect[]]} */
export function step(state, event, now) {
  const s = draft(state);
  /** @type {Effect[]} */
  const effects = [];
  /** @type {any} */
  const all = handlers;
  all[event.type](s, event, { now, out: (/** @type {Effect} */ effect) => effects.push(effect) });
  s.locked = s.kind === 'channel' && s.place === 'inside' && locked(s.lock, now);
  return [s, effects];
}

/** @type {(s: State, x: Context) => void} */
function ask(s, { out }) {
  s.place = 'entering';
  if (s.own.pass) return out({ do: 'send', frame: protocol.rejoin(s.own.pass) });
  out({ do: 'send', frame: s.make ? frames.make(s.tag, s.capacity, s.knock) : frames.enter(s.kind, s.tag) });
}

/** @type {(s: State, why: State['why'], x: Context) => void} */
function end(s, why, { out }) {
  Object.assign(s, { place: 'ended', why, peers: [], knocks: [], chat: [], words: [], password: '', locked: false });
  Object.assign(s.own, { pass: '', tickets: {}, retryAt: 0 });
  out({ do: 'close' });
  out({ do: 'forget' });
}

/** turn changes the phase of somebody.
 * @type {(p: Peer, phase: Peer['phase'], x: Context) => void} */
function turn(p, phase, { now }) {
  Object.assign(p, { phase, since: now });
}

/** approach lets keys be made with somebody, if anybody may now: nobody is answered by a locked channel but who was
 * in its group before, and shows a ticket once there are keys.
 * @type {(s: State, p: Peer, x: Context) => void} */
function approach(s, p, x) {
  const shut = s.kind === 'channel' && ((locked(s.lock, x.now) && !p.known) || pause(s.own.guesses, x.now) > 0);
  if (shut) return p.phase === 'live' ? undefined : turn(p, 'held', x);
  // Their page may have been loaded anew while the connection of the old one still lives.
  if (p.phase !== 'live') turn(p, 'pairing', x);
  x.out({ do: 'pair', id: p.id });
}

/** meet takes somebody in whom the server named.
 * @type {(s: State, id: string, away: boolean, x: Context) => Peer} */
function meet(s, id, away, x) {
  const known = peer(s, id);
  if (known) return known;
  const added = {
    id,
    number: ++s.arrived,
    phase: 'here',
    known: id in s.own.tickets,
    since: x.now,
    mic: false,
    camera: false,
  };
  s.peers.push(/** @type {Peer} */ ({ ...added, path: '', sas: null, video: false, weak: false }));
  const p = /** @type {Peer} */ (s.peers.at(-1));
  if (away) turn(p, 'away', x);
  else approach(s, p, x);
  return p;
}

/** returned goes on with somebody whom the server named before: whoever is of our group as they were, others by the same
 * door as at first, which may be locked meanwhile.
 * @type {(s: State, p: Peer, x: Context) => void} */
function returned(s, p, x) {
  if (p.phase === 'away') turn(p, p.known ? 'joined' : 'here', x);
  if (p.known) x.out({ do: 'again', id: p.id });
  else approach(s, p, x);
}

/** @type {(s: State, id: string, x: Context) => void} */
function gone(s, id, { out }) {
  if (!peer(s, id)) return;
  s.peers = s.peers.filter((p) => p.id !== id);
  out({ do: 'drop', id });
}

/** @type {Record<string, (s: State, f: any, x: Context) => void>} */
const fromServer = {
  joined(s, f, x) {
    const inside = s.place === 'inside';
    Object.assign(s, { place: 'inside', me: f.me, capacity: f.capacity, knock: f.knock, make: false, full: false });
    s.expires = f.expires_ms > 0 ? x.now + f.expires_ms : 0;
    s.own.pass = f.pass;
    if (!inside && !s.again) s.lock = lock(x.now);
    x.out({ do: 'room', me: s.me, tag: s.tag });
    x.out({ do: 'ice', ice: f.ice });
    x.out({ do: 'keep' });
    for (const { id, away } of f.members) {
      const was = peer(s, id);
      const p = meet(s, id, away, x);
      if (was && !away) returned(s, p, x);
    }
    // Who is not listed has 30 s to come back: their connection may live all the same.
    for (const p of s.peers) if (!f.members.some((/** @type {any} */ m) => m.id === p.id)) turn(p, 'away', x);
    s.again = false;
  },
  knocking(s) {
    s.place = 'knocking';
  },
  shut: (s, { why }, x) => end(s, why, x),
  ended: (s, { why }, x) => end(s, why, x),
  cancelled: (s, _, x) => end(s, 'left', x),
  member(s, { member, state }, x) {
    if (state === 'left' || state === 'lost') return gone(s, member, x);
    const was = peer(s, member);
    const p = meet(s, member, state === 'away', x);
    if (!was) return;
    if (state === 'away') turn(p, 'away', x);
    else returned(s, p, x);
  },
  knock(s, { member, state }, x) {
    s.knocks = s.knocks.filter((id) => id !== member);
    if (state !== 'here') return;
    s.knocks = [...s.knocks, member];
    x.out({ do: 'notify', what: 'knock' });
  },
  door(s, { knock }) {
    s.knock = knock;
  },
  relays: (_, { ice }, { out }) => out({ do: 'ice', ice }),
  error(s, { code, about }, x) {
    if (!['make', 'enter', 'rejoin'].includes(about ?? '')) return;
    // A pass that is none any more: knock again.
    if (about === 'rejoin' && code !== 'unavailable') s.own.pass = '';
    if (code === 'unavailable' || about === 'rejoin') s.own.retryAt = x.now + RETRY;
    else end(s, code, x);
  },
};

/** @type {Pick<Handlers, 'go' | 'tag' | 'enter' | 'cancel' | 'leave' | 'allow' | 'admit' | 'door' | 'text' | 'read'>} */
const actions = {
  go(s, { type, ...what }, { out }) {
    Object.assign(s, what, { place: 'preview', why: '' });
    out({ do: 'derive' });
  },
  tag(s, { tag }, x) {
    s.tag = tag;
    if (s.place === 'entering') ask(s, x);
  },
  enter(s, _, x) {
    if (s.place !== 'preview') return;
    // The keys may still be on their way.
    s.place = 'entering';
    if (s.tag) ask(s, x);
  },
  cancel(s, _, x) {
    if (s.place === 'entering' || s.place === 'knocking') x.out({ do: 'send', frame: protocol.cancel() });
    end(s, 'left', x);
  },
  leave(s, _, x) {
    x.out({ do: 'say', note: { kind: 'bye' }, except: '', to: '' });
    x.out({ do: 'send', frame: protocol.leave() });
    end(s, 'left', x);
  },
  allow(s, _, x) {
    if (s.kind !== 'channel' || s.place !== 'inside') return;
    const [next, word] = allow(s.lock, x.now, act());
    s.lock = next;
    x.out({ do: 'say', note: word, except: '', to: '' });
    release(s, x);
  },
  admit(s, { member, yes }, x) {
    s.knocks = s.knocks.filter((id) => id !== member);
    x.out({ do: 'send', frame: frames.admit(member, yes) });
  },
  door: (_, { knock }, { out }) => out({ do: 'send', frame: frames.door(knock) }),
  text(s, { text }, x) {
    x.out({ do: 'say', note: { kind: 'text', text }, except: '', to: '' });
    line(s, 0, text, x);
  },
  read(s) {
    s.unread = 0;
  },
};

/** A random id of an act: 88 bits. Random is no state, so that step stays as good as pure. */
const act = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(11)), (b) => b.toString(16).padStart(2, '0')).join('');

/** @type {(s: State, from: number, text: string, x: Context) => void} */
function line(s, from, text, { now }) {
  s.chat = [...s.chat, { from, text, at: now }].slice(-MOST_LINES);
}

/** release turns to those who got no answer, as far as guesses allow: one after another.
 * @type {(s: State, x: Context) => void} */
function release(s, x) {
  for (const p of s.peers.filter((q) => q.phase === 'held')) {
    if (locked(s.lock, x.now) || pause(s.own.guesses, x.now) > 0) return;
    approach(s, p, x);
  }
}

/** @type {Pick<Handlers, 'device' | 'media' | 'mute' | 'hide'>} */
const media = {
  device(s, { kind, on }, { out }) {
    const device = s.media[kind];
    Object.assign(device, { phase: on ? 'asking' : 'off', error: '' });
    out({ do: 'media', kind, on });
    if (!on) tell(s, out);
  },
  media(s, { kind, on, error, device }, { out }) {
    Object.assign(s.media[kind], { phase: on ? 'on' : 'off', error, device });
    if (kind === 'mic' && on) s.media.muted = false;
    tell(s, out);
  },
  mute(s, _, { out }) {
    s.media.muted = !s.media.muted;
    out({ do: 'mute', on: s.media.muted });
    tell(s, out);
  },
  hide(s, { on }, { out }) {
    s.hidden = on;
    out({ do: 'hide', on });
  },
};

/** What our devices do, in a word for the others. @param {State} s @returns {import('./room-state.js').Note} */
const devices = ({ media: { mic, camera, muted } }) => ({
  kind: 'state',
  mic: mic.phase === 'on' && !muted,
  camera: camera.phase === 'on',
});

/** @type {(s: State, out: Context['out']) => void} */
const tell = (s, out) => out({ do: 'say', note: devices(s), except: '', to: '' });

/** @type {Omit<Handlers, keyof typeof actions | keyof typeof media | 'frame' | 'welcome' | 'offline' | 'closed' | 'tick'>} */
const pairs = {
  approach(s, { id }, x) {
    const p = peer(s, id);
    if (p) approach(s, p, x);
  },
  guess(s, { at }) {
    s.own.guesses = spend(s.own.guesses, at);
  },
  paired(s, { id, back, guess }, x) {
    const p = peer(s, id);
    if (!p) return;
    if (guess) s.own.guesses = refund(s.own.guesses, guess);
    // A known member of a locked channel shows its ticket, or is a newcomer who took its name.
    if (s.kind === 'channel' && locked(s.lock, x.now) && p.known && !back && p.phase === 'pairing') return held(p, x);
    if (!p.known && ours(s).length >= MOST_MEMBERS - 1) {
      turn(p, 'other', x);
      return x.out({ do: 'turn-away', id });
    }
    if (!p.known) x.out({ do: 'notify', what: 'joined' });
    p.known = true;
    turn(p, 'joined', x);
  },
  unpaired(s, { id }, x) {
    const p = peer(s, id);
    if (p && !p.known) turn(p, 'other', x);
  },
  live(s, { id }, x) {
    const p = peer(s, id);
    if (!p?.known) return;
    turn(p, 'live', x);
    if (s.kind === 'channel') for (const note of greet(s.lock, x.now)) x.out({ do: 'say', note, except: '', to: id });
    x.out({ do: 'say', note: devices(s), except: '', to: id });
    x.out({ do: 'keep' });
  },
  lost(s, { id }, x) {
    const p = peer(s, id);
    if (p?.phase === 'live') turn(p, 'joined', x);
  },
  'told-full'(s, { id }, x) {
    const p = peer(s, id);
    if (!p) return;
    // Nobody of theirs will take us in. Who is with somebody already stays with them.
    if (!s.peers.some((q) => q.phase === 'live')) {
      x.out({ do: 'send', frame: protocol.leave() });
      return end(s, 'full', x);
    }
    s.full = true;
    p.known = false;
    turn(p, 'other', x);
    x.out({ do: 'drop', id });
  },
  path: (s, { id, path }) => set(s, id, { path }),
  sas: (s, { id, sas }) => set(s, id, { sas }),
  video: (s, { id, on }) => set(s, id, { video: on }),
  quality: (s, { id, weak }) => set(s, id, { weak }),
  note(s, { id, note }, x) {
    const p = peer(s, id);
    if (!p?.known) return;
    if (note.kind === 'text') {
      line(s, p.number, note.text, x);
      s.unread += 1;
      x.out({ do: 'notify', what: 'message' });
    } else if (note.kind === 'state') set(s, id, { mic: note.mic, camera: note.camera });
    else if (note.kind === 'bye') gone(s, id, x);
    else heard(s, id, note, x);
  },
  ticket(s, { id, ticket }, { out }) {
    s.own.tickets[id] = ticket;
    out({ do: 'keep' });
  },
  plan(s, { advice, picture }) {
    Object.assign(s, { advice, picture });
  },
};

/** @type {(p: Peer, x: Context) => void} */
function held(p, x) {
  p.known = false;
  turn(p, 'held', x);
  x.out({ do: 'drop', id: p.id });
}

/** @type {(s: State, id: string, change: Partial<Peer>) => void} */
const set = (s, id, change) => void Object.assign(peer(s, id) ?? {}, change);

/** @type {(s: State, id: string, note: unknown, x: Context) => void} */
function heard(s, id, note, x) {
  const word = readWord(note);
  if (!word || s.kind !== 'channel') return;
  const [next, on] = hear(s.lock, x.now, word);
  s.lock = next;
  if (on) x.out({ do: 'say', note: on, except: id, to: '' });
  release(s, x);
}

/** @type {Handlers} */
const handlers = {
  ...actions,
  ...media,
  ...pairs,
  frame: (s, { frame }, x) => fromServer[frame.t]?.(s, frame, x),
  welcome(s, { resumed }, x) {
    s.online = true;
    if (!resumed && ['entering', 'knocking', 'inside'].includes(s.place)) {
      const inside = s.place === 'inside';
      ask(s, x);
      // Those who are connected go on talking meanwhile.
      if (inside) s.place = 'inside';
    }
  },
  offline(s) {
    s.online = false;
  },
  closed(s, { how }, x) {
    end(s, how === 'stop' ? 'replaced' : how === 'reload' ? 'version' : 'hello', x);
  },
  tick(s, _, x) {
    const { own } = s;
    if (own.retryAt > 0 && x.now >= own.retryAt) {
      own.retryAt = 0;
      ask(s, x);
    }
    for (const p of s.peers) if (p.phase === 'pairing' && x.now - p.since >= PAIRING && !p.known) turn(p, 'other', x);
    release(s, x);
  },
};

/** guessLeft says for how many ms nobody new is answered because too many passwords were wrong, 0 when that is not so.
 * @param {State} s @param {number} now */
export const guessLeft = (s, now) => pause(s.own.guesses, now);

/** lockLeft says in how many ms the channel locks, 0 when it is.
 * @param {State} s @param {number} now */
export const lockLeft = (s, now) => left(s.lock, now);
