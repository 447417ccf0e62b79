import assert from 'node:assert/strict';
import test from 'node:test';
import { busiest, byHourOfDay, grouped, read, sum, words } from './hours.js';

const csv = `hour,under_10s,under_1m,under_10m,longer
2026-11-21T23:00:00Z,12,fewer than 10,30,0
2026-11-22T00:00:00Z,0,0,40,fewer than 10
2026-11-22T01:00:00Z,fewer than 10,0,0,0
`;
const hours = read(csv);

test('what the server sends is read, and what it does not tell stays untold', () => {
  assert.equal(hours.length, 3);
  assert.deepEqual(hours[0], { at: Date.UTC(2026, 10, 21, 23), calls: [12, 'few', 30, 0] });
  assert.deepEqual(read('hour,under_10s,under_1m,under_10m,longer\n'), []);
});

test('a sum is of what is told, and says when something is missing', () => {
  assert.equal(words(sum([12, 30, 0]), 10), '42');
  assert.equal(words(sum([12, 'few', 30]), 10), '42 and some');
  assert.equal(words(sum(['few', 0]), 10), 'fewer than 10');
  assert.equal(words(sum([{ n: 1200, few: false }, 'few']), 10), '1,200 and some');
});

test('days begin at midnight UTC', () => {
  const days = grouped(hours, 24);
  assert.deepEqual(
    days.map((day) => new Date(day.at).toISOString().slice(0, 10)),
    ['2026-11-21', '2026-11-22'],
  );
  assert.deepEqual(days[1]?.calls, [
    { n: 0, few: true },
    { n: 0, few: false },
    { n: 40, few: false },
    { n: 0, few: true },
  ]);
});

test('the busiest hour, and the mean of each hour of the day', () => {
  assert.equal(busiest(hours)?.at, Date.UTC(2026, 10, 21, 23));
  assert.equal(busiest([]), undefined);
  const mean = byHourOfDay(hours);
  assert.deepEqual([mean[23], mean[0], mean[1], mean[5]], [42, 40, 0, 0]);
});
