import assert from 'node:assert/strict';
import test from 'node:test';
import { carriesKey, pair, Seal } from './seal.js';

/** two returns the ends of one call that have exchanged their keys. */
async function two(room = 'room1') {
  const ana = new Seal({ room, me: 'a1', peer: 'b2' }, await pair());
  const bo = new Seal({ room, me: 'b2', peer: 'a1' }, await pair());
  const [fromAna, fromBo] = await Promise.all([ana.hello(), bo.hello()]);
  assert.equal(await bo.open('a1', fromAna.seq, fromAna.box), '');
  assert.equal(await ana.open('b2', fromBo.seq, fromBo.box), '');
  return { ana, bo, fromAna, fromBo };
}
const bytes = (box) => Buffer.from(box, 'base64url');

test('a text arrives, both ways, also one with every kind of letter', async () => {
  const { ana, bo } = await two();
  for (const text of ['{}', 'ä€😀', 'x'.repeat(20000)]) {
    const out = await ana.seal(text);
    assert.equal(await bo.open('a1', out.seq, out.box), text);
    const back = await bo.seal(text);
    assert.equal(await ana.open('b2', back.seq, back.box), text);
  }
});

test('only four sizes are seen, each within 32 KiB', async () => {
  const { ana } = await two();
  const seen = new Set();
  for (const n of [0, 1, 510, 511, 2046, 2047, 8190, 8191, 22998]) {
    const { box } = await ana.seal('x'.repeat(n));
    assert.ok(box.length <= 32768 && !box.includes('='));
    seen.add(bytes(box).length - 18);
  }
  assert.deepEqual([...seen], [512, 2048, 8192, 23000]);
  await assert.rejects(ana.seal('x'.repeat(22999)), /too long/);
});

test('nothing but the original envelope opens, and only once', async () => {
  const { ana, bo, fromAna } = await two();
  const { seq, box } = await ana.seal('secret');
  for (const at of [0, 1, 2, 20, bytes(box).length - 1]) {
    const other = bytes(box);
    other[at] ^= 1;
    await assert.rejects(bo.open('a1', seq, other.toString('base64url')), `byte ${at}`);
  }
  await assert.rejects(bo.open('a1', seq + 1, box), 'another number');
  await assert.rejects(bo.open('c3', seq, box), /somebody else/);
  await assert.rejects(ana.open('b2', seq, box), 'its own envelope, reflected');
  await assert.rejects(bo.open('a1', seq, `${box}=`), /base64url/);
  assert.equal(await bo.open('a1', seq, box), 'secret');
  await assert.rejects(bo.open('a1', seq, box), /repeated/);
  await assert.rejects(bo.open('a1', 0, fromAna.box.replace('AQ', 'Ag')));
});

test('two at the same time with one number: one opens', async () => {
  const { ana, bo } = await two();
  const { seq, box } = await ana.seal('once');
  const results = await Promise.allSettled([bo.open('a1', seq, box), bo.open('a1', seq, box)]);
  assert.deepEqual(results.map((r) => r.status).sort(), ['fulfilled', 'rejected']);
});

test('envelopes may overtake one another a little, and old ones are refused', async () => {
  const { ana, bo } = await two();
  const out = [];
  for (let i = 0; i < 70; i++) out.push(await ana.seal(String(i)));
  for (const i of [1, 0, 69, 40]) assert.equal(await bo.open('a1', out[i].seq, out[i].box), String(i));
  await assert.rejects(bo.open('a1', out[2].seq, out[2].box), /too old/);
});

test('the same key again is welcome, another one is refused', async () => {
  const { ana, bo } = await two();
  const again = await ana.hello();
  assert.equal(await bo.open('a1', again.seq, again.box), '');
  const stranger = await new Seal({ room: 'room1', me: 'a1', peer: 'b2' }, await pair()).hello();
  await assert.rejects(bo.open('a1', 9, stranger.box), /second key/);
  const { seq, box } = await ana.seal('still here');
  assert.equal(await bo.open('a1', seq, box), 'still here');
});

test('keys hold for one room, one pair, one direction', async () => {
  const [mine, theirs] = [await pair(), await pair()];
  const ends = async (a, b) => {
    const x = new Seal(a, mine);
    const y = new Seal(b, theirs);
    await x.open(a.peer, 1, (await y.hello()).box);
    await y.open(b.peer, 1, (await x.hello()).box);
    return [x, y];
  };
  const [one] = await ends({ room: 'r', me: 'a', peer: 'b' }, { room: 'r', me: 'b', peer: 'a' });
  const [, two] = await ends({ room: 's', me: 'a', peer: 'b' }, { room: 's', me: 'b', peer: 'a' });
  const { seq, box } = await one.seal('x');
  await assert.rejects(two.open('a', seq, box));
});

test('keys that would give a known secret, and sealing without a key, are refused', async () => {
  const bo = new Seal({ room: 'r', me: 'b', peer: 'a' }, await pair());
  await assert.rejects(bo.seal('x'), /no key/);
  const zero = Buffer.concat([Buffer.from([1, 1]), Buffer.alloc(32)]).toString('base64url');
  await assert.rejects(bo.open('a', 1, zero));
  assert.equal(bo.ready, false);
  assert.throws(() => new Seal({ room: 'r|a', me: 'b', peer: 'a' }, {}), /bad ids/);
});

test('what comes before its key is told from what comes after, and opens then', async () => {
  const room = { room: 'r', me: 'a1', peer: 'b2' };
  const ana = new Seal(room, await pair());
  const bo = new Seal({ room: 'r', me: 'b2', peer: 'a1' }, await pair());
  const fromAna = await ana.hello();
  const fromBo = await bo.hello();
  await bo.open('a1', fromAna.seq, fromAna.box);
  const text = await bo.seal('early');
  assert.equal(ana.early(text.box), true);
  assert.equal(ana.early(fromBo.box), false, 'the key itself is never too early');
  await ana.open('b2', fromBo.seq, fromBo.box);
  assert.equal(ana.early(text.box), false);
  assert.equal(await ana.open('b2', text.seq, text.box), 'early');
});

test('in a room both know a secret before: without it the public keys open nothing', async () => {
  const secret = (n) => new Uint8Array(32).fill(n);
  const meet = async (ofAna, ofBo) => {
    const ana = new Seal({ room: 't', me: 'a1', peer: 'b2' }, await pair(), ofAna);
    const bo = new Seal({ room: 't', me: 'b2', peer: 'a1' }, await pair(), ofBo);
    const [fromAna, fromBo] = await Promise.all([ana.hello(), bo.hello()]);
    await Promise.all([bo.open('a1', fromAna.seq, fromAna.box), ana.open('b2', fromBo.seq, fromBo.box)]);
    const { seq, box } = await ana.seal('hi');
    assert.deepEqual([carriesKey(fromAna.box), carriesKey(box)], [true, false]);
    return bo.open('a1', seq, box);
  };
  assert.equal(await meet(secret(1), secret(1)), 'hi');
  for (const [a, b] of [
    [secret(1), secret(2)],
    [secret(1), undefined],
    [undefined, secret(1)],
  ])
    await assert.rejects(meet(a, b));
  assert.throws(() => carriesKey('AgEA'), /kind/);
  assert.throws(() => carriesKey('!'), /base64url/);
});
