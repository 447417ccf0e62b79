import assert from 'node:assert/strict';
import test from 'node:test';
import { start } from './room-state.js';
import { forget, keep, remembered } from './room-store.js';

const memory = (items = new Map()) => ({
  items,
  getItem: (key) => items.get(key) ?? null,
  setItem: (key, value) => void items.set(key, value),
  removeItem: (key) => void items.delete(key),
});

test('a reloaded page comes back where it was, and leaving forgets all', () => {
  const tab = memory();
  const inside = {
    ...start(5),
    place: 'inside',
    kind: 'channel',
    channel: 7,
    password: 'pw',
    tag: 't',
    chat: [{ from: 0, text: 'hush', at: 1 }],
  };
  inside.own = { ...inside.own, pass: 'p', tickets: { a: 'x' } };
  keep(inside, 1000, tab);
  assert.ok(![...tab.items.values()].join().includes('hush'), 'no text');
  const back = remembered(2000, tab);
  assert.deepEqual(
    [back.place, back.again, back.password, back.own.pass, back.own.tickets],
    ['preview', true, 'pw', 'p', { a: 'x' }],
  );
  assert.equal(back.lock.openedAt, 5);
  assert.equal(remembered(1000 + 86400001, tab), null, 'too late');
  forget(tab);
  assert.deepEqual([tab.items.size, remembered(2000, tab)], [0, null]);
});

test('junk, and a browser that gives no storage', () => {
  for (const junk of ['', '{', 'null', '7', '{"at":1}'])
    assert.equal(remembered(1, memory(new Map([['parley-room', junk]]))), null);
  keep(start(0), 0, null);
  forget(null);
  assert.equal(remembered(0, null), null);
  keep(start(0), 0, {
    ...memory(),
    setItem() {
      throw new Error('full');
    },
  });
});
