import assert from 'node:assert/strict';
import test from 'node:test';
import { Numbers } from './protocol.js';

/** random returns a repeatable generator. */
function random(seed) {
  let s = seed;
  return () => {
    s = (s * 1664525 + 1013904223) >>> 0;
    return s / 2 ** 32;
  };
}

// The server's half of the rules, as simply as possible.
class Server {
  sent = [];
  got = [];
  acked = 0;
  send(value) {
    this.sent.push({ n: this.sent.length + 1, value });
    return this.sent.at(-1);
  }
  receive(frame) {
    if (frame.a) this.acked = Math.max(this.acked, frame.a);
    if (frame.t === 'ack' || frame.c <= this.got.length) return;
    assert.equal(frame.c, this.got.length + 1, 'the server sees no gap');
    this.got.push(frame.value);
  }
}

test('random drops: every frame arrives once and in order, both ways', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const rnd = random(seed);
    const browser = new Numbers();
    const server = new Server();
    const taken = [];
    let [up, down] = [[], []]; // frames on their way over the present socket
    let count = 0;
    const deliver = () => {
      if (up.length && rnd() < 0.6) server.receive(up.shift());
      if (down.length && rnd() < 0.6) {
        const { n, value, c } = down.shift();
        const verdict = browser.arrived(n);
        assert.notEqual(verdict, 'gap');
        if (verdict === 'take') taken.push(value);
        if (c) browser.acknowledged(c);
        if (browser.ackDue) up.push({ t: 'ack', a: browser.tell() });
      }
    };
    const resume = () => {
      [up, down] = [[], []]; // whatever was on its way is lost
      down.push(...server.sent.slice(browser.last));
      up.push(...browser.again(server.got.length));
    };
    for (let i = 0; i < 300; i++) {
      const dice = rnd();
      if (dice < 0.25) up.push(browser.number({ t: 'relay', value: ++count }));
      else if (dice < 0.5) down.push({ ...server.send(i), ...(rnd() < 0.5 && { c: server.got.length }) });
      else if (dice < 0.55) resume();
      else deliver();
    }
    resume();
    while (up.length || down.length) deliver();
    assert.deepEqual(
      server.got,
      Array.from({ length: count }, (_, i) => i + 1),
    );
    assert.deepEqual(
      taken,
      server.sent.map((s) => s.value),
    );
  }
});

test('a repetition is dropped, a gap is noticed', () => {
  const numbers = new Numbers();
  assert.equal(numbers.arrived(1), 'take');
  assert.equal(numbers.arrived(1), 'drop');
  assert.equal(numbers.arrived(3), 'gap');
  assert.equal(numbers.last, 1);
});

test('eight frames are acknowledged at the latest, and a sent frame acknowledges too', () => {
  const numbers = new Numbers();
  for (let n = 1; n <= 7; n++) numbers.arrived(n);
  assert.equal(numbers.ackDue, false);
  numbers.arrived(8);
  assert.equal(numbers.ackDue, true);
  assert.equal(
    JSON.stringify(numbers.number({ t: 'relay', to: 'b', seq: 1, box: 'x' })),
    '{"t":"relay","c":1,"a":8,"to":"b","seq":1,"box":"x"}',
    'in the order of the table',
  );
  assert.deepEqual([numbers.ackDue, numbers.ackOpen], [false, false]);
});

test('an error can be traced to its frame, also after the acknowledgement', () => {
  const numbers = new Numbers();
  numbers.number({ t: 'find' });
  numbers.acknowledged(1);
  assert.equal(numbers.frame(1)?.t, 'find');
  for (let i = 0; i < 64; i++) numbers.number({ t: 'relay' });
  assert.equal(numbers.frame(1), undefined);
});

test('reset begins again at 1', () => {
  const numbers = new Numbers();
  numbers.number({ t: 'find' });
  numbers.arrived(1);
  numbers.reset();
  assert.deepEqual(numbers.again(0), []);
  assert.deepEqual(numbers.number({ t: 'find' }), { t: 'find', c: 1, a: 0 });
});
