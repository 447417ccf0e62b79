import assert from 'node:assert/strict';
import test, { mock } from 'node:test';
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

test('what a closed connection never answers holds nothing up', async () => {
  const { peer, sent } = answering();
  const heard = [];
  // The first is asked to take a candidate, and closed before it has answered.
  Connection.prototype.remoteDescription = { sdp: '' };
  Connection.prototype.addIceCandidate = function add() {
    heard.push(built.indexOf(this));
    return this === built[0] ? new Promise(() => {}) : Promise.resolve();
  };
  const warn = mock.method(console, 'warn', () => {});
  try {
    const candidate = 'candidate:1 1 udp 1 192.0.2.1 9 typ relay raddr 0.0.0.0 rport 0';
    const say = (g) => peer.receive(JSON.stringify({ kind: 'candidate', g, candidate, mid: '0' }));
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    say(1);
    await settle();
    assert.deepEqual(heard, [0]);
    peer.rebuild();
    await settle();
    say(2);
    await settle();
    assert.deepEqual(heard, [0, 1], 'the next connection is asked although the first never answers');
    assert.equal(sent.length, 1);
  } finally {
    warn.mock.restore();
    delete Connection.prototype.remoteDescription;
    delete Connection.prototype.addIceCandidate;
  }
});

test('the peer is followed one connection at a time, not faster than an honest one goes', async () => {
  const { peer } = answering();
  let now = 1000;
  mock.method(performance, 'now', () => now);
  mock.timers.enable({ apis: ['setTimeout'] });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const say = (g) => peer.receive(JSON.stringify({ kind: 'direct', g, direct: false }));
  const wait = async (ms) => {
    now += ms;
    mock.timers.tick(ms);
    await settle();
  };
  try {
    say(3);
    say(1000);
    await settle();
    assert.equal(built.length, 1, 'none is left out');
    for (let g = 2; g <= 5; g++) say(g);
    await settle();
    assert.equal(built.length, 2, 'the first at once');
    await wait(1999);
    assert.equal(built.length, 2);
    await wait(1);
    assert.equal(built.length, 3, 'the next one has waited, and is not lost');
    await wait(2000);
    assert.equal(built.length, 4);
    peer.close();
    await wait(2000);
    assert.equal(built.length, 4, 'nothing begins after the end');
  } finally {
    mock.timers.reset();
    mock.restoreAll();
  }
});

test('of a flood only so much is kept', async () => {
  const { peer } = answering();
  const parse = mock.method(JSON, 'parse');
  for (let i = 0; i < 1000; i++) peer.receive('{"kind":"direct","g":1,"direct":false}');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(parse.mock.callCount(), 200);
  mock.restoreAll();
});
