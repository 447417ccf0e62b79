import assert from 'node:assert/strict';
import test, { mock } from 'node:test';
import { Call, prepare } from './call.js';

test('the certificate lasts for the longest call', async () => {
  globalThis.RTCPeerConnection = { generateCertificate: async (algorithm) => algorithm };
  const day = 86400000;
  const { expires } = await prepare().certificate;
  assert.ok(expires >= day && expires <= 365 * day, String(expires));
});

/** proving is a call whose connection shows the certificates given, up to its open channel; it tells
 * what the page hears. */
async function proving(getRemoteCertificates, role = 'answer') {
  const sdp = `a=fingerprint:sha-256 ${Array(32).fill('ab').join(':')}\r\n`;
  const channels = {};
  globalThis.RTCPeerConnection = class {
    static generateCertificate = async () => ({});
    signalingState = 'stable';
    // Who offers sees its description a moment after the channel has opened.
    localDescription = role === 'answer' ? { sdp } : null;
    getTransceivers = () => [];
    createOffer = () => new Promise((resolve) => setTimeout(resolve, 30));
    setLocalDescription = async () => {
      this.localDescription = { sdp };
    };
    remoteDescription = { sdp };
    sctp = { transport: { getRemoteCertificates } };
    createDataChannel = (name) => {
      channels[name] = { readyState: 'open', sent: [], send: (data) => channels[name].sent.push(data) };
      return channels[name];
    };
    addTransceiver() {}
    close() {}
  };
  const heard = [];
  const nothing = () => {};
  globalThis.RTCRtpReceiver = { getCapabilities: nothing };
  const frame = { room: 'R', me: 'a', peer: 'b', role, ice: { servers: [], ttl_ms: 1 } };
  const call = new Call(frame, prepare(), {
    track: null,
    send: nothing,
    hear: ({ type }) => heard.push(type),
    play: nothing,
    level: nothing,
    heard: () => -1,
  });
  for (let i = 0; i < 200 && !channels.sas; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  channels.sas.onopen();
  channels.sas.onmessage({
    data: JSON.stringify({ kind: role === 'answer' ? 'commit' : 'nonce', value: 'cd'.repeat(32) }),
  });
  for (let i = 0; i < 200 && !channels.sas.sent.length && !heard.length; i++)
    await new Promise((resolve) => setTimeout(resolve, 5));
  call.hangUp(false);
  return { heard, sent: channels.sas.sent.map((data) => JSON.parse(data).kind) };
}

test('a browser that does not show the certificate in use can prove nothing, and alarms nobody', async () => {
  assert.deepEqual(await proving(undefined), { heard: [], sent: ['nonce'] });
  assert.deepEqual(await proving(() => []), { heard: [], sent: ['nonce'] });
});

test('a channel that opens before the browser shows the description alarms nobody', async () => {
  const warnings = mock.method(console, 'warn', () => {});
  const { heard, sent } = await proving(undefined, 'offer');
  assert.equal(sent[0], 'commit');
  assert.ok(!heard.includes('peer-mismatch'));
  warnings.mock.restore();
});

test('another certificate than was said is an alarm', async () => {
  const errors = mock.method(console, 'error', () => {});
  assert.deepEqual(await proving(() => [new ArrayBuffer(8)]), { heard: ['peer-mismatch'], sent: [] });
  errors.mock.restore();
});

test('a call that cannot begin is over', async () => {
  const errors = mock.method(console, 'error', () => {});
  const prepared = { keys: Promise.reject(new Error('no keys')), certificate: Promise.resolve({}) };
  const type = await new Promise((resolve) => new Call({}, prepared, { hear: (event) => resolve(event.type) }));
  assert.equal(type, 'peer-failed');
  errors.mock.restore();
});
