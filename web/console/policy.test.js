import assert from 'node:assert/strict';
import test from 'node:test';
import { differences, fault, get, same, set, title } from './policy.js';

const balanced = {
  thresholds: [0.07, 0.12, 0.2],
  min_reporters: [0.6, 1.6, 3],
  hysteresis: 0.02,
  net_cap: 1.2,
  reason_weight: { sexual: 1, hate: 1 },
};

test('one number is set and the rest stays', () => {
  const next = set(balanced, 'thresholds.1', 0.15);
  assert.equal(get(next, 'thresholds.1'), 0.15);
  assert.equal(get(balanced, 'thresholds.1'), 0.12);
  assert.deepEqual(
    differences(balanced, next).map((d) => d.says),
    ['Threshold of restricted: 0.12 → 0.15'],
  );
  assert.ok(same(balanced, structuredClone(balanced)));
  assert.equal(get(set(balanced, 'reason_weight.hate', 2), 'reason_weight.hate'), 2);
});

test('faults are sentences', () => {
  assert.equal(fault(balanced), '');
  assert.match(fault(set(balanced, 'thresholds.0', 0.3)), /must rise/);
  assert.match(fault(set(balanced, 'thresholds.0', Number.NaN)), /needs a number/);
  assert.match(fault(set(balanced, 'hysteresis', -1)), /negative/);
  assert.match(fault(set(balanced, 'thresholds.2', 1.5)), /never reached/);
  assert.match(fault(set(balanced, 'net_cap', 1.6)), /one network/);
});

test('every path has words', () => {
  assert.equal(title('reason_weight.hate'), 'Weight of hate');
  assert.equal(title('min_reporters.2'), 'Reporters needed for cooldown');
});
