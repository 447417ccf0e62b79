import assert from 'node:assert/strict';
import test from 'node:test';
import { advise, line, measure, need, plan, strained, UNKNOWN, VOICE } from './room-plan.js';

const at = (members, more = {}) => ({ members, line: UNKNOWN, sending: true, weak: false, ...more });
const area = ({ video }) => (video ? video.width * video.height * video.fps : 0);

test('pictures get smaller as the room grows, never larger', () => {
  const plans = [2, 3, 4, 5, 6, 7, 8].map((members) => plan(at(members)));
  assert.deepEqual(
    plans.map(({ video }) => `${video.height} ${video.kbps}`),
    ['720 1200', '540 700', '360 400', '360 400', '270 250', '270 250', '180 130'],
  );
  for (let i = 1; i < plans.length; i++) assert.ok(area(plans[i]) <= area(plans[i - 1]));
  // What eight send in all is no more than what four do: the mesh stays within a common line.
  assert.ok(need(8, plans[6].video) < 1500, String(need(8, plans[6].video)));
});

test('a slow line makes pictures smaller, and voice goes on when no picture can', () => {
  const tall = (kbps) => plan(at(4, { line: kbps })).video?.height ?? 0;
  assert.deepEqual([tall(9000), tall(1800), tall(1000), tall(500), tall(300)], [360, 360, 180, 136, 0]);
  assert.deepEqual(plan(at(4, { line: 300 })), { video: null, why: 'line' });
  assert.ok(need(4, null) === 3 * VOICE && need(4, null) < 300, 'voice alone has room there');
  // Whatever the line: the plan never asks for more than it carries.
  for (let members = 2; members <= 8; members++)
    for (let kbps = 50; kbps < 6000; kbps += 50) {
      const { video } = plan(at(members, { line: kbps }));
      if (video) assert.ok(need(members, video) <= kbps, `${members} at ${kbps}`);
    }
});

test('a weak machine encodes less, a camera that is off nothing', () => {
  assert.deepEqual([plan(at(2, { weak: true })).video.height, plan(at(2, { weak: true })).why], [360, 'cpu']);
  assert.ok(plan(at(8, { weak: true })).video.height > 0);
  assert.deepEqual(plan(at(2, { sending: false })), { video: null, why: 'off' });
});

test('the limit is said before it hurts', () => {
  assert.equal(advise(at(3, { line: 9000 }), 8).level, '');
  const near = advise(at(2, { line: 1650 }), 8);
  assert.deepEqual([near.level, near.members, near.needs > near.has * 0.8], ['near', 3, true]);
  assert.equal(advise(at(2, { line: 1650 }), 2).level, '', 'nobody more can come');
  const over = advise(at(4, { line: 500 }), 8);
  assert.deepEqual([over.level, over.has, over.needs > 500], ['over', 500, true]);
  assert.equal(advise(at(4), 8).level, '', 'nothing is said of a line that nobody measured');
  assert.equal(advise(at(4, { line: 500, sending: false }), 8).level, '', 'voice needs little');
});

/** What the plan may have made of the picture. */
const WHOLE = plan(at(2));
const SMALL = plan(at(2, { line: 600 }));
const sent = (kbps, more = {}) => [{ kbps, held: true, cpu: false, ...more }];

test('one hiccup of the line ends no picture, and recovery is slow', () => {
  let l = measure(line(), 0, sent(3000), WHOLE);
  assert.equal(l.kbps, 3000);
  l = measure(l, 1000, sent(300), WHOLE);
  assert.equal(l.kbps, 3000);
  l = measure(l, 1500, sent(3000), WHOLE);
  l = measure(l, 2000, sent(300), WHOLE);
  l = measure(l, 3900, sent(300), WHOLE);
  assert.equal(l.kbps, 3000, 'not yet two seconds');
  l = measure(l, 4000, sent(300), WHOLE);
  assert.equal(l.kbps, 300);
  l = measure(l, 4250, sent(3000), SMALL);
  assert.equal(l.kbps, 975);
  assert.equal(measure(l, 5000, sent(0), SMALL), l, 'no figure is no news');
});

test('a picture that was made small grows again, though little that is sent tells little of a line', () => {
  let l = measure(line(), 0, [...sent(150), ...sent(150)], WHOLE);
  const heights = [];
  for (let now = 1000; now < 240000; now += 1000) {
    const planned = plan(at(3, { line: l.kbps }));
    const { video } = planned;
    heights.push(video?.height ?? 0);
    // The estimate is never more than half again as much as is sent, whatever the line would carry.
    l = measure(l, now, sent(need(3, video) * 1.5, { held: false }), planned);
  }
  assert.ok(heights[0] < 540 && heights.at(-1) === 540, `${heights[0]} to ${heights.at(-1)}`);
  assert.ok(
    heights.every((h, i) => h >= (heights[i - 1] ?? 0)),
    'it only grows',
  );
});

test('a picture that the line ended is tried again within a minute', () => {
  let l = measure(line(), 0, sent(150), WHOLE);
  let now = 0;
  for (let planned = plan(at(4, { line: l.kbps })); !planned.video; planned = plan(at(4, { line: l.kbps }))) {
    now += 1000;
    assert.ok(now < 60000, `after ${now} ms a line of ${l.kbps} kbit/s is still too little`);
    l = measure(l, now, sent(need(4, null), { held: false }), planned);
  }
});

test('a line that carries no picture is tried less and less often', () => {
  let l = measure(line(), 0, sent(1700), WHOLE);
  const tries = [];
  let shown = true;
  for (let now = 1000; now < 1200000; now += 1000) {
    const planned = plan(at(4, { line: l.kbps }));
    if (planned.video && !shown) tries.push(now);
    shown = planned.video !== null;
    l = measure(l, now, shown ? sent(150) : sent(150, { held: false }), planned);
  }
  const pauses = tries.slice(1).map((at, i) => at - (tries[i] ?? 0));
  assert.ok(pauses.length >= 3, `tried at ${tries}`);
  assert.ok(
    (pauses[1] ?? 0) > (pauses[0] ?? 0) * 1.5 && pauses.slice(2).every((ms) => ms > 250000),
    `pauses of ${pauses}`,
  );
});

test('a line that carries just these says so for as long as it is so', () => {
  let l = measure(line(), 0, sent(1700), WHOLE);
  for (let now = 1000; now < 600000; now += 1000) {
    const two = at(2, { line: l.kbps });
    assert.deepEqual([plan(two).why, advise(two, 8).level], ['', 'near'], `after ${now} ms`);
    l = measure(l, now, sent(1700, { held: false }), WHOLE);
  }
  // A camera that is off for a while asks little of the line, and that is no news of it.
  for (let now = 600000; now < 660000; now += 1000) l = measure(l, now, sent(200, { held: false }), WHOLE);
  assert.equal(l.kbps, 1700);
});

test('who cannot keep up is spared for a while', () => {
  assert.equal(strained(0, 1000, sent(300)), 0);
  assert.equal(strained(0, 1000, [...sent(300), ...sent(300, { cpu: true })]), 31000);
  assert.equal(strained(31000, 2000, sent(300)), 31000);
});
