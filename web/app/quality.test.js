import assert from 'node:assert/strict';
import test from 'node:test';
import { fall, judge, loudness, quality } from './judge.js';

/** run plays seconds of a call, 50 packets a second; at(second) gives what is true then. Returns the verdicts by second. */
function run(seconds, at) {
  let q = quality(0);
  const sum = { received: 0, lost: 0, sent: 0, sentLost: 0, rtt: 0.05, energy: 0, peerMuted: false };
  const verdicts = [];
  for (let now = 250; now <= seconds * 1000; now += 250) {
    const { loss = 0, sentLoss = 0, rtt = 0.05, energy = 0.001, peerMuted = false } = at(now / 1000);
    sum.received += 12.5 * (1 - loss);
    sum.lost += 12.5 * loss;
    sum.sent += 12.5;
    sum.sentLost += 12.5 * sentLoss;
    sum.energy += energy;
    let verdict;
    [q, verdict] = judge(q, now, { ...sum, rtt, peerMuted });
    verdicts[Math.floor(now / 1000)] = verdict;
  }
  return verdicts;
}
const first = (verdicts, holds) => verdicts.findIndex((v) => v && holds(v));

test('a good call is good, and no RED', () => {
  const v = run(90, () => ({ loss: 0.01 }));
  assert.deepEqual([v[1].quality, v[5].quality, v[89].quality], ['', 'good', 'good']);
  assert.equal(
    first(v, (x) => x.red || x.silent),
    -1,
  );
});

test('RED after 10 s of more than 3 % loss, in either direction; off after 60 s without', () => {
  for (const kind of ['loss', 'sentLoss']) {
    const v = run(110, (s) => ({ [kind]: s < 20 ? 0.1 : 0 }));
    const on = first(v, (x) => x.red);
    assert.ok(on >= 10 && on <= 12, `${kind}: on at ${on}`);
    const off = v.findIndex((x, s) => s > on && !x.red);
    assert.ok(off >= 80 && off <= 86, `${kind}: off at ${off}`);
  }
});

test('a short burst of loss makes it weak, not RED', () => {
  const v = run(40, (s) => ({ loss: s > 10 && s < 13 ? 0.2 : 0 }));
  assert.equal(
    first(v, (x) => x.red),
    -1,
  );
  const weak = first(v, (x) => x.quality === 'weak');
  assert.ok(weak >= 10 && weak <= 12, String(weak));
  assert.equal(v[39].quality, 'good');
});

test('a long way makes it weak', () => {
  assert.equal(run(5, () => ({ rtt: 1.2 }))[4].quality, 'weak');
});

test('a silent peer is noticed after 20 s, a muted one is not called silent', () => {
  const v = run(60, (s) => ({ energy: s > 10 && s < 40 ? 0 : 0.001 }));
  assert.ok([30, 31].includes(first(v, (x) => x.silent)));
  assert.equal(v[45].silent, false);
  assert.equal(
    first(
      run(60, () => ({ energy: 0, peerMuted: true })),
      (x) => x.silent,
    ),
    -1,
  );
});

test('loudness', () => {
  assert.deepEqual([loudness(0), loudness(Number.NaN), loudness(0.001), loudness(1), loudness(5)], [0, 0, 0, 1, 1]);
  assert.ok(loudness(0.03) > 0.45 && loudness(0.03) < 0.55);
  assert.deepEqual([fall(0.2, 0.9), fall(0.9, 0.9), fall(0.05, 0)], [0.9, 0.9, 0]);
});
