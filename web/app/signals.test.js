import assert from 'node:assert/strict';
import test from 'node:test';
import { classes, signals } from './signals.js';

const phone = {
  navigator: {
    userAgent: 'Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 Chrome/156.0.0.0 Mobile Safari/537.36',
    language: 'de-AT',
    hardwareConcurrency: 8,
    deviceMemory: 8,
    maxTouchPoints: 5,
  },
  screen: { width: 412, height: 915 },
  offset: (month) => (month < 3 ? -60 : -120),
  media: (query) => query.includes('p3'),
};
const other = (change) => ({ ...phone, ...change, navigator: { ...phone.navigator, ...change.navigator } });

test('the classes are coarse and few', () => {
  assert.deepEqual(classes(phone), ['android', 'Chrom', 2, 3, -1, -2, 'de', 4, 4, 3, 1, 0]);
  assert.deepEqual(classes({ ...phone, navigator: {}, screen: { width: 0, height: 0 }, media: () => false }), [
    ...['other', 'other', 1, 1, -1, -2, '', 1, 1, 1, 0, 0],
  ]);
});

test('a new version, a turned phone and another country of the language change nothing', async () => {
  const digest = await signals(phone);
  assert.match(digest, /^[\w-]{43}$/);
  const newer = phone.navigator.userAgent.replace('156', '199').replace('16;', '17;');
  for (const change of [
    { navigator: { userAgent: newer } },
    { navigator: { language: 'de-DE' } },
    { screen: { width: 915, height: 412 } },
    { screen: { width: 414, height: 920 } },
  ])
    assert.equal(await signals(other(change)), digest, JSON.stringify(change));
});

test('another kind of device is another digest', async () => {
  const all = await Promise.all(
    [
      {},
      { screen: { width: 360, height: 780 } },
      { navigator: { language: 'fr' } },
      { navigator: { hardwareConcurrency: 4 } },
      { navigator: { maxTouchPoints: 0 } },
      { navigator: { userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1' } },
      { offset: () => 300 },
      { media: () => false },
    ].map((change) => signals(other(change))),
  );
  assert.equal(new Set(all).size, all.length);
});

test('Edge and Opera are no Chrome', () => {
  for (const [says, family] of [
    ['Edg/156.0', 'Edg'],
    ['OPR/120.0', 'OPR'],
    ['', 'Chrom'],
  ])
    assert.equal(classes(other({ navigator: { userAgent: `${phone.navigator.userAgent} ${says}` } }))[1], family);
});

test('a tablet that says it is a Mac is found by its touch points', () => {
  const userAgent = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1.15';
  assert.equal(classes(other({ navigator: { userAgent, maxTouchPoints: 5 } }))[0], 'ios');
  assert.equal(classes(other({ navigator: { userAgent, maxTouchPoints: 0 } }))[0], 'mac');
});
