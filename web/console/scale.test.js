import assert from 'node:assert/strict';
import test from 'node:test';
import { bars, keyed, limits, moved, reach, scoreAt, snap, xOf } from './scale.js';

const frame = { left: 40, top: 10, width: 600, height: 200, max: 0.4 };
const three = [0.07, 0.12, 0.2];

test('a score and its place are each other’s inverse', () => {
  for (let s = 0; s <= 0.4; s += 0.01) assert.ok(Math.abs(scoreAt(frame, xOf(frame, s)) - s) < 1e-9);
  assert.equal(scoreAt(frame, -1000), 0);
  assert.equal(scoreAt(frame, 10_000), 0.4);
});

test('a threshold never passes its neighbour', () => {
  assert.deepEqual(moved(three, 0, 0.5, 0.4), [0.115, 0.12, 0.2]);
  assert.deepEqual(moved(three, 1, 0, 0.4), [0.07, 0.075, 0.2]);
  assert.deepEqual(moved(three, 2, 9, 0.4), [0.07, 0.12, 0.4]);
  assert.deepEqual(moved(three, 0, -1, 0.4), [0.005, 0.12, 0.2]);
});

test('steps leave no noise behind', () => {
  let all = three;
  for (let i = 0; i < 7; i++) all = moved(all, 1, keyed('ArrowRight', all[1], limits(all, 1, 0.4)), 0.4);
  assert.deepEqual(all, [0.07, 0.155, 0.2]);
  assert.equal(snap(0.1 + 0.2), 0.3);
});

test('keys', () => {
  const between = limits(three, 1, 0.4);
  assert.deepEqual(between, [0.075, 0.195]);
  assert.equal(keyed('Home', 0.12, between), 0.075);
  assert.equal(keyed('End', 0.12, between), 0.195);
  assert.equal(keyed('Tab', 0.12, between), undefined);
});

test('a number below the floor shows in no bar', () => {
  const of = (n) => bars(frame, { width: 0.01, bins: [0, n, 100], records: 100 }, 5);
  const [few] = of('few');
  assert.equal(few.few, true);
  assert.match(few.says, /fewer than 5 between 0.01 and 0.02/);
  assert.equal(of('few').length, 2);
  assert.ok(of(100)[0].height === frame.height);
});

test('the chart reaches beyond every threshold', () => {
  assert.equal(reach(three), 0.4);
  assert.equal(reach([0.1, 0.5, 0.9]), 1);
});
