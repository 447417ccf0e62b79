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

test('a page that cannot ask says why', () => {
  const navigator = { mediaDevices: { getUserMedia: () => {} } };
  assert.equal(missing({ isSecureContext: true, navigator }), '');
  assert.equal(missing({ isSecureContext: true, navigator: {} }), 'webview');
  assert.equal(missing({ isSecureContext: false, navigator: {} }), 'insecure');
});
