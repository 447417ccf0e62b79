import assert from 'node:assert/strict';
import test from 'node:test';
import { exchange, inbox, verify, warn } from './channels.js';

/** channels are two ends of a data channel; through may change a message on its way, or lose it. */
function channels(through = (m) => m) {
  const carry = (m, to) => {
    const data = through(m);
    if (data !== undefined) queueMicrotask(() => to().onmessage({ data }));
  };
  const a = { send: (m) => carry(m, () => b) };
  const b = { send: (m) => carry(m, () => a) };
  return [a, b];
}
const [ALICE, BOB, EVE] = ['a', 'b', 'e'].map((c) => c.repeat(64));
const call = () => [exchange('offer'), exchange('answer')];
const both = ([a, b], seenByA, seenByB, [ofA, ofB] = call()) => {
  const [nextA, nextB] = [inbox(a, () => {}), inbox(b, () => {})];
  return [
    verify(a, nextA, ofA, { mine: ALICE, theirs: seenByA }),
    verify(b, nextB, ofB, { mine: BOB, theirs: seenByB }),
  ];
};

test('an honest pair agrees, never twice on the same', async () => {
  const seen = new Set();
  for (let i = 0; i < 20; i++) {
    const [a, b] = await Promise.all(both(channels(), BOB, ALICE));
    assert.deepEqual(a, b);
    assert.match(a.digits, /^\d{5} \d{5}$/);
    assert.ok(a.symbols.length === 5 && a.symbols.every((s) => s >= 0 && s < 64));
    const [high, low] = a.digits.split(' ').map(Number);
    assert.equal(
      high * 2 ** 15 + low,
      a.symbols.reduce((sum, s) => sum * 64 + s, 0),
      'digits and symbols are the same bits',
    );
    seen.add(a.digits);
  }
  assert.equal(seen.size, 20);
});

test('a splice that forwards every message is found', async () => {
  const [, b] = both(channels(), EVE, EVE);
  await assert.rejects(b, /commitment mismatch/);
});

test('a splice that runs its own exchange with each side gives two strings', async () => {
  const [a, eveToA] = channels();
  const [eveToB, b] = channels();
  const pair = (x, y, prints) => [
    verify(
      x,
      inbox(x, () => {}),
      exchange('offer'),
      { mine: prints[0], theirs: prints[1] },
    ),
    verify(
      y,
      inbox(y, () => {}),
      exchange('answer'),
      { mine: prints[1], theirs: prints[0] },
    ),
  ];
  const [seenByA] = await Promise.all(pair(a, eveToA, [ALICE, EVE]));
  const [, seenByB] = await Promise.all(pair(eveToB, b, [EVE, BOB]));
  assert.notEqual(seenByA.digits, seenByB.digits);
});

test('a nonce chosen after seeing the other one is found', async () => {
  let reveals = 0;
  const swap = (m) =>
    m.includes('"reveal"') && ++reveals ? JSON.stringify({ kind: 'reveal', value: '7'.repeat(64) }) : m;
  const [, b] = both(channels(swap), BOB, ALICE);
  await assert.rejects(b, /commitment mismatch/);
  assert.equal(reveals, 1);
});

test('a message out of turn or malformed is refused', async () => {
  for (const through of [
    (m) => m.replace('commit', 'reveal'),
    (m) => m.replace(/"value":"../, '"value":"'),
    () => 'noise',
    () => 'null',
    () => new ArrayBuffer(4),
  ]) {
    const [, b] = both(channels(through), BOB, ALICE);
    await assert.rejects(b, /expected commit/);
  }
});

test('a mismatch found by the other side arrives, whatever is awaited', async () => {
  const [a, b] = channels();
  inbox(a, () => {});
  await new Promise((resolve) => {
    const next = inbox(b, resolve);
    next('commit');
    warn(a);
  });
});

test('another connection of a call has the same string, wherever the last one broke', async () => {
  for (const kind of ['commit', 'nonce', 'reveal']) {
    const one = call();
    let broken = false;
    await new Promise((resolve) => {
      const until = (m) => {
        broken ||= m.includes(`"${kind}"`);
        if (broken) setTimeout(resolve);
        return broken ? undefined : m;
      };
      both(channels(until), BOB, ALICE, one);
    });
    const seen = new Set();
    for (let i = 0; i < 3; i++) {
      for (const { digits } of await Promise.all(both(channels(), BOB, ALICE, one))) seen.add(digits);
    }
    assert.equal(seen.size, 1, kind);
  }
});

test('whoever has revealed takes no other nonce, and no other commitment is answered', async () => {
  const [ofA, ofB] = call();
  await Promise.all(both(channels(), BOB, ALICE, [ofA, ofB]));
  const [a] = both(channels(), BOB, ALICE, [ofA, exchange('answer')]);
  await assert.rejects(a, /another nonce/);
  const [, b] = both(channels(), BOB, ALICE, [exchange('offer'), ofB]);
  await assert.rejects(b, /another commit/);
});
