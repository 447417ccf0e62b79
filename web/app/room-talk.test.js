import assert from 'node:assert/strict';
import test from 'node:test';
import { read, Talk } from './room-talk.js';

/** Two talks over one channel; heard has what arrives at the second. */
function two(now = () => 0) {
  const heard = [];
  const a = new Talk(() => {});
  const b = new Talk((note) => heard.push(note), now);
  const there = { readyState: 'connecting', send() {}, onopen: null, onmessage: null };
  const here = { ...there, bufferedAmount: 0, send: (data) => there.onmessage({ data }) };
  a.attach(here, () => {});
  b.attach(there, () => {});
  const open = () => {
    here.readyState = 'open';
    here.onopen();
  };
  return { a, b, here, heard, open };
}

test('text waits for the line, everything else does not', () => {
  const { a, heard, open } = two();
  a.say({ kind: 'state', mic: true, camera: false });
  a.say({ kind: 'text', text: 'hello\u202e' });
  assert.deepEqual(heard, []);
  open();
  assert.deepEqual(heard, [{ kind: 'text', text: 'hello' }]);
  a.say({ kind: 'allow', act: 'x'.repeat(22), left: 5 });
  a.say({ kind: 'bye' });
  assert.deepEqual(heard.slice(1), [{ kind: 'allow', act: 'x'.repeat(22), left: 5 }, { kind: 'bye' }]);
});

test('beats are counted and not heard', () => {
  const { a, b, heard, open } = two();
  a.beat();
  open();
  a.beat();
  a.beat();
  assert.deepEqual([b.beats, heard], [2, []]);
});

test('noise is cut, goodbye is not, and later it goes on', () => {
  let now = 0;
  const { a, heard, open } = two(() => now);
  open();
  for (let i = 0; i < 100; i++) a.say({ kind: 'text', text: String(i) });
  assert.equal(heard.length, 60);
  a.say({ kind: 'bye' });
  assert.deepEqual(heard.at(-1), { kind: 'bye' });
  now = 10001;
  a.say({ kind: 'text', text: 'again' });
  assert.equal(heard.at(-1).text, 'again');
});

test('who takes nothing gets no more', () => {
  const { a, here, heard, open } = two();
  open();
  here.bufferedAmount = 300000;
  a.say({ kind: 'state', mic: true, camera: true });
  assert.deepEqual(heard, []);
});

test('notes that are none', () => {
  for (const junk of [
    null,
    7,
    '',
    '{',
    'null',
    '[]',
    '{"kind":"text"}',
    '{"kind":"text","text":"  "}',
    '{"kind":"run"}',
    `{"kind":"text","text":"${'x'.repeat(20000)}"}`,
  ])
    assert.equal(read(junk), null);
  assert.deepEqual(read('{"kind":"state","mic":1}'), { kind: 'state', mic: false, camera: false });
  assert.equal(read(JSON.stringify({ kind: 'text', text: 'x'.repeat(3000) })).text.length, 2000);
});
