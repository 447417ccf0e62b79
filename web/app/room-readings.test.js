import assert from 'node:assert/strict';
import test from 'node:test';
import { arrived, Readings, read, Signs } from './room-readings.js';

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

test('a page that does not get to speak is no dead line: bytes are signs of life, for a while', () => {
  const signs = new Signs();
  /** What one look every 500 ms finds. */
  const look = (now, beats, bytes) => {
    const wanted = signs.wanted(now, beats);
    if (wanted) signs.take(bytes);
    return [wanted, signs.count];
  };
  assert.deepEqual(look(0, 5, 100), [false, 0], 'a beat came');
  assert.deepEqual(look(300, 5, 200), [false, 0], 'the next is not due');
  assert.deepEqual(look(500, 5, 900), [true, 0], 'what came before the silence is none');
  assert.deepEqual(look(1000, 5, 940), [true, 1], 'something came in it');
  assert.deepEqual(look(1500, 5, 940), [true, 1], 'nothing came');
  assert.deepEqual(look(2000, 5, 980), [true, 2]);
  assert.deepEqual(look(2500, 6, 1300), [false, 2], 'it spoke again');
  assert.deepEqual(look(3000, 6, 1340), [true, 2], 'and begins anew');
  signs.replaced();
  assert.deepEqual(look(3500, 6, 40), [true, 2], 'another connection counts its own');
  assert.deepEqual(look(4000, 6, 80), [true, 3]);
  assert.deepEqual(look(17400, 6, 9000), [true, 4]);
  assert.deepEqual(look(17500, 6, 9990), [false, 4], 'a page that never speaks is not there');
});

test('bytes of a connection are those of all its ways', () => {
  const ways = [
    { type: 'candidate-pair', bytesReceived: 700 },
    { type: 'candidate-pair', bytesReceived: 40 },
    { type: 'candidate-pair' },
    { type: 'inbound-rtp', bytesReceived: 500 },
  ];
  assert.equal(arrived(report(...ways)), 740);
  assert.equal(arrived(report()), 0);
});
