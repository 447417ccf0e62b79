import assert from 'node:assert/strict';
import test from 'node:test';
import { negotiation, step } from './room-negotiate.js';

const [ANA, BO] = ['a', 'b'];

test('who is polite follows from the ids', () => {
  assert.deepEqual([negotiation(ANA, BO).polite, negotiation(BO, ANA).polite], [true, false]);
});

/** play feeds events and lists the effects. */
function play(n, ...events) {
  const log = [];
  for (const event of events) {
    const [after, effects] = step(n, event);
    n = after;
    for (const e of effects)
      log.push(e.do === 'send' ? `${e.kind} ${e.o} ${e.sdp}` : [e.do, e.sdp].filter(Boolean).join(' '));
  }
  return { n, log };
}

test('an offer and its answer', () => {
  const { n, log } = play(
    negotiation(ANA, BO),
    { type: 'needed' },
    { type: 'made', sdp: 'A' },
    { type: 'answer', o: 1, sdp: 'B' },
    { type: 'settled' },
  );
  assert.deepEqual(log, ['make', 'offer 1 A', 'accept B']);
  assert.equal(n.phase, 'stable');
});

test('both offer: the polite one takes theirs and offers again, the other goes on', () => {
  const polite = play(
    negotiation(ANA, BO),
    { type: 'needed' },
    { type: 'made', sdp: 'A' },
    { type: 'offer', o: 1, sdp: 'B' },
    { type: 'taken', sdp: 'A2' },
    { type: 'made', sdp: 'A3' },
  );
  assert.deepEqual(polite.log, ['make', 'offer 1 A', 'take B', 'answer 1 A2', 'make', 'offer 2 A3']);
  const impolite = play(
    negotiation(BO, ANA),
    { type: 'needed' },
    { type: 'made', sdp: 'B' },
    { type: 'offer', o: 1, sdp: 'A' },
    { type: 'answer', o: 1, sdp: 'A2' },
    { type: 'settled' },
  );
  assert.deepEqual(impolite.log, ['make', 'offer 1 B', 'accept A2']);
});

test('theirs comes while ours is being made', () => {
  const polite = play(
    negotiation(ANA, BO),
    { type: 'needed' },
    { type: 'offer', o: 1, sdp: 'B' },
    { type: 'made', sdp: 'A' },
    { type: 'taken', sdp: 'A2' },
  );
  assert.deepEqual(polite.log, ['make', 'take B', 'answer 1 A2', 'make']);
  const impolite = play(
    negotiation(BO, ANA),
    { type: 'needed' },
    { type: 'offer', o: 1, sdp: 'A' },
    { type: 'made', sdp: 'B' },
  );
  assert.deepEqual(impolite.log, ['make', 'offer 1 B']);
});

test('an answer nobody waits for means nothing', () => {
  const { log } = play(
    negotiation(ANA, BO),
    { type: 'answer', o: 1, sdp: 'x' },
    { type: 'needed' },
    { type: 'answer', o: 1, sdp: 'x' },
    { type: 'made', sdp: 'A' },
    { type: 'answer', o: 2, sdp: 'x' },
    { type: 'answer', o: 0, sdp: 'x' },
    { type: 'answer', o: 1, sdp: 'B' },
    { type: 'answer', o: 1, sdp: 'B' },
  );
  assert.deepEqual(log, ['make', 'offer 1 A', 'accept B']);
});

test('a newer offer replaces one that is being taken', () => {
  const { log } = play(
    negotiation(BO, ANA),
    { type: 'offer', o: 1, sdp: 'A' },
    { type: 'offer', o: 2, sdp: 'A2' },
    { type: 'taken', sdp: 'B' },
    { type: 'taken', sdp: 'B2' },
  );
  assert.deepEqual(log, ['take A', 'answer 1 B', 'take A2', 'answer 2 B2']);
});

test('a browser that refuses asks for another connection, once', () => {
  const { log } = play(
    negotiation(ANA, BO),
    { type: 'needed' },
    { type: 'failed' },
    { type: 'failed' },
    { type: 'needed' },
  );
  assert.deepEqual(log, ['make', 'rebuild']);
});

// A model of two browsers: what each has described, and whether the other has it. Messages arrive in order,
// work takes any time. Deterministic for a seed.
function meet(seed, needs) {
  let state = seed;
  const random = (n) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % n;
  };
  const sides = [ANA, BO].map((me, i) => ({
    n: negotiation(me, [BO, ANA][i]),
    inbox: [],
    work: [],
    want: 0,
    has: 0,
    other: 0,
  }));
  const feed = (i, event) => {
    const [n, effects] = step(sides[i].n, event);
    sides[i].n = n;
    for (const e of effects) {
      assert.notEqual(e.do, 'rebuild');
      if (e.do === 'send') sides[1 - i].inbox.push({ type: e.kind, o: e.o, sdp: e.sdp });
      else sides[i].work.push(e);
    }
    assert.ok(sides[i].work.length <= 1, 'one thing at a time');
  };
  // A description says how often its side has changed.
  const work = (i) => {
    const side = sides[i];
    const e = side.work.shift();
    if (e.sdp) side.other = Number(e.sdp);
    if (e.do === 'accept') return feed(i, { type: 'settled' });
    feed(i, { type: e.do === 'make' ? 'made' : 'taken', sdp: String(side.want) });
  };
  for (let turn = 0; turn < 2000; turn++) {
    const i = random(2);
    const choices = [];
    if (sides[i].inbox.length) choices.push(() => feed(i, sides[i].inbox.shift()));
    if (sides[i].work.length) choices.push(() => work(i));
    if (needs > 0)
      choices.push(() => {
        needs--;
        sides[i].want++;
        feed(i, { type: 'needed' });
      });
    choices[random(choices.length || 1)]?.();
    if (needs === 0 && sides.every((s) => !s.inbox.length && !s.work.length)) break;
  }
  return sides;
}

test('whatever crosses whatever, both end in peace and know the last of the other', () => {
  for (let seed = 1; seed <= 500; seed++) {
    const sides = meet(seed, 1 + (seed % 9));
    for (const [i, side] of sides.entries()) {
      assert.deepEqual(
        [side.n.phase, side.n.again, side.inbox.length, side.work.length],
        ['stable', false, 0, 0],
        `seed ${seed}`,
      );
      assert.equal(side.other, sides[1 - i].want, `seed ${seed}: side ${i} has heard of all changes`);
    }
  }
});
