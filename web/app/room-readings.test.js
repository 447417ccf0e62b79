import assert from 'node:assert/strict';
import test from 'node:test';
import { Readings, read } from './room-readings.js';

const report = (...rows) => new Map(rows.map((row, i) => [row.id ?? String(i), row]));
const FULL = [
  { type: 'transport', selectedCandidatePairId: 'pair' },
  {
    id: 'pair',
    type: 'candidate-pair',
    localCandidateId: 'l',
    remoteCandidateId: 'r',
    availableOutgoingBitrate: 812345,
  },
  { id: 'l', type: 'local-candidate', candidateType: 'relay' },
  { id: 'r', type: 'remote-candidate', candidateType: 'host' },
  { type: 'inbound-rtp', kind: 'video', framesDecoded: 70, packetsReceived: 900 },
  { type: 'outbound-rtp', kind: 'video', targetBitrate: 350000, qualityLimitationReason: 'cpu', packetsSent: 800 },
  { type: 'inbound-rtp', kind: 'audio', packetsReceived: 500, packetsLost: 5 },
  { type: 'outbound-rtp', kind: 'audio', packetsSent: 510 },
  { type: 'remote-inbound-rtp', kind: 'audio', packetsLost: 3, roundTripTime: 0.04 },
];
const NUMBERS = read(report(...FULL));

test('what a report says, pictures and voice apart', () => {
  assert.deepEqual(NUMBERS, {
    ...{ path: 'relayed', rtt: 0.04, kbps: 812, target: 350, frames: 70, cpu: true },
    voice: { received: 500, lost: 5, sent: 510, sentLost: 3 },
  });
  const nothing = read(report());
  assert.deepEqual([nothing.path, nothing.kbps, nothing.target, nothing.frames], ['', 0, 0, 0]);
});

test('the line holds the picture back only when the browser gives it less than the plan does', () => {
  const held = (target, allowed) => new Readings().take(1000, { ...NUMBERS, target }, allowed).held;
  assert.deepEqual(
    [held(350, 700), held(650, 700), held(130, 130), held(0, 700), held(350, 0)],
    [true, false, false, false, false],
  );
});

test('a picture that stands still for a moment is not gone', () => {
  const readings = new Readings();
  const moving = (frames, now) => readings.take(now, { ...NUMBERS, frames }, 0).moving;
  assert.deepEqual(
    [0, 5, 5, 9, 9, 9, 9, 10].map((frames, i) => moving(frames, i * 1000)),
    [false, true, true, true, true, false, false, true],
  );
});

test('speech is sent twice while much is lost', () => {
  const readings = new Readings();
  const turns = [];
  let [received, lost] = [0, 0];
  for (let second = 0; second < 120; second++) {
    received += 50;
    if (second < 20) lost += 5;
    const { twice, turned, weak } = readings.take(
      second * 1000,
      { ...NUMBERS, voice: { received, lost, sent: received, sentLost: 0 } },
      0,
    );
    if (turned) turns.push([second, twice]);
    if (second === 15) assert.ok(weak);
    if (second === 60) assert.ok(!weak);
  }
  assert.deepEqual(
    turns.map(([, twice]) => twice),
    [true, false],
  );
  assert.ok(turns[0][0] >= 10 && turns[0][0] < 14 && turns[1][0] > 75, JSON.stringify(turns));
});
