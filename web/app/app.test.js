import assert from 'node:assert/strict';
import test from 'node:test';
import { start } from './app.js';
import {
  atMic,
  CONNECTED,
  choices,
  ICE,
  live,
  MATCHED,
  matched,
  online,
  Page,
  QUEUED,
  queued,
} from './app-page.test.js';

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
    puzzle: null,
    asked: false,
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
  assert.deepEqual(p.do({ t: 'ended', why: 'peer_left' }), ['hang-up', 'notify ended']);
  assert.equal(p.at, 'ended peer_left');
  assert.deepEqual(p.state.after, {
    why: 'peer_left',
    talked: 60000,
    canReport: true,
    until: p.now + 600000,
    report: '',
    help: '',
    blocked: false,
    next: p.now + 5000,
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

test('closed for good', () => {
  for (const [how, reason] of [
    ['stop', 'replaced'],
    ['show', 'hello'],
    ['reload', 'version'],
  ]) {
    const p = live();
    assert.deepEqual(p.do({ type: 'closed', how }), ['hang-up', 'mic stop', 'disconnect']);
    assert.deepEqual([p.at, p.state.alert], [`blocked ${reason}`, ''], 'the screen says it, nothing else');
    p.do('home', 'find', 'again');
    assert.equal(p.at, `blocked ${reason}`);
  }
});

test('the store is away, or we ask too often', () => {
  const p = queued();
  p.do({ t: 'notice', code: 'store_away', text: '' });
  assert.deepEqual([p.at, p.state.queue.note], ['queued', 'paused']);
  p.do(QUEUED);
  assert.equal(p.state.queue.note, '', 'the store is back');
  p.do({ t: 'notice', code: 'paused', text: '' });
  assert.deepEqual([p.at, p.state.queue.note], ['queued', 'stopped']);
  p.do(QUEUED);
  assert.equal(p.state.queue.note, '', 'matching goes on');
  const m = queued();
  m.do(MATCHED);
  m.do({ t: 'notice', code: 'store_away', text: '' });
  assert.deepEqual([m.at, m.state.queue.note], ['matched', 'paused']);
  p.do({ t: 'error', of: 1, code: 'unavailable', text: '', about: 'find' });
  assert.deepEqual(p.wait(3000), ['find P1']);
  p.do({ t: 'error', of: 2, code: 'too_many', text: '', about: 'find', wait_ms: 40000 });
  assert.deepEqual([p.at, p.state.alert], ['home too_many', 'too_many']);
  const left = p.state.again;
  p.wait(1000);
  assert.equal(p.state.again, left);
  p.do({ t: 'error', of: 3, code: 'too_many', text: '', about: 'standing', wait_ms: 20000 });
  assert.equal(left - p.state.again, 19000);
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
    'peer-failed',
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
    // By chance alone the one rarely follows the other, and only so a call begins.
    [MATCHED, CONNECTED],
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
      p.do(...[word].flat());
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
