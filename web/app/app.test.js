import assert from 'node:assert/strict';
import test from 'node:test';
import { start, step } from './app.js';

const choices = { languages: ['en'], interests: ['music'], widen: true, adult: true };
const ICE = { servers: [], ttl_ms: 600000 };
const QUEUED = {
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
const MATCHED = { t: 'matched', match: 'M1', role: 'offer', shared: ['music'], language: 'en', within_ms: 4000 };
const CONNECTED = {
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

function freeze(value) {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  }
  return value;
}

/** brief names an effect in a word or two. */
function brief(e) {
  if (e.do === 'send') return `send ${e.frame.t}`;
  return [e.do, e.what ?? e.kind ?? e.on ?? e.place ?? e.value ?? e.id]
    .filter((p) => p !== undefined && p !== '')
    .join(' ');
}

class Page {
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
const on = (p, ...events) => {
  p.do(...events);
  return p;
};

// The way to each screen.
const online = { type: 'welcome', resumed: false };
const atMic = () => on(new Page(), online, 'find');
const queued = () => on(atMic(), 'mic-ask', 'mic-live', 'mic-ok', QUEUED);
const matched = () => on(queued(), MATCHED);
const connecting = () => on(matched(), CONNECTED);
const live = () => on(connecting(), 'peer-live');
const ended = () => on(live(), { t: 'ended', why: 'peer_left' });

test('the whole way', () => {
  const p = new Page();
  p.do(online);
  assert.deepEqual(p.do('find'), ['save']);
  assert.deepEqual([p.at, p.state.mic.phase], ['mic', 'explain']);
  assert.deepEqual(p.do('mic-ask'), ['mic ask']);
  p.do('mic-pending');
  assert.equal(p.state.mic.phase, 'pending');
  p.do('mic-live');
  assert.equal(p.state.mic.phase, 'test');
  assert.deepEqual(p.do('mic-record'), ['mic record']);
  assert.deepEqual(p.do('mic-recorded'), ['mic play']);
  p.do('mic-played');
  assert.deepEqual(p.do('mic-ok'), ['save', 'find', 'prepare']);
  p.do(QUEUED);
  assert.equal(p.at, 'queued');
  assert.deepEqual(p.state.queue, {
    startedAt: p.now,
    widensAt: [p.now + 6000],
    wait: { p50: 9000, p90: 20000 },
    waiting: 7,
    note: '',
    steps: [
      { at: p.now, look: 'interests' },
      { at: p.now + 6000, look: 'anything' },
    ],
  });
  assert.deepEqual(p.do(MATCHED), ['send confirm'], 'confirmed without a press');
  assert.equal(p.at, 'matched');
  assert.deepEqual(p.do(CONNECTED), ['remember met', 'call', 'notify matched']);
  assert.equal(p.at, 'connecting');
  p.do('peer-live');
  p.wait(60000);
  assert.deepEqual(
    p.do({ t: 'ended', why: 'peer_left' }),
    ['hang-up false', 'mic stop', 'notify ended'].map((e) => e.replace(' false', '')),
  );
  assert.equal(p.at, 'ended peer_left');
  assert.deepEqual(p.state.after, {
    why: 'peer_left',
    talked: 60000,
    canReport: true,
    until: p.now + 600000,
    reported: false,
    blocked: false,
  });
});

test('find wants a language and an adult', () => {
  for (const missing of [{ languages: [] }, { adult: false }]) {
    const p = new Page(start({ ...choices, ...missing }));
    assert.deepEqual(p.do('find'), []);
    assert.equal(p.at, 'home');
  }
});

test('a microphone that was tested and is granted is not tested again', () => {
  const p = new Page(start(choices, true));
  p.do(online, { type: 'mic-granted', granted: true });
  assert.deepEqual(p.do('find'), ['save', 'mic ask', 'find', 'prepare']);
  p.do(QUEUED);
  assert.deepEqual(p.do(MATCHED), [], 'not confirmed before the microphone is open');
  assert.deepEqual(p.do('mic-live'), ['send confirm']);
  assert.deepEqual(p.do('mic-live'), [], 'once');
});

test('every failure of the microphone is shown and can be retried', () => {
  for (const error of ['denied', 'blocked', 'dismissed', 'none', 'busy', 'insecure', 'webview']) {
    const p = atMic();
    p.do('mic-ask', { type: 'mic-failed', error });
    assert.deepEqual([p.at, p.state.mic.phase], [`mic ${error}`, 'failed']);
    assert.deepEqual(p.do('mic-retry'), ['mic ask']);
    p.do('mic-live');
    assert.deepEqual([p.at, p.state.mic.phase], ['mic', 'test']);
  }
});

test('a microphone that fails while waiting or matched leaves the queue', () => {
  for (const [p, frame] of [
    [queued(), 'send cancel'],
    [matched(), 'send cancel'],
  ]) {
    assert.deepEqual(p.do({ type: 'mic-failed', error: 'busy' }), [frame]);
    assert.equal(p.at, 'mic busy');
  }
  const p = new Page(start(choices, true));
  p.do({ type: 'mic-granted', granted: true }, 'find', QUEUED, MATCHED);
  assert.deepEqual(p.do({ type: 'mic-failed', error: 'none' }), ['send decline']);
  const call = live();
  call.do({ type: 'mic-failed', error: 'none' });
  assert.deepEqual([call.at, call.state.alert], ['live', 'mic'], 'a call goes on');
});

test('a peer who does not confirm: the place is kept', () => {
  const p = matched();
  assert.deepEqual(p.do({ t: 'aborted', why: 'peer' }), []);
  assert.deepEqual([p.at, p.state.queue.note], ['queued', 'back']);
  p.now += 3000;
  p.do({ ...QUEUED, since_ms: 9000 });
  assert.deepEqual([p.state.queue.startedAt, p.state.queue.note], [p.now - 9000, 'back']);
  assert.deepEqual(p.do({ ...MATCHED, match: 'M2' }), ['send confirm']);
  assert.equal(p.effects[0].frame.match, 'M2');
});

test('our own late confirm searches again, not for ever', () => {
  const p = matched();
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(p.do({ t: 'aborted', why: 'late' }), ['find P1']);
    p.do(QUEUED, MATCHED);
  }
  assert.deepEqual(p.do({ t: 'aborted', why: 'late' }), ['mic stop']);
  assert.equal(p.at, 'ended late');
});

test('cancel, expiry and widening', () => {
  let p = queued();
  assert.deepEqual(p.do('cancel'), ['send cancel', 'mic stop']);
  assert.equal(p.at, 'home');
  p.do({ t: 'cancelled' });
  assert.deepEqual(p.do(MATCHED), ['send decline'], 'a match that was under way');
  assert.deepEqual(p.do(CONNECTED), ['send leave']);
  assert.deepEqual(p.do(QUEUED), ['send cancel']);
  p = queued();
  assert.deepEqual(p.do({ t: 'expired' }), ['mic stop']);
  assert.deepEqual([p.at, p.state.after.canReport], ['ended expired', false]);
  p = queued();
  assert.deepEqual(p.do('widen'), ['save', 'send cancel']);
  assert.deepEqual(p.do({ t: 'cancelled' }), ['find P1']);
  assert.equal(p.state.choices.widen, false);
  p.do(QUEUED, 'widen', MATCHED);
  assert.deepEqual(p.do({ t: 'cancelled' }), [], 'a match came first');
});

test('next leaves, searches and keeps the last call reportable', () => {
  const p = live();
  assert.deepEqual(p.do('next'), ['send leave', 'hang-up', 'save', 'find', 'prepare']);
  assert.equal(p.effects[1].bye, true);
  p.do({ t: 'ended', why: 'left' }, QUEUED);
  assert.equal(p.at, 'queued');
  p.do('cancel');
  assert.equal(p.at, 'ended left');
  assert.deepEqual(p.do({ type: 'report', reason: 'hate' }), ['send report']);
  assert.deepEqual(p.effects[0].frame, { t: 'report', handle: 'H1', reason: 'hate' });
  assert.deepEqual(p.do({ t: 'reported', avoid: 'V2' }), ['remember reported']);
  assert.equal(p.state.after.reported, true);
  assert.deepEqual(p.do({ type: 'report', reason: 'hate' }), [], 'once');
});

test('a report in the call ends it; a block too', () => {
  let p = live();
  assert.deepEqual(p.do({ type: 'report', reason: 'threat' }), ['send report', 'send leave', 'hang-up', 'mic stop']);
  assert.equal(p.at, 'ended reported');
  p.do({ t: 'reported', avoid: 'V2' });
  assert.equal(p.state.after.reported, true);
  p = live();
  assert.deepEqual(p.do('block'), ['send block', 'send leave', 'hang-up', 'mic stop']);
  assert.deepEqual(p.do({ t: 'blocked', avoid: 'V3' }), ['remember blocked']);
  assert.equal(p.state.after.blocked, true);
});

test('ten minutes after the call the report is over', () => {
  const p = ended();
  p.wait(599999);
  assert.equal(p.state.after.canReport, true);
  p.wait(1);
  assert.equal(p.state.after.canReport, false);
  assert.deepEqual(p.do({ type: 'report', reason: 'hate' }), []);
  assert.equal(p.state.alert, 'bad_handle');
});

test('a report that the server could not store is sent again', () => {
  const p = ended();
  p.do({ type: 'report', reason: 'spam' }, { t: 'error', of: 9, code: 'unavailable', text: '', about: 'report' });
  assert.deepEqual(p.wait(1000), []);
  assert.deepEqual(p.wait(2000), ['send report']);
  assert.deepEqual(p.do(online), ['send report'], 'also to a server that knows nothing');
  p.do({ t: 'error', of: 9, code: 'bad_handle', text: '', about: 'report' });
  assert.deepEqual([p.state.alert, p.state.after.canReport], ['bad_handle', false]);
});

test('the server forgets the session: waiting goes on at the same place', () => {
  for (const p of [queued(), matched()]) {
    p.do('offline');
    assert.equal(p.state.online, false);
    assert.deepEqual(p.do(online), ['find P1']);
    assert.equal(p.at, 'queued');
  }
  const p = queued();
  assert.deepEqual(p.do({ type: 'welcome', resumed: true }), [], 'a resumed session needs nothing');
  p.do('offline', online);
  const bad = { t: 'error', of: 1, code: 'bad_value', text: 'place', about: 'find' };
  assert.deepEqual(p.do(bad), ['find'], 'a place of other keys is given up');
});

test('the server forgets the session: a call goes on', () => {
  const p = live();
  p.do('offline');
  assert.deepEqual(p.do(online), ['send rejoin']);
  assert.equal(p.effects[0].frame.pass, 'K1');
  assert.deepEqual(p.do({ ...CONNECTED, handle: 'H2', pass: 'K2' }), ['remember met', 'rejoined']);
  assert.equal(p.at, 'live');
  p.do('offline', online, { t: 'error', of: 1, code: 'bad_value', text: '', about: 'rejoin' });
  assert.equal(p.at, 'live', 'also when the server does not take it back');
  assert.deepEqual(p.do('leave').slice(0, 2), ['send leave', 'hang-up']);
});

test('the peer is away and comes back', () => {
  const p = live();
  p.do({ t: 'peer', state: 'away' });
  assert.equal(p.state.call.peerAway, true);
  assert.deepEqual(p.do({ t: 'peer', state: 'back' }), ['resync']);
  assert.equal(p.state.call.peerAway, false);
});

test('connecting says why it takes long', () => {
  const p = connecting();
  p.wait(7999);
  assert.equal(p.at, 'connecting');
  p.wait(1);
  assert.equal(p.at, 'connecting relay');
  p.do('peer-relayed', 'tick');
  assert.equal(p.at, 'connecting peer');
  p.do('offline', 'tick');
  assert.equal(p.at, 'connecting network');
  p.do('peer-live');
  assert.equal(p.state.call.slow, '');
});

test('a call that never begins, and one that is lost', () => {
  let p = connecting();
  assert.deepEqual(p.do('peer-lost'), ['send leave', 'hang-up', 'mic stop', 'notify ended']);
  assert.deepEqual([p.at, p.state.after.talked], ['ended no_relay', 0]);
  p = live();
  p.do('peer-reconnecting');
  assert.equal(p.at, 'reconnecting');
  p.do('peer-live');
  assert.equal(p.at, 'live');
  p.do('peer-reconnecting', 'peer-lost');
  assert.equal(p.at, 'ended lost');
  assert.equal(p.state.after.canReport, true);
});

test('a mismatch turns red, mutes, and cannot be undone', () => {
  for (const event of ['peer-mismatch', { type: 'verified', ok: false }]) {
    const p = live();
    p.do({ type: 'peer-sas', sas: { symbols: [1, 2, 3, 4, 5], digits: '00000 00000' } });
    assert.deepEqual(p.do(event), ['mismatch']);
    assert.deepEqual([p.at, p.state.call.verified, p.state.call.muted], ['live mismatch', 'mismatch', true]);
    for (const e of ['mute', { type: 'verified', ok: true }, { type: 'chat', text: 'x' }, 'direct', 'peer-mismatch'])
      assert.deepEqual(p.do(e), []);
    assert.deepEqual([p.state.call.verified, p.state.call.muted], ['mismatch', true]);
    p.do('leave');
    assert.equal(p.at, 'ended mismatch');
  }
});

test('verified needs something to compare', () => {
  const p = live();
  p.do({ type: 'verified', ok: true });
  assert.equal(p.state.call.verified, 'unverified');
  p.do({ type: 'peer-sas', sas: { symbols: [1, 2, 3, 4, 5], digits: '' } }, { type: 'verified', ok: true });
  assert.equal(p.state.call.verified, 'verified');
});

test('mute, volume, text and direct', () => {
  const p = live();
  assert.deepEqual(p.do('mute'), ['mute true']);
  assert.deepEqual(p.do('mute'), ['mute false']);
  assert.deepEqual(p.do({ type: 'volume', value: 7 }), ['volume 1']);
  assert.deepEqual(p.do({ type: 'chat', text: '  ' }), []);
  p.do({ type: 'chat', text: ' hi ' });
  assert.deepEqual(p.do({ type: 'peer-text', text: 'yo' }), ['notify message']);
  assert.deepEqual(
    p.state.call.chat.map((l) => [l.mine, l.text]),
    [
      [true, 'hi'],
      [false, 'yo'],
    ],
  );
  for (let i = 0; i < 300; i++) p.do({ type: 'peer-text', text: 'x'.repeat(5000) });
  assert.deepEqual([p.state.call.chat.length, p.state.call.chat[0].text.length], [200, 2000]);
  assert.deepEqual(p.do('direct'), ['direct true']);
  p.do({ type: 'peer-direct', on: true });
  assert.deepEqual(p.state.call.direct, { mine: true, theirs: true });
});

test('a browser that plays only after a touch says so until then', () => {
  const p = live();
  p.do({ type: 'peer-tap', on: true }, 'tick');
  assert.equal(p.state.alert, 'tap');
  p.do({ type: 'peer-tap', on: false });
  assert.equal(p.state.alert, '');
});

test('an open report survives the end of the call, other panels do not', () => {
  for (const [name, after] of [
    ['report', 'report'],
    ['chat', ''],
    ['verify', ''],
  ]) {
    const p = live();
    p.do({ type: 'panel', name }, 'peer-reconnecting');
    assert.equal(p.state.panel, name);
    p.do({ t: 'ended', why: 'peer_left' });
    assert.equal(p.state.panel, after);
  }
});

test('closed for good', () => {
  for (const [how, reason] of [
    ['stop', 'replaced'],
    ['show', 'hello'],
    ['reload', 'version'],
  ]) {
    const p = live();
    assert.deepEqual(p.do({ type: 'closed', how }), ['hang-up', 'mic stop', 'disconnect']);
    assert.equal(p.at, `blocked ${reason}`);
    p.do('home', 'find', 'again');
    assert.equal(p.at, `blocked ${reason}`);
  }
});

test('the store is away, or we ask too often', () => {
  const p = queued();
  p.do({ t: 'error', of: 1, code: 'unavailable', text: '', about: 'find' });
  assert.deepEqual(p.wait(3000), ['find P1']);
  p.do({ t: 'error', of: 2, code: 'too_many', text: '', about: 'find' });
  assert.deepEqual([p.at, p.state.alert], ['home too_many', 'too_many']);
});

test('whatever comes, in whatever order: nothing throws and the state stays whole', () => {
  const words = [
    'find',
    'mic-ask',
    'mic-retry',
    'mic-record',
    'mic-play',
    'mic-ok',
    'cancel',
    'next',
    'leave',
    'again',
    'home',
    'mute',
    'block',
    'direct',
    'widen',
    'mic-live',
    'mic-pending',
    'mic-lost',
    'mic-recorded',
    'mic-played',
    'peer-live',
    'peer-reconnecting',
    'peer-lost',
    'peer-mismatch',
    'peer-bye',
    'peer-relayed',
    'peer-relays',
    { type: 'peer-tap', on: true },
    'offline',
    'tick',
    online,
    { type: 'welcome', resumed: true },
    QUEUED,
    MATCHED,
    CONNECTED,
    { t: 'ended', why: 'peer_lost' },
    { t: 'aborted', why: 'peer' },
    { t: 'aborted', why: 'late' },
    { t: 'cancelled' },
    { t: 'expired' },
    { t: 'peer', state: 'back' },
    { t: 'relays', ice: ICE },
    { t: 'reported', avoid: 'x' },
    { t: 'blocked', avoid: 'x' },
    { type: 'report', reason: 'hate' },
    { type: 'chat', text: 'x' },
    { type: 'verified', ok: false },
    { type: 'panel', name: 'chat' },
    { type: 'mic-failed', error: 'busy' },
    { type: 'mic-silent', silent: true },
    { t: 'ping' },
    ...['find', 'confirm', 'report', 'rejoin', 'leave', 'relay', undefined].flatMap((about) =>
      ['unavailable', 'bad_state', 'bad_value'].map((code) => ({
        t: 'error',
        of: 1,
        code,
        text: '',
        ...(about && { about }),
      })),
    ),
  ];
  let seed = 7;
  const pick = (n) => {
    seed = (seed * 1664525 + 1013904223) >>> 0;
    return (seed >>> 8) % n;
  };
  const seen = new Set();
  for (let run = 0; run < 1500; run++) {
    const p = new Page();
    for (let i = 0; i < 100; i++) {
      p.now += pick(3000);
      const word = words[pick(words.length)];
      const before = p.state.screen;
      p.do(word);
      const what = `${before}, ${JSON.stringify(word)}: ${p.state.screen}`;
      const { screen, call, own } = p.state;
      seen.add(screen);
      assert.equal(call !== null, ['connecting', 'live', 'reconnecting'].includes(screen), what);
      assert.equal(own.searching, ['queued', 'matched'].includes(screen), what);
      assert.equal(own.match !== '', screen === 'matched', what);
      if (screen === 'ended') assert.notEqual(p.state.after, null);
      if (call) assert.ok(own.handle);
    }
  }
  assert.equal(seen.size, 8);
});
