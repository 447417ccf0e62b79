import assert from 'node:assert/strict';
import test from 'node:test';
import { code, QUIET } from './room-qr.js';

/** pixels paints the path again. */
function pixels({ size, path }) {
  const dark = Array.from({ length: size }, () => new Array(size).fill(false));
  for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g))
    for (let i = 0; i < Number(width); i++) dark[Number(y)][Number(x) + i] = true;
  return dark;
}

test('a link becomes a code with its three corners and a quiet zone', () => {
  const made = code('https://parley.example/room#abacus-zoom-yoyo-tshirt-down-felttip-dropdown');
  const dark = pixels(made);
  const modules = made.size - 2 * QUIET;
  assert.equal((modules - 17) % 4, 0, 'a size that the standard knows');
  assert.ok(
    dark.every((row, y) => row.every((d, x) => !d || (Math.min(x, y) >= QUIET && Math.max(x, y) < made.size - QUIET))),
  );
  // The finder: a ring of dark, a ring of light, three by three dark.
  const finder = (left, top) => {
    for (let y = 0; y < 7; y++)
      for (let x = 0; x < 7; x++) {
        const ring = Math.max(Math.abs(x - 3), Math.abs(y - 3));
        assert.equal(dark[top + y][left + x], ring !== 2, `${left} ${top}: ${x} ${y}`);
      }
  };
  finder(QUIET, QUIET);
  finder(QUIET + modules - 7, QUIET);
  finder(QUIET, QUIET + modules - 7);
  // Timing patterns alternate between them.
  for (let i = 8; i < modules - 8; i++) assert.equal(dark[QUIET + 6][QUIET + i], i % 2 === 0);
});

test('another text is another code', () => {
  assert.notEqual(code('a').path, code('b').path);
});
