import assert from 'node:assert/strict';
import test from 'node:test';
import { prepare } from './call.js';

test('the certificate lasts for the longest call', async () => {
  globalThis.RTCPeerConnection = { generateCertificate: async (algorithm) => algorithm };
  const day = 86400000;
  const { expires } = await prepare().certificate;
  assert.ok(expires >= day && expires <= 365 * day, String(expires));
});
