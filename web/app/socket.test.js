import assert from 'node:assert/strict';
import test, { afterEach, beforeEach, mock } from 'node:test';
import { Socket } from './socket.js';

/** Wire is a WebSocket that the test drives. */
class Wire {
  sent = [];
  closed = false;
  send(data) {
    this.sent.push(JSON.parse(data));
  }
  close() {
    this.closed = true;
  }
  open() {
    this.onopen({});
  }
  say(...frames) {
    for (const frame of frames) this.onmessage({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) });
  }
  drop(code = 1006) {
    this.onclose({ code });
  }
}

/** lab is a socket whose wires are kept, and the events it told. */
function lab() {
  const wires = [];
  const events = [];
  const socket = new Socket({
    url: 'ws://x/ws',
    who: () => ({ device: 'D', digest: 'G', age: 'A' }),
    hear: (e) =>
      events.push(
        e.type === 'frame'
          ? e.frame.t
          : e.type === 'welcome'
            ? `welcome ${e.resumed}`
            : `${e.type} ${e.how ?? ''}`.trim(),
      ),
    make: () => {
      wires.push(new Wire());
      return wires.at(-1);
    },
    random: () => 0.5,
  });
  return { socket, wires, events, wire: () => wires.at(-1) };
}
const welcome = (resumed, c = 0) => ({ t: 'welcome', token: 'T', resumed, c, grace_ms: 30000, age: '' });
const relay = (n, more) => ({ t: 'relay', n, from: 'b', seq: n, box: 'AAAA', ...more });

/** connected is a lab with a session. */
function connected() {
  const l = lab();
  l.socket.wake();
  l.wire().open();
  l.wire().say(welcome(false));
  l.wire().sent.length = 0;
  l.events.length = 0;
  return l;
}

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

test('hello first, and nothing before welcome', () => {
  const { socket, wire, events } = lab();
  socket.wake();
  socket.send({ t: 'find' });
  wire().open();
  assert.deepEqual(wire().sent, [{ t: 'hello', token: '', last: 0, device: 'D', digest: 'G', age: 'A' }]);
  wire().say(relay(1));
  wire().say(welcome(false));
  assert.deepEqual(events, ['welcome false'], 'a new session begins with nothing');
  assert.equal(wire().sent.length, 1);
  socket.send({ t: 'find' });
  assert.deepEqual(wire().sent[1], { t: 'find', c: 1, a: 0 });
});

test('a lost socket is resumed: what was missed arrives, what was not taken is sent again', () => {
  const { socket, wire, wires, events } = connected();
  socket.send({ t: 'find' });
  socket.send({ t: 'cancel' });
  wire().say(relay(1), relay(2));
  wire().drop();
  assert.deepEqual(events, ['relay', 'relay', 'offline']);
  socket.send({ t: 'leave' });
  mock.timers.tick(0);
  assert.equal(wires.length, 2);
  wire().open();
  assert.deepEqual(wire().sent, [{ t: 'hello', token: 'T', last: 2, device: 'D', digest: 'G', age: 'A' }]);
  wire().say(welcome(true, 1));
  assert.deepEqual(wire().sent.slice(1), [
    { t: 'cancel', c: 2, a: 2 },
    { t: 'leave', c: 3, a: 2 },
  ]);
  wire().say(relay(2), relay(3));
  assert.deepEqual(events.slice(3), ['welcome true', 'relay'], 'a repetition is dropped');
});

test('a lost session starts again at 1', () => {
  const { socket, wire, events } = connected();
  socket.send({ t: 'find' });
  wire().say(relay(1));
  wire().drop();
  mock.timers.tick(0);
  wire().open();
  wire().say(welcome(false), relay(1));
  assert.deepEqual(events.slice(2), ['welcome false', 'relay']);
  socket.send({ t: 'find' });
  assert.deepEqual(wire().sent.slice(1), [{ t: 'find', c: 1, a: 1 }]);
});

test('the pauses grow, wake does not wait, abandoned sockets are not heard', () => {
  const { socket, wires, wire, events } = connected();
  for (const [i, pause] of [0, 300, 1200, 2700, 4800, 7000, 7000].entries()) {
    wire().drop();
    assert.equal(wires.length, i + 1);
    if (pause) {
      mock.timers.tick(pause - 1);
      assert.equal(wires.length, i + 1, `not before ${pause}`);
      mock.timers.tick(1);
    } else mock.timers.tick(0);
    assert.equal(wires.length, i + 2);
  }
  assert.deepEqual(events, ['offline'], 'said once');
  wire().drop();
  socket.wake();
  assert.equal(wires.length, 9);
  const stale = wires[7];
  stale.say(welcome(true));
  stale.drop();
  assert.deepEqual(events, ['offline']);
  socket.wake();
  assert.equal(wires.length, 9, 'one at a time');
});

test('a server that says nothing is left: after 10 s at the start, after 40 s later', () => {
  const { wires, wire } = connected();
  mock.timers.tick(39999);
  wire().say({ t: 'ping' });
  assert.deepEqual(wire().sent, [{ t: 'pong' }]);
  mock.timers.tick(39999);
  assert.equal(wires.length, 1);
  mock.timers.tick(1);
  assert.equal(wires[0].closed, true);
  mock.timers.tick(1);
  assert.equal(wires.length, 2);
  wire().open();
  mock.timers.tick(10000);
  mock.timers.tick(300);
  assert.equal(wires.length, 3);
});

test('acknowledged after 8 frames or one second, or by whatever is sent', () => {
  const { socket, wire } = connected();
  wire().say(...[1, 2, 3, 4, 5, 6, 7].map((n) => relay(n)));
  assert.deepEqual(wire().sent, []);
  wire().say(relay(8));
  assert.deepEqual(wire().sent, [{ t: 'ack', a: 8 }]);
  wire().say(relay(9));
  mock.timers.tick(999);
  assert.equal(wire().sent.length, 1);
  mock.timers.tick(1);
  assert.deepEqual(wire().sent[1], { t: 'ack', a: 9 });
  wire().say(relay(10));
  socket.send({ t: 'leave' });
  mock.timers.tick(5000);
  assert.deepEqual(wire().sent.slice(2), [{ t: 'leave', c: 1, a: 10 }]);
});

test('a gap, and nonsense with a number, do not stop the session', () => {
  const { wires, wire, events } = connected();
  const warn = mock.method(console, 'warn', () => {});
  wire().say('{"t":"surprise","n":1}', relay(2));
  assert.deepEqual(events, ['relay']);
  assert.equal(warn.mock.callCount(), 1);
  wire().say(relay(4));
  mock.timers.tick(0);
  assert.equal(wires.length, 2);
  wire().open();
  assert.equal(wire().sent[0].last, 2);
  warn.mock.restore();
});

test('a session with too much to catch up is given up', () => {
  const { socket, wire, events } = connected();
  wire().drop();
  for (let i = 0; i <= 512; i++) socket.send({ t: 'cancel' });
  mock.timers.tick(0);
  wire().open();
  assert.equal(wire().sent[0].token, '');
  wire().say(welcome(false));
  assert.equal(wire().sent.length, 1);
  assert.deepEqual(events, ['offline', 'welcome false']);
});

test('close codes: come back, stop, show', () => {
  for (const [code, want] of [
    [4501, 'closed stop'],
    [4500, 'closed show'],
    [1009, 'closed show'],
    [4526, 'closed reload'],
  ]) {
    const { socket, wires, wire, events } = connected();
    wire().drop(code);
    mock.timers.tick(60000);
    socket.wake();
    socket.send({ t: 'find' });
    assert.deepEqual([events, wires.length], [[want], 1], String(code));
  }
  const { wires, wire } = connected();
  wire().say({ t: 'drain', within_ms: 4000 });
  wire().drop(4001);
  mock.timers.tick(1999);
  assert.equal(wires.length, 1);
  mock.timers.tick(1);
  assert.equal(wires.length, 2, 'half of the time, by our dice');
});

test('an error names the frame that it refuses; a busy peer gets the frame again', () => {
  const { socket, wire, events } = connected();
  socket.send({ t: 'find' });
  wire().say({ t: 'error', n: 1, of: 1, code: 'bad_state', text: '' });
  assert.deepEqual(events, ['error']);
  socket.send({ t: 'relay', to: 'b', seq: 1, box: 'x' });
  for (let i = 2; i <= 8; i++) {
    wire().say({ t: 'error', n: i, of: i, code: 'peer_busy', text: '' });
    mock.timers.tick(10000);
  }
  assert.deepEqual(
    wire()
      .sent.filter((f) => f.t === 'relay')
      .map((f) => [f.c, f.seq]),
    [
      [2, 1],
      [3, 1],
      [4, 1],
      [5, 1],
      [6, 1],
      [7, 1],
    ],
  );
});
