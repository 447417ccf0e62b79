import assert from 'node:assert/strict';
import test from 'node:test';
import { Chat, tidy } from './channels.js';

/** pair returns two chats over one channel, that opens when told, and what each heard. */
function pair() {
  let now = 0;
  const heard = [[], []];
  const chats = heard.map(
    (list) =>
      new Chat(
        (e) => list.push(e),
        () => now,
      ),
  );
  const ends = [0, 1].map((i) => ({ readyState: 'connecting', send: (data) => ends[1 - i].onmessage({ data }) }));
  for (const i of [0, 1]) chats[i].attach(ends[i]);
  const open = () => {
    for (const end of ends) end.readyState = 'open';
    for (const end of ends) end.onopen();
  };
  return { chats, heard, ends, open, pass: (ms) => (now += ms) };
}

test('texts wait for the channel and arrive in order', () => {
  const { chats, heard, open } = pair();
  chats[0].muted(true);
  chats[0].text('one');
  chats[0].bye();
  assert.deepEqual(heard[1], []);
  open();
  chats[0].text('two');
  chats[0].muted(false);
  chats[0].bye();
  assert.deepEqual(heard[1], [
    { type: 'peer-muted', on: true },
    { type: 'peer-text', text: 'one' },
    { type: 'peer-text', text: 'two' },
    { type: 'peer-muted', on: false },
    { type: 'peer-bye' },
  ]);
});

test('what is not a note is nothing', () => {
  const { ends, heard, open } = pair();
  open();
  for (const data of [
    '',
    '{',
    'null',
    '[]',
    '{"kind":"text","text":5}',
    '{"kind":"text","text":" "}',
    '{"kind":"x"}',
    new ArrayBuffer(3),
    'x'.repeat(20000),
  ]) {
    ends[0].send(data);
  }
  assert.deepEqual(heard[1], []);
});

test('a flood is cut, goodbye still gets through', () => {
  const { chats, heard, open, pass } = pair();
  open();
  for (let i = 0; i < 100; i++) chats[0].text(String(i));
  assert.equal(heard[1].length, 30);
  chats[0].bye();
  assert.equal(heard[1].length, 31);
  pass(10000);
  chats[0].text('again');
  assert.equal(heard[1].length, 32);
});

test('a text is plain: no controls, no reversed reading, 2000 letters', () => {
  assert.equal(tidy('a\u202eb\u0000c\n\td\u2067e\u200f'), 'abc\n\tde');
  assert.equal(tidy('x'.repeat(3000)).length, 2000);
  assert.equal(tidy('سلام שלום 😀'), 'سلام שלום 😀');
});
