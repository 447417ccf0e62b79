import assert from 'node:assert/strict';
import test from 'node:test';
import { Pair } from './room-pair.js';

const [ANA, BO] = ['a'.repeat(22), 'b'.repeat(22)];
const TAG = 't'.repeat(43);
const link = (n = 1) => ({ secret: new Uint8Array(32).fill(n), number: 0, password: '' });
const channel = (password = 'pw', number = 7) => ({ secret: null, number, password });
const hex = (bytes) => Buffer.from(bytes).toString('hex');

console.warn = () => {};

/** A page of one member: what it heard, and a wire to the other that a server may change. */
class Page {
  heard = [];
  guesses = 0;
  open = true;
  old = null;
  wire = (envelope) => envelope;
  constructor(me, about, world) {
    this.world = world;
    const peer = me === ANA ? BO : ANA;
    this.me = me;
    this.pair = new Pair(
      { tag: TAG, me, peer, ...about },
      {
        send: (envelope) => {
          const through = this.wire(envelope);
          if (through) world.post.push([peer, through]);
        },
        approach: () => {
          this.heard.push('approach');
          if (this.open) this.pair.permit();
        },
        guess: () => ++this.guesses,
        proven: (proven) => {
          this.proven = proven;
          this.heard.push(`proven${proven.back ? ' back' : ''}`);
        },
        refused: () => this.heard.push('refused'),
        word: (word) => this.heard.push(word.k),
        ticket: () => this.old,
      },
    );
    world.pages[me] = this;
  }
}

/** world carries envelopes until nothing moves; all is what the server saw. */
function world(ofAna, ofBo) {
  const w = { pages: {}, post: [], all: [] };
  w.ana = new Page(ANA, ofAna, w);
  w.bo = new Page(BO, ofBo, w);
  w.settle = async () => {
    for (let quiet = 0; quiet < 3; quiet++) {
      for (let next = w.post.shift(); next; next = w.post.shift()) {
        quiet = 0;
        w.all.push(next);
        w.pages[next[0]].pair.receive(next[1]);
      }
      for (const page of [w.ana, w.bo, ...Object.values(w.pages)]) await page.pair.settled;
    }
    return w;
  };
  return w;
}
const meet = async (ofAna, ofBo, first = 'ana') => {
  const w = world(ofAna, ofBo);
  w[first].pair.permit();
  await w.settle();
  return w;
};

for (const [what, about] of [
  ['link', link],
  ['channel', channel],
])
  for (const first of ['ana', 'bo', 'both'])
    test(`${what}: ${first} begins`, async () => {
      const w = world(about(), about());
      if (first !== 'bo') w.ana.pair.permit();
      if (first !== 'ana') w.bo.pair.permit();
      await w.settle();
      assert.equal(hex(w.ana.proven.secret), hex(w.bo.proven.secret));
      assert.equal(hex(w.ana.proven.ticket), hex(w.bo.proven.ticket));
      for (const page of [w.ana, w.bo]) assert.equal(page.heard.filter((h) => h.startsWith('proven')).length, 1);
      w.ana.pair.say({ k: 'full' });
      w.bo.pair.say({ k: 'again', g: 3 });
      await w.settle();
      assert.deepEqual([w.bo.heard.at(-1), w.ana.heard.at(-1)], ['full', 'again']);
      // Until the other has sent two a visitor of a channel may send eight, of 4,096 characters.
      assert.ok(w.all.length <= 12 && w.all.every(([, { box }]) => box.length <= 4096), String(w.all.length));
    });

test('channel: another password, or another number of the same tag, is refused in silence', async () => {
  for (const other of [channel('pW'), channel('pw', 257)]) {
    const w = await meet(channel(), other);
    assert.deepEqual([w.ana.heard, w.bo.heard], [['refused'], ['approach']]);
    assert.deepEqual([w.ana.guesses, w.bo.guesses, w.all.length], [1, 1, 2]);
    assert.equal(w.ana.proven ?? w.bo.proven, undefined);
  }
});

test('channel: a right one costs a guess that is given back', async () => {
  const w = await meet(channel(), channel());
  assert.deepEqual([w.ana.proven.guess, w.bo.proven.guess, w.ana.guesses, w.bo.guesses], [0, 1, 0, 1]);
});

test('link: another phrase, or a server that exchanges the keys, opens nothing', async () => {
  const wrong = await meet(link(1), link(2));
  assert.equal(wrong.ana.proven ?? wrong.bo.proven, undefined);
  // The server answers with a key of its own, and lacks the phrase.
  const spliced = world(link(), link());
  const eve = new Page(BO, link(9), spliced);
  spliced.ana.pair.permit();
  eve.pair.permit();
  await spliced.settle();
  assert.ok(spliced.all.length >= 4, 'they did speak');
  assert.equal(spliced.ana.proven ?? eve.proven, undefined);
});

test('who may not answer yet answers later', async () => {
  const w = world(channel(), channel());
  w.bo.open = false;
  w.ana.pair.permit();
  await w.settle();
  assert.deepEqual([w.bo.heard, w.all.length, w.bo.guesses], [['approach'], 1, 0]);
  w.bo.pair.permit();
  await w.settle();
  assert.ok(w.ana.proven && w.bo.proven);
});

test('a page that was loaded anew is taken up, the old keys go, and its ticket shows who it is', async () => {
  for (const about of [link, channel])
    for (const who of ['ana', 'bo']) {
      const w = await meet(about(), about());
      const other = who === 'ana' ? w.bo : w.ana;
      const before = w[who];
      const page = new Page(before.me, about(), w);
      page.old = before.proven.ticket;
      other.old = other.proven.ticket;
      page.pair.permit();
      await w.settle();
      assert.deepEqual(
        [page.heard.at(-1), other.heard.at(-1)],
        ['proven back', 'proven back'],
        `${who} ${about().password}`,
      );
      page.pair.say({ k: 'full' });
      await w.settle();
      assert.equal(other.heard.at(-1), 'full');
    }
});

test('whoever only claims to be a new page changes nothing', async () => {
  const w = await meet(channel(), channel());
  const [thief] = [new Page(ANA, channel('guess'), w)];
  thief.pair.permit();
  await w.settle();
  assert.equal(w.bo.proven && thief.proven, undefined);
  w.pages[ANA] = w.ana;
  w.ana.pair.say({ k: 'full' });
  w.bo.pair.say({ k: 'full' });
  await w.settle();
  assert.deepEqual([w.ana.heard.at(-1), w.bo.heard.at(-1)], ['full', 'full'], 'the old keys still hold');
  // With the password but without the ticket.
  w.bo.old = w.bo.proven.ticket;
  const visitor = new Page(ANA, channel(), w);
  visitor.pair.permit();
  await w.settle();
  assert.equal(w.bo.heard.at(-1), 'proven', 'not back');
});

test('garbage, repeats and what is for others change nothing', async () => {
  const other = await meet(link(), link());
  const w = await meet(link(), link());
  const boxes = [...w.all, ...other.all].filter(([to]) => to === BO).map(([, e]) => e);
  for (const envelope of [
    ...boxes,
    { seq: 99, box: 'x' },
    { seq: 99, box: '' },
    { seq: 98, box: `AQI${'A'.repeat(800)}` },
  ])
    w.bo.pair.receive(envelope);
  await w.settle();
  // An old key of ana said by the server is, as far as bo can tell, a new page; both agree on new keys then.
  assert.equal(hex(w.ana.proven.secret), hex(w.bo.proven.secret));
  w.ana.pair.say({ k: 'full' });
  await w.settle();
  assert.equal(w.bo.heard.at(-1), 'full');
});

test('words before the greeting are not heard', async () => {
  const w = world(link(), link());
  // The greeting of ana is lost; her next word comes.
  let sealed = 0;
  w.ana.wire = (envelope) => (/^AQ[I-L]/.test(envelope.box) && sealed++ === 0 ? null : envelope);
  w.ana.pair.permit();
  await w.settle();
  w.ana.pair.say({ k: 'full' });
  await w.settle();
  assert.deepEqual([sealed, w.bo.proven, w.bo.heard.includes('full')], [2, undefined, false]);
  assert.ok(w.ana.proven);
});
