import assert from 'node:assert/strict';
import test from 'node:test';
import { summarize, Tally } from './judge.js';
import { read } from './sdp.js';

const report = (types, more = {}) =>
  new Map(
    Object.entries({
      in: { type: 'inbound-rtp', kind: 'audio', packetsReceived: 100, packetsLost: 3 },
      out: { type: 'outbound-rtp', kind: 'audio', packetsSent: 90 },
      far: { type: 'remote-inbound-rtp', kind: 'audio', packetsLost: 2, roundTripTime: 0.2 },
      old: { type: 'candidate-pair', nominated: false, localCandidateId: 'host', remoteCandidateId: 'host' },
      pair: { type: 'candidate-pair', nominated: true, localCandidateId: types[0], remoteCandidateId: types[1] },
      host: { type: 'local-candidate', candidateType: 'host' },
      relay: { type: 'local-candidate', candidateType: 'relay' },
      prflx: { type: 'remote-candidate', candidateType: 'prflx' },
      ...more,
    }),
  );

test('the numbers of a report', () => {
  assert.deepEqual(summarize(report(['relay', 'relay'])), {
    received: 100,
    lost: 3,
    sent: 90,
    sentLost: 2,
    rtt: 0.2,
    path: 'relayed',
  });
  assert.equal(summarize(new Map()).path, '');
});

test('one relayed end makes it relayed; the transport names the pair in use', () => {
  assert.equal(summarize(report(['relay', 'prflx'])).path, 'relayed');
  assert.equal(summarize(report(['host', 'relay'])).path, 'relayed');
  assert.equal(summarize(report(['host', 'prflx'])).path, 'direct');
  const named = { transport: { type: 'transport', selectedCandidatePairId: 'old' } };
  assert.equal(summarize(report(['relay', 'relay'], named)).path, 'direct');
});

test('a replaced connection still counts', () => {
  const tally = new Tally();
  tally.take(report(['relay', 'relay']));
  assert.equal(tally.take(report(['relay', 'relay'])).received, 100);
  tally.replaced();
  assert.equal(tally.take(new Map()).received, 100);
  assert.equal(tally.take(report(['relay', 'relay'])).received, 200);
});

test('what is no message of the peer is refused', () => {
  assert.deepEqual(read('{"kind":"ask","g":1,"what":"restart"}'), { kind: 'ask', g: 1, what: 'restart' });
  assert.deepEqual(read('{"kind":"direct","g":2,"direct":1}'), { kind: 'direct', g: 2, direct: false });
  const bad = [
    '',
    '[]',
    'null',
    '{"kind":"ask","g":1,"what":"x"}',
    '{"kind":"ask","what":"restart"}',
    '{"kind":"ask","g":1e9,"what":"red"}',
    '{"kind":"offer","g":1,"o":1,"sdp":"v=0\\r\\n"}',
    '{"kind":"offer","g":1,"o":1}',
    '{"kind":"candidate","g":1,"candidate":5,"mid":"0"}',
    '{"kind":"candidate","g":1,"candidate":"x","mid":"a b"}',
    '{"kind":"answer","g":0,"o":1,"sdp":""}',
  ];
  for (const text of bad) assert.throws(() => read(text), text);
});
