import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { answered, judge, order, split, wayOf } from './ways.js';

const works = { how: 'works', ms: 5 };
const blocked = { how: 'blocked' };
const refused = { how: 'refused' };

test('each URL is one way', () => {
  assert.deepEqual(
    ['turn:a:1?transport=udp', 'turn:a:1', 'turn:a:1?transport=tcp', 'turns:a:443?transport=tcp', 'turns:a'].map(wayOf),
    ['udp', 'udp', 'tcp', 'tls', 'tls'],
  );
});

test('each way has a server of its own with its URLs', () => {
  const urls = ['turns:a', 'turn:a?transport=udp', 'turn:b?transport=udp'];
  const servers = ['x', 'y', 'z', 'more'].map((username) => ({ urls, username, credential: 'c' }));
  assert.deepEqual(
    [...split(servers)],
    [
      ['udp', { urls: ['turn:a?transport=udp', 'turn:b?transport=udp'], username: 'x', credential: 'c' }],
      ['tls', { urls: ['turns:a'], username: 'z', credential: 'c' }],
    ],
  );
});

test('the verdict follows from the results', () => {
  const table = [
    [[works, works, works], 'good', 'udp tcp tls'],
    [[works, blocked, blocked], 'good', 'udp'],
    [[blocked, works, works], 'fair', 'tcp tls'],
    [[blocked, blocked, works], 'fair', 'tls'],
    [[blocked, works], 'fair', 'tcp'],
    [[blocked, blocked, blocked], 'bad', 'udp tcp tls'],
    [[blocked, blocked], 'bad', 'udp tcp'],
    [[refused, refused, refused], 'refused', 'udp tcp tls'],
    [[blocked, refused, blocked], 'refused', 'tcp'],
    [[refused, works, works], 'refused', 'tcp tls'],
  ];
  for (const [results, key, ways] of table) {
    const said = judge(new Map(results.map((result, i) => [order[i], result])));
    assert.deepEqual([said.key, said.ways.join(' ')], [key, ways], JSON.stringify(results));
  }
});

test('who is answered is not blocked', () => {
  assert.deepEqual([401, 486, 508, 701, 0].map(answered), [true, true, true, false, false]);
});

test('every key that the page uses has words, and none is left over', () => {
  const here = new URL('./', import.meta.url);
  const words = JSON.parse(readFileSync(new URL('lang/en.json', here), 'utf8'));
  const code = readFileSync(new URL('check.js', here), 'utf8');
  const made = [
    ...order.map((way) => `way.${way}`),
    ...['good', 'fair', 'bad', 'refused'].flatMap((key) => [key, `${key}.why`]),
    ...['busy', 'server', 'browser'].map((why) => `failed.${why}`),
    ...['trying', 'works', 'blocked', 'refused'].map((how) => `way.${how}`),
  ];
  const used = [...code.matchAll(/t\('([\w.]+)'/g)].map((m) => m[1]);
  const known = new Set([...made, ...used]);
  for (const key of known) assert.ok(key in words || `${key}.other` in words, key);
  for (const key of Object.keys(words)) assert.ok(known.has(key.replace(/\.(one|other)$/, '')), `${key} is left over`);
});
