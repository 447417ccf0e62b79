import assert from 'node:assert/strict';
import test from 'node:test';
import { allow, greet, hear, LOCK_AFTER, left, lock, locked, OPEN_FOR, readWord } from './room-lock.js';

const act = (/** @type {number} */ n) => String(n).padStart(22, '0');

test('locks ten minutes after it opened, to the millisecond', () => {
  const l = lock(5000);
  assert.deepEqual([locked(l, 5000), locked(l, 604999), locked(l, 605000)], [false, false, true]);
  assert.deepEqual([left(l, 5000), left(l, 604999), left(l, 605000), left(l, 9e9)], [LOCK_AFTER, 1, 0, 0]);
});

test('any member opens it for 60 seconds', () => {
  const [l, word] = allow(lock(0), 700000, act(1));
  assert.deepEqual(word, { kind: 'allow', act: act(1), left: OPEN_FOR });
  assert.deepEqual([locked(l, 700000), locked(l, 759999), locked(l, 760000)], [false, false, true]);
  // Pressed again while it is open: from then on.
  const [again] = allow(l, 730000, act(2));
  assert.equal(left(again, 730000), OPEN_FOR);
});

test('pressed while it is open anyway, it does not lock earlier', () => {
  const [l] = allow(lock(0), 1000, act(1));
  assert.equal(locked(l, 100000), false);
  assert.equal(left(l, 1000), LOCK_AFTER - 1000);
});

/** A net of members: who hears whom. Each passes on once; returns how many words were said. */
function spread(links, from, now, locks) {
  let word;
  [locks[from], word] = allow(locks[from], now, act(9));
  const queue = links[from].map((to) => [to, word]);
  let said = 0;
  for (let next = queue.shift(); next; next = queue.shift()) {
    const [to, heard] = next;
    said++;
    let on;
    [locks[to], on] = hear(locks[to], now, heard);
    if (on) queue.push(...links[to].map((further) => [further, on]));
  }
  return said;
}

test('it reaches members that are not joined to who pressed, and ends', () => {
  const now = 700000;
  const chain = [[1], [0, 2], [1, 3], [2]];
  const locks = chain.map(() => lock(0));
  spread(chain, 0, now, locks);
  assert.deepEqual(
    locks.map((l) => [locked(l, now + 59999), locked(l, now + 60000)]),
    chain.map(() => [false, true]),
  );
  const full = Array.from({ length: 8 }, (_, i) => Array.from({ length: 8 }, (_, j) => j).filter((j) => j !== i));
  assert.equal(
    spread(
      full,
      3,
      now,
      full.map(() => lock(0)),
    ),
    56,
    'each of eight says it once to seven',
  );
});

test('a newcomer learns how old the channel is and how long it is open still', () => {
  const [old] = allow(lock(0), 700000, act(1));
  let young = lock(720000);
  for (const word of greet(old, 720000)) [young] = hear(young, 720000, word);
  assert.deepEqual([left(young, 720000), locked(young, 760000)], [40000, true]);
  // The greeting back makes nobody younger.
  let again = old;
  for (const word of greet(lock(720000), 720000)) [again] = hear(again, 720000, word);
  assert.equal(again.openedAt, 0);
});

test('nobody opens it for longer by a word, nor twice by the same', () => {
  const [l, on] = hear(lock(0), 700000, { kind: 'allow', act: act(1), left: 1e12 });
  assert.equal(left(l, 700000), OPEN_FOR);
  assert.equal(on.left, OPEN_FOR);
  const [later, none] = hear(l, 759000, { kind: 'allow', act: act(1), left: OPEN_FOR });
  assert.deepEqual([left(later, 759000), none], [1000, null]);
});

test('words that are none', () => {
  for (const junk of [
    null,
    undefined,
    1,
    'x',
    {},
    { kind: 'opened' },
    { kind: 'opened', age: -1 },
    { kind: 'opened', age: '1' },
    { kind: 'opened', age: Number.NaN },
    { kind: 'allow', act: 'short', left: 1 },
    { kind: 'allow', act: act(1), left: Number.POSITIVE_INFINITY },
    { kind: 'lock' },
  ])
    assert.equal(readWord(junk), null);
  assert.deepEqual(readWord({ kind: 'allow', act: act(1), left: 5, more: 1 }), { kind: 'allow', act: act(1), left: 5 });
  let l = lock(0);
  for (let i = 0; i < 100; i++) [l] = hear(l, 0, { kind: 'allow', act: act(i), left: 1 });
  assert.ok(l.acts.length <= 32);
});
