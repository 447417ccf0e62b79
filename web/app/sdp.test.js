import assert from 'node:assert/strict';
import test from 'node:test';
import { candidate, clean, fingerprint } from './sdp.js';

const crlf = (text) =>
  `${text
    .trim()
    .split('\n')
    .map((l) => l.trim())
    .join('\r\n')}\r\n`;
const PRINT = Array.from({ length: 32 }, (_, i) => (i + 16).toString(16).toUpperCase()).join(':');

// As Chromium 156 writes it once candidates are gathered.
const CHROMIUM = crlf(`v=0
  o=- 1730698004436914891 2 IN IP4 127.0.0.1
  s=-
  t=0 0
  a=group:BUNDLE 0 1
  a=extmap-allow-mixed
  a=msid-semantic: WMS dcd01961-ee87-48da-8190-4b3abab6ef08
  m=audio 40123 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
  c=IN IP4 203.0.113.9
  a=rtcp:9 IN IP4 0.0.0.0
  a=candidate:2941058662 1 udp 2113937151 192.168.1.7 36265 typ host generation 0 network-cost 999
  a=candidate:1680490374 1 udp 2113942271 4e9be6c1-2533-4cdd-9923-bdd923861d3d.local 59607 typ host generation 0
  a=candidate:3 1 udp 1686052607 203.0.113.9 40123 typ srflx raddr 192.168.1.7 rport 36265 generation 0
  a=candidate:4 1 udp 41885695 198.51.100.4 50002 typ relay raddr 203.0.113.9 rport 40123 generation 0
  a=ice-ufrag:Ba3a
  a=ice-pwd:NQwEi8kZ9hWQrEOctpqQkrPa
  a=ice-options:trickle
  a=fingerprint:sha-256 ${PRINT}
  a=setup:actpass
  a=mid:0
  a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
  a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
  a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
  a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
  a=sendrecv
  a=msid:dcd01961-ee87-48da-8190-4b3abab6ef08 2a6011c5-e424-468d-b518-65dc92738ff3
  a=rtcp-mux
  a=rtcp-rsize
  a=rtcp-xr:rcvr-rtt=all
  a=rtpmap:111 opus/48000/2
  a=rtcp-fb:111 transport-cc
  a=fmtp:111 minptime=10;useinbandfec=1
  a=rtpmap:63 red/48000/2
  a=fmtp:63 111/111
  a=rtpmap:9 G722/8000
  a=rtpmap:0 PCMU/8000
  a=rtpmap:8 PCMA/8000
  a=rtpmap:13 CN/8000
  a=rtpmap:110 telephone-event/48000
  a=rtpmap:126 telephone-event/8000
  a=ssrc:3300414484 cname:X0ivUJ+BrNg/smom
  a=ssrc:3300414484 msid:dcd01961-ee87-48da-8190-4b3abab6ef08 2a6011c5-e424-468d-b518-65dc92738ff3
  m=application 40123 UDP/DTLS/SCTP webrtc-datachannel
  c=IN IP4 203.0.113.9
  a=ice-ufrag:Ba3a
  a=ice-pwd:NQwEi8kZ9hWQrEOctpqQkrPa
  a=ice-options:trickle
  a=fingerprint:sha-256 ${PRINT}
  a=setup:actpass
  a=mid:1
  a=sctp-port:5000
  a=max-message-size:262144`);

// As Firefox writes it: fingerprint in the head, a bundled section with port 0.
const FIREFOX = crlf(`v=0
  o=mozilla...THIS_IS_SDPARTA-99.0 4611733056215842000 0 IN IP4 0.0.0.0
  s=-
  t=0 0
  a=sendrecv
  a=fingerprint:sha-256 ${PRINT}
  a=group:BUNDLE 0 1
  a=ice-options:trickle
  a=msid-semantic:WMS *
  m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101
  c=IN IP4 0.0.0.0
  a=candidate:0 1 UDP 2122252543 10.0.0.5 51000 typ host
  a=sendrecv
  a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
  a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level
  a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
  a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
  a=fmtp:101 0-15
  a=ice-pwd:e7e5f1d5a1b3c2d4e7e5f1d5a1b3c2d4
  a=ice-ufrag:a1b2c3d4
  a=mid:0
  a=msid:{0b9d1ed1-b0a3-4b7c-8f2c-0e63ac5ba2c0} {1c9d1ed1-b0a3-4b7c-8f2c-0e63ac5ba2c0}
  a=rtcp-mux
  a=rtpmap:109 opus/48000/2
  a=rtpmap:9 G722/8000/1
  a=rtpmap:0 PCMU/8000
  a=rtpmap:8 PCMA/8000
  a=rtpmap:101 telephone-event/8000/1
  a=setup:actpass
  a=ssrc:2655508255 cname:{735484ea-4f6c-f74a-bd66-7425f8476c2e}
  m=application 0 UDP/DTLS/SCTP webrtc-datachannel
  c=IN IP4 0.0.0.0
  a=bundle-only
  a=sendrecv
  a=ice-pwd:e7e5f1d5a1b3c2d4e7e5f1d5a1b3c2d4
  a=ice-ufrag:a1b2c3d4
  a=mid:1
  a=setup:actpass
  a=sctp-port:5000
  a=max-message-size:1073741823`);

const corpus = { CHROMIUM, FIREFOX };
const addresses = /\b(?!0\.0\.0\.0)\d{1,3}(\.\d{1,3}){3}\b|\.local|candidate/;

test('what goes out has one Opus at a constant rate and no address', () => {
  for (const [name, sdp] of Object.entries(corpus)) {
    const out = clean(sdp);
    assert.doesNotMatch(out, addresses, name);
    assert.doesNotMatch(out, /PCMU|G722|telephone-event|stereo|mozilla|X0ivUJ|audio-level/, name);
    assert.match(out, /useinbandfec=1;usedtx=0;cbr=1;maxaveragebitrate=24000\r\n/, name);
    assert.equal(fingerprint(out), fingerprint(sdp), name);
    assert.equal(clean(out), out, `${name}: cleaning twice changes nothing`);
  }
});

test('RED stays behind Opus, or before it, as the browser said', () => {
  assert.match(clean(CHROMIUM), /^m=audio 9 UDP\/TLS\/RTP\/SAVPF 111 63\r$/m);
  const first = CHROMIUM.replace('SAVPF 111 63', 'SAVPF 63 111');
  assert.match(clean(first), /^m=audio 9 UDP\/TLS\/RTP\/SAVPF 63 111\r$/m);
  assert.match(clean(first), /^a=fmtp:63 111\/111\r$/m);
  assert.match(clean(FIREFOX), /^m=audio 9 UDP\/TLS\/RTP\/SAVPF 109\r$/m);
});

test('a bundled section keeps its port 0, a rejected one is refused', () => {
  assert.match(clean(FIREFOX), /^m=application 0 (.*\r\n)+a=bundle-only\r$/m);
  assert.throws(() => clean(FIREFOX.replace('a=bundle-only\r\n', '')), /rejected/);
  assert.throws(() => clean(FIREFOX.replace('m=audio 9', 'm=audio 0')), /refused/);
});

test('every injected line disappears', () => {
  const injected = [
    'a=candidate:1 1 udp 1 192.168.0.9 5 typ host',
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA',
    'a=identity:x',
    'a=remote-candidates:1 192.168.0.9 5',
    'b=AS:9000',
    'i=hello',
    'a=x-google-flag:conference',
    'a=rtpmap:96 H264/90000',
    'a=extmap:9 http://example.org/spy',
    'a=simulcast:send 1',
  ];
  for (const [name, sdp] of Object.entries(corpus)) {
    const lines = sdp.split('\r\n').slice(0, -1);
    for (const line of injected) {
      for (let at = 1; at <= lines.length; at++) {
        const evil = [...lines.slice(0, at), line, ...lines.slice(at)].join('\r\n');
        assert.equal(clean(`${evil}\r\n`), clean(sdp), `${name}: ${line} after ${lines[at - 1]}`);
      }
    }
  }
});

test('every line may be missing: the result is clean or refused, never different', () => {
  for (const sdp of Object.values(corpus)) {
    const lines = sdp.split('\r\n').slice(0, -1);
    for (let at = 0; at < lines.length; at++) {
      const less = `${lines.filter((_, i) => i !== at).join('\r\n')}\r\n`;
      let out = '';
      try {
        out = clean(less);
      } catch {
        continue;
      }
      assert.doesNotMatch(out, addresses);
      assert.equal(clean(out), out);
    }
  }
});

test('bad descriptions are refused', () => {
  const audio = CHROMIUM.slice(CHROMIUM.indexOf('m=audio'), CHROMIUM.indexOf('m=application'));
  const bad = {
    'two fingerprints': CHROMIUM.replace(PRINT, PRINT.replace('10', '99')),
    'another hash': CHROMIUM.replaceAll('sha-256', 'sha-1'),
    'a short fingerprint': CHROMIUM.replaceAll(PRINT, PRINT.slice(3)),
    'no fingerprint': CHROMIUM.replaceAll(/a=fingerprint.*\r\n/g, ''),
    'a second audio section': CHROMIUM + audio,
    'a video section': CHROMIUM + audio.replace('m=audio', 'm=video'),
    'no data channel': CHROMIUM.slice(0, CHROMIUM.indexOf('m=application')),
    'no opus': CHROMIUM.replace('opus/48000', 'opus/8000'),
    'a bare line feed': CHROMIUM.replace('a=mid:0', 'a=mid:0\na=candidate:1 1 udp 1 10.0.0.1 5 typ host'),
    'a bare carriage return': CHROMIUM.replace('a=mid:0', 'a=mid:0\rx'),
    'an empty line': CHROMIUM.replace('a=mid:0', '\r\na=mid:0'),
    'a mid with a space': CHROMIUM.replace('a=mid:0', 'a=mid:0 1'),
    'no end of line': CHROMIUM.slice(0, -2),
    'unencrypted audio': CHROMIUM.replace('UDP/TLS/RTP/SAVPF', 'RTP/AVPF'),
    'too long': CHROMIUM + 'a=x\r\n'.repeat(5000),
    'not a text': 5,
    nothing: '',
  };
  for (const [name, sdp] of Object.entries(bad)) assert.throws(() => clean(sdp), name);
});

const RELAY =
  'candidate:4 1 udp 41885695 198.51.100.4 50002 typ relay raddr 203.0.113.9 rport 40123 generation 0 ufrag Ba3a network-id 1 network-cost 10';
const HOST = 'candidate:1 1 udp 2113937151 192.168.1.7 36265 typ host generation 0 ufrag Ba3a';
const REFLEXIVE = 'candidate:3 1 UDP 1686052607 203.0.113.9 40123 typ srflx raddr 192.168.1.7 rport 36265';
const NAMED = 'candidate:2 1 udp 2113942271 4e9be6c1-2533-4cdd-9923-bdd923861d3d.local 59607 typ host';

test('a relay candidate passes without related address and network', () => {
  const out = 'candidate:r 1 udp 41885695 198.51.100.4 50002 typ relay raddr 0.0.0.0 rport 9 ufrag Ba3a';
  assert.equal(candidate(RELAY), out);
  assert.equal(candidate(out), out);
  const six = candidate('candidate:4 1 udp 41885695 2001:db8::4 50002 typ relay raddr 2001:db8::1 rport 40123');
  assert.equal(six, 'candidate:r 1 udp 41885695 2001:db8::4 50002 typ relay raddr :: rport 9');
});

test('no other candidate passes unless both chose direct; a name never does', () => {
  for (const line of [HOST, REFLEXIVE, NAMED, HOST.replace('host', 'prflx')]) assert.equal(candidate(line), '', line);
  assert.equal(candidate(HOST, { direct: true }), 'candidate:h 1 udp 2113937151 192.168.1.7 36265 typ host ufrag Ba3a');
  assert.equal(
    candidate(REFLEXIVE, { direct: true }),
    'candidate:s 1 udp 1686052607 203.0.113.9 40123 typ srflx raddr 0.0.0.0 rport 9',
  );
  assert.equal(candidate(NAMED, { direct: true }), '');
  assert.equal(candidate(NAMED.replace('host', 'relay')), '');
});

test('malformed candidates do not pass', () => {
  const bad = [
    '',
    'candidate:',
    `a=${RELAY}`,
    `${RELAY}\r\na=x:y`,
    `${RELAY}\ncandidate:5 1 udp 1 10.0.0.1 5 typ host`,
    RELAY.replace('typ relay', 'typ relay typ host').replace('198.51.100.4', '10.0.0.1 5 typ host 198.51.100.4'),
    RELAY.replace('50002', '70000'),
    RELAY.replace('198.51.100.4', 'evil.example'),
    RELAY.replace('udp', 'sctp'),
    RELAY.replace('udp', 'tcp'),
    'x'.repeat(2000),
    7,
    null,
  ];
  for (const line of bad) assert.equal(candidate(line), '', String(line).slice(0, 120));
  const twice = candidate(`${RELAY} typ host raddr 192.168.1.7`);
  assert.ok(!twice.includes('192.168') && !twice.includes('host'), twice);
});
