import assert from 'node:assert/strict';
import test from 'node:test';
import { Peer } from './peer.js';

/** What the browser has built. */
let built = [];
let broken = false;

class Connection {
  signalingState = 'stable';
  constructor() {
    if (broken) throw new Error('Expired certificate(s)');
    built.push(this);
  }
  createDataChannel = (name) => ({ name });
  addTransceiver() {}
  close() {
    this.signalingState = 'closed';
  }
}
globalThis.RTCPeerConnection = Connection;

/** answering is a peer that answers, and what it sends. */
function answering() {
  built = [];
  broken = false;
  const sent = [];
  const nothing = () => {};
  const peer = new Peer({
    role: 'answer',
    certificate: {},
    track: null,
    ice: { servers: [], ttl_ms: 1 },
    send: (text) => sent.push(JSON.parse(text)),
    fresh: async () => {},
    opened: nothing,
    hears: nothing,
    relayed: nothing,
    agrees: nothing,
  });
  return { peer, sent };
}

test('the old connection is closed once there is a new one', () => {
  const { peer, sent } = answering();
  broken = true;
  assert.throws(() => peer.rebuild(), /Expired/);
  assert.equal(peer.pc.signalingState, 'stable', 'the old one stays');
  broken = false;
  peer.rebuild();
  assert.deepEqual(
    built.map((pc) => pc.signalingState),
    ['closed', 'stable'],
  );
  assert.deepEqual([peer.pc === built[1], sent], [true, [{ kind: 'direct', g: 2, direct: false }]]);
});
