import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { Puzzle, solve } from './puzzle.js';

/** zeros counts the zero bits that the hash of a text begins with, by another implementation. */
const zeros = (text) => {
  const bits = [...createHash('sha256').update(text).digest()].map((b) => b.toString(2).padStart(8, '0')).join('');
  return bits.indexOf('1');
};

test('the proof is the challenge with a nonce that makes the hash begin with zeros, whatever the length', () => {
  for (let length = 1; length <= 200; length++) {
    const challenge = 'abcdefghij-_'.repeat(20).slice(0, length);
    const proof = new Puzzle(challenge, 6).work(1e4);
    assert.match(proof, /^[\w-]+\.[\w-]{1,32}$/);
    assert.ok(proof.startsWith(`${challenge}.`));
    assert.ok(zeros(proof) >= 6, `${length}: ${proof}`);
  }
});

test('16 bits are found, and no try before was good', () => {
  const puzzle = new Puzzle('a-challenge', 16);
  let proof = '';
  while (!proof) proof = puzzle.work(5000);
  assert.ok(zeros(proof) >= 16);
  assert.equal(puzzle.usual, 65536);
  const nonce = (n) => n.toString(36).padStart(8, '0');
  assert.equal(proof, `a-challenge.${nonce(puzzle.tried)}`);
  for (let n = Math.max(0, puzzle.tried - 2000); n < puzzle.tried; n++)
    assert.ok(zeros(`a-challenge.${nonce(n)}`) < 16, String(n));
});

test('work stops after its tries and goes on where it was', () => {
  const puzzle = new Puzzle('x', 24);
  assert.equal(puzzle.work(100), '');
  assert.equal(puzzle.work(100), '');
  assert.equal(puzzle.tried, 200);
});

test('how long it takes is told as soon as the browser is warm, and again; what is too late is said', () => {
  // Three slow batches, then 500 tries in 10 ms.
  const time = (look) => (look <= 3 ? 60 * look : 150 + 10 * look);
  const clock =
    (looks = 0) =>
    () =>
      time(looks++);
  const news = [];
  solve(new Puzzle('x', 24), 1000, clock(), (n) => news.push(n));
  assert.deepEqual(news, [{ pace: 2 ** 24 / 50 }, { late: true }]);
  news.length = 0;
  solve(new Puzzle('x', 4), 200, clock(), (n) => news.push(n));
  assert.equal(news.length, 1);
  assert.ok(zeros(news[0].proof) >= 4);
});
