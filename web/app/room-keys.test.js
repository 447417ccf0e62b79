import assert from 'node:assert/strict';
import { hkdfSync } from 'node:crypto';
import test from 'node:test';
import { back, ofChannel, ofLink, proof, same, ticket } from './room-keys.js';

const hkdf = (ikm, salt, info) => Buffer.from(hkdfSync('sha256', ikm, salt, info, 32));
const PHRASE = 'abacus-zoom-yoyo-tshirt-down-felttip-dropdown';
const [SECRET, OTHER] = [1, 2].map((n) => new Uint8Array(32).fill(n));
const [A, B, C] = ['a', 'b', 'c'].map((c) => c.repeat(64));
const way = { tag: 't', from: 'ana', to: 'bo' };

test('a link: tag and secret as the protocol says', async () => {
  const { tag, secret } = await ofLink(PHRASE);
  assert.equal(tag, hkdf(PHRASE, 'parley/link/v1', 'tag').toString('base64url'));
  assert.equal(Buffer.from(secret).toString('hex'), hkdf(PHRASE, 'parley/link/v1', 'key').toString('hex'));
  assert.match(tag, /^[\w-]{43}$/);
});

test('four channels share a tag, which has nothing of the password', async () => {
  const tags = await Promise.all([7, 257, 507, 757, 8, 1, 250, 251, 1000].map(ofChannel));
  assert.equal(new Set(tags.slice(0, 4)).size, 1);
  assert.equal(tags[0], hkdf('6', 'parley/channel/v1', 'tag').toString('base64url'));
  assert.equal(new Set(tags).size, 4);
  assert.equal(tags[5], tags[7]);
  assert.equal(tags[6], tags[8]);
});

test('a proof holds for one secret, one direction, one room and two certificates', async () => {
  const right = await proof(SECRET, way, A, B);
  assert.equal(await proof(SECRET, { ...way }, A, B), right);
  const others = [
    proof(OTHER, way, A, B),
    proof(SECRET, { ...way, tag: 'u' }, A, B),
    proof(SECRET, { ...way, from: 'bo', to: 'ana' }, A, B),
    proof(SECRET, way, B, A),
    proof(SECRET, way, A, C),
    proof(SECRET, way, C, B),
  ];
  for (const wrong of await Promise.all(others)) assert.notEqual(wrong, right);
  await assert.rejects(proof(SECRET, way, '', B), /fingerprint/);
  await assert.rejects(proof(SECRET, way, A, `${B}|`), /fingerprint/);
});

test('a ticket opens only in a new secret of the same two', async () => {
  const old = await ticket(SECRET, 't');
  assert.notDeepEqual(old, await ticket(SECRET, 'u'));
  assert.notDeepEqual(old, SECRET);
  const right = await back(old, OTHER, way);
  for (const wrong of [
    await back(await ticket(OTHER, 't'), OTHER, way),
    await back(old, SECRET, way),
    await back(old, OTHER, { ...way, from: 'bo', to: 'ana' }),
  ])
    assert.notEqual(wrong, right);
});

test('two texts are compared whole', () => {
  assert.deepEqual(
    [same('abc', 'abc'), same('abc', 'abd'), same('abc', 'ab'), same('', '')],
    [true, false, false, true],
  );
});
