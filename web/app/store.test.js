import assert from 'node:assert/strict';
import test from 'node:test';
import { digest, Store, token } from './store.js';

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
const open = (local, session) => new Store({ local: () => local, session: () => session, token });
const choices = { languages: ['de'], interests: [], widen: false, adult: true };

test('the token is 128 random bits, and its digest fits the protocol', async () => {
  assert.match(token(), /^[\w-]{22}$/);
  assert.notEqual(token(), token());
  assert.match(await digest(token()), /^[\w-]{43}$/);
  assert.equal(await digest('abc'), 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
});

test('a second visit finds what the first one kept', () => {
  const [local, session] = [memory(), memory()];
  const first = open(local, session);
  first.keep(choices, true);
  first.remember('blocked', 'B', 1000);
  const second = open(local, memory());
  assert.deepEqual([second.token, second.choices, second.tested], [first.token, choices, true]);
  assert.deepEqual(second.avoid(1e15), ['B']);
});

test('met holds for 30 minutes and this tab, reported for 30 days, blocked for good', () => {
  const [local, session] = [memory(), memory()];
  const store = open(local, session);
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
    assert.equal(open(local, session).avoid(now).join(' '), want, `reopened, ${now}`);
  }
  assert.ok(!local.map.get('parley').includes('"M"'));
});

test('64 of each kind at most, the newest, none twice', () => {
  const store = open(memory(), memory());
  for (let i = 0; i < 100; i++) for (const kind of ['met', 'blocked']) store.remember(kind, `${kind}${i % 80}`, i);
  const avoid = store.avoid(100);
  assert.deepEqual([avoid.length, new Set(avoid).size, avoid[0]], [128, 128, 'met19']);
});

test('refused, broken or foreign storage is as none', () => {
  const refused = open(memory(true), memory(true));
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
    const store = open(local, memory());
    assert.match(store.token, /^[\w-]{22}$/);
    assert.deepEqual([store.choices, store.tested, store.avoid(0)], [{}, false, []], text);
  }
});
