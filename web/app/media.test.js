import assert from 'node:assert/strict';
import test from 'node:test';
import { failure, missing } from './media.js';

test('every failure has a name with a way out', () => {
  const cases = [
    ['NotAllowedError', 'prompt', 'denied', 'denied'],
    ['NotAllowedError', 'prompt', 'prompt', 'dismissed'],
    ['NotAllowedError', 'denied', 'denied', 'blocked'],
    ['NotAllowedError', '', '', 'denied'],
    ['SecurityError', '', '', 'blocked'],
    ['NotFoundError', 'prompt', 'prompt', 'none'],
    ['OverconstrainedError', 'granted', 'granted', 'none'],
    ['NotReadableError', 'granted', 'granted', 'busy'],
    ['AbortError', 'granted', 'granted', 'busy'],
    ['TypeError', '', '', 'insecure'],
    ['', '', '', 'busy'],
  ];
  for (const [name, before, after, want] of cases)
    assert.equal(failure(name, before, after), want, `${name} ${before} ${after}`);
});

test('a browser inside another app is told apart', () => {
  for (const agent of [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 [FBAN/FBIOS;FBAV/480.0]',
    'Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36 Instagram 400.0',
    'Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) AppleWebKit/537.36 Version/4.0 Chrome/140.0 Mobile Safari/537.36',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 Safari Line/15.0',
  ]) {
    assert.equal(failure('NotAllowedError', 'denied', 'denied', agent), 'webview', agent);
    assert.equal(failure('NotFoundError', 'prompt', 'prompt', agent), 'none', agent);
  }
  const own = 'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36';
  assert.equal(failure('NotAllowedError', 'denied', 'denied', own), 'blocked');
});

test('a page that cannot ask says why', () => {
  const navigator = { mediaDevices: { getUserMedia: () => {} } };
  assert.equal(missing({ isSecureContext: true, navigator }), '');
  assert.equal(missing({ isSecureContext: true, navigator: {} }), 'webview');
  assert.equal(missing({ isSecureContext: false, navigator: {} }), 'insecure');
});
