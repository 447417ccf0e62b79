import assert from 'node:assert/strict';
import test from 'node:test';
import { guard, watch } from './judge.js';

/** run samples every 250 ms for 35 s after the first packet and lists "seconds effect". */
function run(sampleAt, began = true) {
  let w = watch(began ? -250 : 0);
  if (began) [w] = guard(w, 0, { packets: 1, connects: 1, failed: false });
  const log = [];
  for (let now = 250; now <= 35000; now += 250) {
    const [next, effects] = guard(w, now, sampleAt(now));
    w = next;
    for (const e of effects) log.push(`${now / 1000} ${e}`);
  }
  return log;
}
const silence = { packets: 1, connects: 1, failed: false };

test('packets flow: nothing happens', () => {
  assert.deepEqual(
    run((now) => ({ ...silence, packets: now })),
    [],
  );
});

test('silence for good', () => {
  assert.deepEqual(
    run(() => silence),
    ['1.5 reconnecting', '2 restart', '6 restart', '10 restart', '20 end'],
  );
});

test('a restart helps', () => {
  assert.deepEqual(
    run((now) => ({ ...silence, packets: now < 2500 ? 1 : now })),
    ['1.5 reconnecting', '2 restart', '2.5 live'],
  );
});

test('connected again but deaf: rebuild, once', () => {
  assert.deepEqual(
    run((now) => ({ ...silence, connects: now < 2500 ? 1 : 2 })),
    ['1.5 reconnecting', '2 restart', '5.5 rebuild', '20 end'],
  );
});

test('failed: rebuild, once', () => {
  assert.deepEqual(
    run((now) => ({ ...silence, failed: now >= 4000 })),
    ['1.5 reconnecting', '2 restart', '4 rebuild', '20 end'],
  );
});

test('the first packet', () => {
  const packets = (now) => (now < 700 ? 0 : now);
  assert.deepEqual(
    run((now) => ({ packets: packets(now), connects: 1, failed: false }), false),
    ['0.75 live'],
  );
});

test('no first packet', () => {
  assert.deepEqual(
    run(() => ({ packets: 0, connects: 0, failed: false }), false),
    ['6 restart', '10 restart', '14 restart', '30 end'],
  );
  assert.deepEqual(
    run((now) => ({ packets: 0, connects: 0, failed: now > 9000 }), false),
    ['6 restart', '9.25 rebuild', '30 end'],
  );
});
