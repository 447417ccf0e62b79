import assert from 'node:assert/strict';
import test from 'node:test';
import { ask, Exchange, finish, generator, kindOf, pause, refund, spend, start } from './room-cpace.js';

const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (u) => Buffer.from(u).toString('hex');
const utf8 = new TextEncoder();

// The vectors of draft-irtf-cfrg-cpace for CPace-RISTRETTO255-SHA512.
const password = utf8.encode('Password');
const sid = bytes('7e4b4791d6a8ef019b936c79fb7f2c57');
// "A_initiator" and "B_responder", each with its length.
const channel = bytes('0b415f696e69746961746f720b425f726573706f6e646572');
const [adA, adB] = ['ADa', 'ADb'].map((text) => utf8.encode(text));
const a = start(password, channel, sid, bytes('da3d23700a9e5699258aef94dc060dfda5ebb61f02a5ea77fad53f4ff0976d08'));
const b = start(password, channel, sid, bytes('d2316b454718c35362d83d69df6320f38578ed5984651435e2949762d900b80d'));

test('vectors of the draft: generator and shares', () => {
  assert.equal(
    hex(generator(password, channel, sid).toBytes()),
    '222b6b195fe84b1652badb6f6a3ae3d24341e7306967f0b8115b40d5698c7e56',
  );
  assert.equal(hex(a.share), 'd6bac480f2c386c394efc7c47adb9925dcd2630b64f240c50f8d0eec482b9157');
  assert.equal(hex(b.share), '3ea7e0b19560d7c0b0f5734f63b955286dfa8232b5ebe63324e2d9e7433f7258');
});

test('vectors of the draft: the key of initiator and responder', () => {
  const key =
    'b69effbf61b51d56401c0f65601abe428de8206feaaf0e32198896dcae7b35cd' +
    '2b38950a39dfd5d4a79164614c2984f7daa460b588c1e80c3fa2068af7900447';
  assert.equal(hex(finish(a, b.share, sid, true, { mine: adA, theirs: adB })), key);
  assert.equal(hex(finish(b, a.share, sid, false, { mine: adB, theirs: adA })), key);
});

test('shares that are no element of the group, or the neutral one, are refused', () => {
  assert.throws(() => finish(a, new Uint8Array(32), sid, true), /neutral/);
  assert.throws(() => finish(a, new Uint8Array(32).fill(255), sid, true));
  // An odd, so not canonical, encoding.
  assert.throws(() => finish(a, bytes(`01${'00'.repeat(31)}`), sid, true));
  assert.throws(() => finish(a, new Uint8Array(31), sid, true));
});

const ANA = 'a'.repeat(22);
const BO = 'b'.repeat(22);
const about = { number: 7, tag: 't'.repeat(43), password: 'giraffe umbrella' };
const pair = (ofA = {}, ofB = {}) => [
  new Exchange({ ...about, me: ANA, peer: BO, ...ofA }),
  new Exchange({ ...about, me: BO, peer: ANA, ...ofB }),
];

/** run carries all messages; through may change one on its way. */
async function run([ana, bo], through = (box) => box) {
  const sent = [through(ana.begin(), 0)];
  const answer = await bo.receive(sent[0]);
  if (!answer.box) return { sent, answer };
  sent.push(through(answer.box, 1));
  const confirm = await ana.receive(sent[1]);
  if (!confirm.box) return { sent, answer, confirm };
  sent.push(through(confirm.box, 2));
  return { sent, answer, confirm, last: await bo.receive(sent[2]) };
}

test('who knows the password gets the secret, a new one each time', async () => {
  const seen = new Set();
  for (let i = 0; i < 4; i++) {
    const { confirm, last, answer } = await run(pair());
    assert.equal(hex(confirm.secret), hex(last.secret));
    assert.equal(confirm.secret.length, 32);
    assert.deepEqual([answer.guessed, answer.secret], [true, undefined], 'the responder shows its proof first');
    seen.add(hex(last.secret));
  }
  assert.equal(seen.size, 4);
});

test('another password, number, tag or member ends in silence after one message each', async () => {
  for (const other of [
    { password: 'giraffe umbrellA' },
    { password: '' },
    { number: 257 },
    { tag: 'u'.repeat(43) },
    { peer: 'c'.repeat(22) },
  ]) {
    const { sent, confirm, last } = await run(
      pair({}, other.peer ? {} : other).with(
        0,
        new Exchange({ ...about, me: ANA, peer: BO, ...(other.peer ? other : {}) }),
      ),
    );
    assert.equal(confirm.refused, 'wrong', JSON.stringify(other));
    assert.deepEqual([sent.length, last, confirm.secret], [2, undefined, undefined]);
  }
});

test('every message has the same size, whoever sends it', async () => {
  const { sent } = await run(pair());
  assert.deepEqual([...new Set(sent.map((box) => box.length))], [88]);
  assert.deepEqual(sent.map(kindOf), ['share', 'step', 'step']);
  assert.deepEqual([ask().length, kindOf(ask())], [88, 'ask']);
});

test('a responder that waits for a proof is not deceived', async () => {
  const [ana, bo] = pair();
  const answer = await bo.receive(ana.begin());
  assert.deepEqual(await bo.receive(answer.box), { refused: 'turn' }, 'its own answer sent back');
  const flip = (box) => box.slice(0, 20) + (box[20] === 'A' ? 'B' : 'A') + box.slice(21);
  const confirm = await ana.receive(answer.box);
  assert.deepEqual(await bo.receive(flip(confirm.box)), { refused: 'wrong' });
  assert.deepEqual(await bo.receive(confirm.box), { refused: 'turn' }, 'no second try');
});

test('a changed message is refused at every step', async () => {
  for (const step of [0, 1, 2]) {
    // Behind the first letters are version and kind, then session id, share or proof.
    const change = (box, i) => (i === step ? box.slice(0, 12) + (box[12] === 'A' ? 'B' : 'A') + box.slice(13) : box);
    const { answer, confirm, last } = await run(pair(), change);
    const refused = [answer, confirm, last].filter((o) => o?.refused);
    assert.equal(refused.length, 1, `step ${step}`);
    assert.ok(![confirm, last].every((o) => o?.secret), `step ${step}`);
  }
});

test('a message sent back, sent twice, or recorded before opens nothing', async () => {
  const [ana, bo] = pair();
  const share = ana.begin();
  assert.deepEqual(await ana.receive(share), { refused: 'turn' });
  await bo.receive(share);
  assert.deepEqual(await bo.receive(share), { refused: 'turn' });
  assert.throws(() => ana.begin(), /turn/);
  assert.throws(() => bo.begin(), /turn/);
  // All of an old exchange against a new responder: it answers with another share, so the old proof is none.
  const old = await run(pair());
  const [, fresh] = pair();
  await fresh.receive(old.sent[0]);
  assert.deepEqual(await fresh.receive(old.sent[2]), { refused: 'wrong' });
});

test('garbage changes nothing', async () => {
  const [ana, bo] = pair();
  for (const junk of [
    '',
    'x',
    'x'.repeat(88),
    '!'.repeat(88),
    `AQI${'A'.repeat(85)}`,
    `AQc${'A'.repeat(85)}`,
    `AgM${'A'.repeat(85)}`,
  ]) {
    assert.deepEqual(await bo.receive(junk), { refused: 'garbage' }, junk);
    assert.equal(kindOf(junk), '');
  }
  assert.ok((await bo.receive(ana.begin())).box);
});

test('a share of zeros is refused by the responder, who then says nothing', async () => {
  const [, bo] = pair();
  const zeros = Buffer.from([1, 3, ...new Uint8Array(64)]).toString('base64url');
  assert.deepEqual(await bo.receive(zeros), { refused: 'garbage' });
});

test('five guesses a minute, and right ones cost nothing', () => {
  let guesses = [];
  for (const at of [0, 100, 200, 300]) guesses = spend(guesses, at);
  assert.equal(pause(guesses, 400), 0);
  guesses = spend(guesses, 400);
  assert.equal(pause(guesses, 500), 59500, 'until the first of the five is a minute old');
  assert.equal(pause(guesses, 59999), 1);
  assert.equal(pause(guesses, 60000), 0);
  assert.equal(pause(refund(guesses, 200), 500), 0);
  // Two at one time are two; only one of them is taken back.
  assert.equal(refund(spend(spend([], 7), 7), 7).length, 1);
  assert.ok(spend(guesses, 1e6).length === 1, 'old ones are forgotten');
});

test('how long a pair takes is printed', async (t) => {
  const took = [];
  for (let i = 0; i < 21; i++) {
    const began = performance.now();
    const [ana, bo] = pair();
    const { box: answer } = await bo.receive(ana.begin());
    const { box: confirm, secret } = await ana.receive(answer);
    assert.deepEqual((await bo.receive(confirm)).secret, secret);
    took.push(performance.now() - began);
  }
  took.sort((x, y) => x - y);
  t.diagnostic(`cpace_pair_ms median=${took[10].toFixed(1)} longest=${took[20].toFixed(1)} limit=10`);
});
