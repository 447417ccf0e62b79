import assert from 'node:assert/strict';
import test from 'node:test';
import { digest } from './bytes.js';
import { Store, token } from './store.js';

/** memory is a Storage that can refuse. */
function memory(refuse = false) {
  const map = new Map();
  return {
    getItem(key) {
      if (refuse) throw new Error('refused');
      return map.get(key) ?? null;
    },
    setItem(key, value) {
      if (refuse) throw new Error('refused');
      map.set(key, value);
    },
    map,
  };
}
const open = (local) => new Store(() => local, token);
const choices = { languages: ['de'], interests: [], widen: false, adult: true };

test('the token is 128 random bits, and its digest fits the protocol', async () => {
  assert.match(token(), /^[\w-]{22}$/);
  assert.notEqual(token(), token());
  assert.match(await digest(token()), /^[\w-]{43}$/);
  assert.equal(await digest('abc'), 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
});

test('a second visit finds what the first one kept', () => {
  const local = memory();
  const first = open(local);
  first.keep(choices, true);
  first.remember('blocked', 'B', 1000);
  const second = open(local);
  assert.deepEqual([second.token, second.choices, second.tested], [first.token, choices, true]);
  assert.deepEqual(second.avoid(1e15), ['B']);
});

test('met holds for 30 minutes, reported for 30 days, blocked for good', () => {
  const local = memory();
  const store = open(local);
  store.remember('met', 'M', 0);
  store.remember('reported', 'R', 0);
  store.remember('blocked', 'B', 0);
  store.remember('met', '', 0);
  const minute = 60000;
  for (const [now, want] of [
    [0, 'M B R'],
    [30 * minute - 1, 'M B R'],
    [30 * minute, 'B R'],
    [30 * 1440 * minute - 1, 'B R'],
    [30 * 1440 * minute, 'B'],
  ]) {
    assert.equal(store.avoid(now).join(' '), want, String(now));
    assert.equal(open(local).avoid(now).join(' '), want, `reopened, ${now}`);
  }
});

test('two tabs add to each other', () => {
  const local = memory();
  const [one, two] = [open(local), open(local)];
  one.remember('blocked', 'B1', 0);
  one.remember('met', 'M1', 0);
  two.remember('blocked', 'B2', 0);
  two.remember('reported', 'R2', 0);
  two.keep(choices, false);
  one.keep(choices, true);
  two.remember('met', 'M2', 1);
  for (const store of [one, two, open(local)])
    assert.deepEqual(store.avoid(1).sort(), ['B1', 'B2', 'M1', 'M2', 'R2'], 'whoever searches');
  assert.equal(open(local).tested, true);
  assert.deepEqual(open(local).choices, choices);
  // What is past leaves the storage with the next entry.
  two.remember('met', 'M3', 1e10);
  const { met } = JSON.parse(local.map.get('parley'));
  assert.deepEqual(
    met.map((entry) => entry.avoid),
    ['M3'],
  );
});

test('64 of each kind at most, the newest, none twice', () => {
  const store = open(memory());
  for (let i = 0; i < 100; i++) for (const kind of ['met', 'blocked']) store.remember(kind, `${kind}${i % 80}`, i);
  const avoid = store.avoid(100);
  assert.deepEqual([avoid.length, new Set(avoid).size, avoid[0]], [128, 128, 'met19']);
  assert.deepEqual([avoid[64], avoid[127]], ['blocked19', 'blocked36']);
});

test('of too many, reports go before blocks, the oldest first', () => {
  const store = open(memory());
  store.remember('blocked', 'B', 0);
  for (let i = 0; i < 100; i++) store.remember('reported', `R${i}`, i);
  let avoid = store.avoid(100);
  assert.deepEqual([avoid.length, avoid[0], avoid[1], avoid[63]], [64, 'B', 'R99', 'R37']);
  store.remember('blocked', 'R50', 101);
  store.remember('reported', 'B', 101);
  avoid = store.avoid(1e15);
  assert.deepEqual(avoid, ['R50', 'B'], 'a block outlasts a report');
});

test('refused, broken or foreign storage is as none', () => {
  const refused = open(memory(true));
  refused.keep(choices, true);
  refused.remember('met', 'M', 0);
  assert.deepEqual([refused.choices, refused.avoid(1)], [choices, ['M']]);
  for (const text of [
    '{',
    '7',
    '[]',
    '{"token":5,"choices":{"languages":"de","widen":1},"avoid":[null,{"avoid":1,"until":2}]}',
  ]) {
    const local = memory();
    local.map.set('parley', text);
    const store = open(local);
    assert.match(store.token, /^[\w-]{22}$/);
    assert.deepEqual([store.choices, store.tested, store.avoid(0)], [{}, false, []], text);
  }
});

test('the age ticket and a review code are kept; the code for 7 days', () => {
  const local = memory();
  const store = open(local);
  assert.deepEqual([store.age, store.review(0)], ['', '']);
  store.keepAge('day.mac');
  store.keepReview('six words', 1000);
  const later = open(local);
  assert.deepEqual([later.token, later.age, later.review(1000)], [store.token, 'day.mac', 'six words']);
  assert.equal(later.review(1000 + 7 * 86400000), '');
});

test('forgotten is all but the choices, in other tabs too', () => {
  const local = memory();
  const [one, two] = [open(local), open(local)];
  const before = one.token;
  one.keep(choices, true);
  one.keepAge('day.mac');
  one.keepReview('six words', 0);
  one.remember('blocked', 'B', 0);
  two.remember('met', 'M', 0);
  one.forget();
  assert.notEqual(one.token, before);
  const kept = () => [open(local).token, open(local).age, open(local).review(1), open(local).avoid(1)];
  assert.deepEqual(kept(), [one.token, '', '', []]);
  // The other tab knows the old ones until it stores something.
  two.remember('met', 'N', 1);
  assert.deepEqual(kept(), [one.token, '', '', ['N']]);
  assert.deepEqual([open(local).choices, open(local).tested], [choices, true]);
});
