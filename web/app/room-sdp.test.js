import assert from 'node:assert/strict';
import test from 'node:test';
import { candidate, clean, read } from './room-sdp.js';

const PRINT = Array.from({ length: 32 }, (_, i) => i.toString(16).padStart(2, '0').toUpperCase()).join(':');
const common = (mid) => [
  'c=IN IP4 192.168.1.7',
  'a=rtcp:9 IN IP4 192.168.1.7',
  'a=candidate:1 1 udp 2122260223 192.168.1.7 51000 typ host generation 0',
  'a=candidate:2 1 udp 1 203.0.113.9 51000 typ srflx raddr 192.168.1.7 rport 51000',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:0123456789012345678901',
  'a=ice-options:trickle renomination',
  `a=fingerprint:sha-256 ${PRINT}`,
  'a=setup:actpass',
  `a=mid:${mid}`,
];
const AUDIO = [
  'm=audio 51000 UDP/TLS/RTP/SAVPF 111 63 9 126',
  ...common(0),
  'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
  'a=sendrecv',
  'a=msid:my-laptop-stream 7f6e',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'a=rtcp-fb:111 transport-cc',
  'a=fmtp:111 minptime=10;useinbandfec=1;stereo=1',
  'a=rtpmap:63 red/48000/2',
  'a=fmtp:63 111/111',
  'a=rtpmap:9 G722/8000',
  'a=rtpmap:126 telephone-event/8000',
  'a=ssrc:1234 cname:alices-machine',
  'a=ssrc:1234 msid:my-laptop-stream 7f6e',
];
const VIDEO = [
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97 98 35 100',
  ...common(1),
  'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'a=extmap:9 urn:example:unknown',
  'a=sendrecv',
  'a=rtcp-mux',
  'a=rtcp-rsize',
  'a=rtpmap:96 VP8/90000',
  'a=rtcp-fb:96 nack pli',
  'a=rtpmap:97 rtx/90000',
  'a=fmtp:97 apt=96',
  'a=rtpmap:98 H264/90000',
  'a=fmtp:98 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
  'a=rtpmap:35 AV1/90000',
  'a=rtpmap:100 ulpfec/90000',
  'a=ssrc-group:FID 5678 9012',
  'a=ssrc:5678 cname:alices-machine',
  'a=ssrc:9012 cname:alices-machine',
];
const DATA = [
  'm=application 51000 UDP/DTLS/SCTP webrtc-datachannel',
  ...common(2),
  'a=sctp-port:5000',
  'a=max-message-size:262144',
];
const HEAD = [
  'v=0',
  'o=alice 123 2 IN IP4 192.168.1.7',
  's=meeting',
  't=0 0',
  'a=group:BUNDLE 0 1 2',
  'a=msid-semantic: WMS x',
];
const sdp = (...parts) => `${parts.flat().join('\r\n')}\r\n`;
const FULL = sdp(HEAD, AUDIO, VIDEO, DATA);

test('what a room needs passes, and nothing that tells who or where', () => {
  const out = clean(FULL);
  for (const secret of [
    '192.168',
    '203.0.113',
    'alice',
    'laptop',
    'meeting',
    '7f6e',
    'candidate',
    'ssrc-audio-level',
    'unknown',
    'G722',
    'ulpfec',
    'stereo',
  ])
    assert.ok(!out.includes(secret), secret);
  for (const line of [
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 63',
    'm=video 9 UDP/TLS/RTP/SAVPF 96 97 98 35',
    'a=fmtp:111 minptime=10;useinbandfec=1;usedtx=0;cbr=1;maxaveragebitrate=24000',
    'a=fmtp:63 111/111',
    'a=rtcp-fb:96 nack pli',
    'a=ssrc-group:FID 5678 9012',
    'a=ssrc:9012 cname:p',
    'a=sctp-port:5000',
    'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
  ])
    assert.ok(out.includes(`\r\n${line}\r\n`), line);
  assert.equal(clean(out), out, 'cleaned once is clean');
  assert.equal(out.split('a=fingerprint').length, 4);
});

test('descriptions that are refused', () => {
  const bad = (text) => assert.throws(() => clean(text), /refused/);
  bad('');
  bad('v=0\n');
  bad(FULL.replaceAll('\r\n', '\n'));
  bad(FULL.replace('sha-256', 'sha-1'));
  bad(FULL.replace(PRINT, PRINT.replace('00', 'FF')));
  bad(FULL.replace('s=meeting', 's=meet\ning'));
  bad(FULL.replace('s=meeting', `s=${'x'.repeat(1000)}`));
  bad(FULL.replace('m=audio 51000 UDP/TLS/RTP/SAVPF', 'm=audio 51000 RTP/AVP'));
  bad(FULL.replace('opus/', 'opsu/').replace('red/', 'der/'));
  bad(sdp(HEAD, AUDIO, VIDEO, DATA, VIDEO));
  bad(sdp(HEAD));
  bad(FULL.replace('a=mid:1', 'a=mid:1 2'));
  bad(`${FULL}${'a=x\r\n'.repeat(600)}`);
  bad('v=0\r\n'.repeat(6000));
});

test('a relay passes always, an address only from who does not hide', () => {
  const host = 'candidate:1 1 udp 2122260223 192.168.1.7 51000 typ host generation 0 ufrag abcd network-id 1';
  const local =
    'candidate:1 1 udp 2113937151 3b6f5b6e-0e0c-4a6b-8f46-5a3f4f2a1c55.local 51000 typ host generation 0 ufrag abcd';
  const srflx = 'candidate:1 1 udp 1 203.0.113.9 51000 typ srflx raddr 192.168.1.7 rport 51000';
  const relay = 'candidate:1 1 udp 1 198.51.100.3 51000 typ relay raddr 203.0.113.9 rport 51000';
  assert.deepEqual(
    [host, local, srflx].map((line) => candidate(line, true)),
    ['', '', ''],
  );
  assert.ok(candidate(relay, true).includes('198.51.100.3') && !candidate(relay, true).includes('203.0.113.9'));
  assert.ok(candidate(host, false).includes('192.168.1.7'));
  assert.equal(
    candidate(local, false),
    'candidate:1 1 udp 2113937151 3b6f5b6e-0e0c-4a6b-8f46-5a3f4f2a1c55.local 51000 typ host ufrag abcd',
  );
  assert.ok(candidate(srflx, false) && !candidate(srflx, false).includes('192.168'));
  for (const junk of [
    '',
    'x',
    'candidate:1 1 udp 1 evil.example 9 typ host',
    'candidate:1 1 tcp 1 192.0.2.1 9 typ host',
    7,
    null,
  ])
    assert.equal(candidate(junk, false), '');
});

test('words of a member', () => {
  const mac = 'x'.repeat(43);
  for (const word of [
    { k: 'hi', back: '' },
    { k: 'hi', back: mac },
    { k: 'full' },
    { k: 'again', g: 2 },
    { k: 'proof', g: 1, mac },
    { k: 'candidate', g: 1, candidate: 'c', mid: '0' },
    { k: 'offer', g: 1, o: 1, sdp: clean(FULL) },
  ])
    assert.deepEqual(read(JSON.stringify({ ...word, more: 1 })), word);
  for (const junk of [
    'x',
    'null',
    '{}',
    '{"k":"hi"}',
    '{"k":"hi","back":"short"}',
    '{"k":"again"}',
    '{"k":"again","g":0}',
    '{"k":"again","g":1001}',
    '{"k":"proof","g":1,"mac":7}',
    '{"k":"candidate","g":1,"candidate":"c","mid":"a b"}',
    '{"k":"offer","g":1,"o":0,"sdp":""}',
    '{"k":"answer","g":1,"o":1}',
    '{"k":"shell","g":1}',
  ])
    assert.throws(() => read(junk), junk);
});
