import assert from 'node:assert/strict';
import test from 'node:test';
import * as protocol from './protocol.js';

const ice = {
  servers: [{ urls: ['turn:127.0.0.1:3478?transport=udp'], username: 'u', credential: 'p' }],
  ttl_ms: 600000,
};
const connected = {
  t: 'connected',
  n: 3,
  c: 2,
  room: 'r',
  me: 'a',
  peer: 'b',
  role: 'offer',
  ice,
  handle: 'h',
  avoid: 'v',
  pass: 'p',
  shared: ['music'],
  language: 'en',
};
const good = [
  { t: 'welcome', token: 'x', resumed: false, c: 0, grace_ms: 30000, age: '' },
  {
    t: 'queued',
    n: 1,
    place: 'p',
    since_ms: 0,
    widens_ms: 6000,
    steps: [{ at_ms: 0, look: 'interests' }],
    wait: null,
    waiting: null,
  },
  {
    t: 'queued',
    n: 1,
    place: 'p',
    since_ms: 0,
    widens_ms: 6000,
    steps: [],
    wait: { p50_ms: 1, p90_ms: 2 },
    waiting: 7,
  },
  { t: 'matched', n: 2, match: 'm', role: 'answer', shared: [], language: 'en', within_ms: 4000 },
  connected,
  { t: 'relay', n: 4, from: 'b', seq: 1, box: 'AAAA' },
  { t: 'error', n: 5, c: 9, of: 9, code: 'bad_state', text: 'you are in a call' },
  { t: 'puzzle', n: 6, c: 9, of: 3, challenge: 'abc.-_9', bits: 16, within_ms: 120000 },
  { t: 'held', n: 6, c: 9, of: 3, until_ms: 86400000, reasons: ['hate', 'minor'] },
  {
    t: 'standing',
    n: 6,
    c: 9,
    band: 'watch',
    until_ms: 0,
    reasons: ['spam'],
    expires_ms: 5,
    records: true,
    stored: ['own', 'alike', 'gave_up'],
  },
  { t: 'reported', n: 6, c: 9, avoid: 'v', next: 'counted_before' },
  { t: 'erased', n: 7, c: 9 },
  { t: 'review', n: 8, c: 9, code: 'one two three' },
  { t: 'answer', n: 9, c: 9, state: 'kept' },
  { t: 'ping' },
];

test('every good frame is read', () => {
  for (const frame of good) assert.deepEqual(protocol.read(JSON.stringify(frame)), { frame, note: '' });
});

test('a frame without one of its fields, or with a wrong one, is a note and keeps its number', () => {
  for (const frame of good) {
    for (const field of Object.keys(frame).filter((f) => !['t', 'n', 'c'].includes(f))) {
      for (const wrong of [undefined, { wrong: true }, -1]) {
        const got = protocol.read(JSON.stringify({ ...frame, [field]: wrong }));
        assert.equal(got.frame, null, `${frame.t}.${field} = ${JSON.stringify(wrong)}`);
        assert.equal(got.n, frame.n ?? 0);
      }
    }
  }
});

test('unknown types, prototype names and noise are notes', () => {
  for (const data of [
    '',
    '[]',
    'null',
    '1',
    '{}',
    '{"t":"surprise","n":4}',
    '{"t":"constructor"}',
    '{"t":"__proto__"}',
    '{"t":"ping","n":"1"}',
  ]) {
    const got = protocol.read(data);
    assert.equal(got.frame, null, data);
    assert.notEqual(got.note, '');
  }
  assert.equal(protocol.read('{"t":"surprise","n":4}').n, 4);
});

test('only relay servers are accepted', () => {
  for (const url of ['stun:example.org', 'turn:a b', 'turn:x?transport=sctp', 'http://x', 'turn:evil@x']) {
    const servers = [{ ...ice.servers[0], urls: [url] }];
    assert.equal(protocol.read(JSON.stringify({ ...connected, ice: { ...ice, servers } })).frame, null, url);
  }
  for (const url of [
    'turn:127.0.0.1:3478',
    'turns:relay.example.org:443?transport=tcp',
    'turn:[::1]:3478?transport=udp',
  ]) {
    const servers = [{ ...ice.servers[0], urls: [url] }];
    assert.notEqual(protocol.read(JSON.stringify({ ...connected, ice: { ...ice, servers } })).frame, null, url);
  }
});

test('find keeps to the limits and names no token twice', () => {
  const many = Array.from({ length: 200 }, (_, i) => `t${i % 150}`);
  const choices = { languages: [...'abcdefg'], interests: [...'abcdefg'], widen: true, adult: true };
  const frame = protocol.find(choices, many, 'p', '');
  assert.deepEqual(Object.keys(frame), ['t', 'languages', 'interests', 'widen', 'avoid', 'place', 'proof']);
  assert.deepEqual([frame.languages.length, frame.interests.length, frame.avoid.length], [5, 5, 128]);
  assert.equal(new Set(frame.avoid).size, 128);
});

test('close codes', () => {
  const want = {
    resume: [1000, 1001, 1006, 1011, 1012, 4000, 4001, 4008, 4009, 4011, 4499],
    stop: [4501],
    show: [1009, 4500, 4502, 4510, 4999],
    reload: [4526],
  };
  for (const [action, codes] of Object.entries(want)) {
    for (const code of codes) assert.equal(protocol.closing(code), action, String(code));
  }
});
