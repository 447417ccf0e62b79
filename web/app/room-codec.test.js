import assert from 'node:assert/strict';
import test from 'node:test';
import { choose, listed, prefer } from './room-codec.js';
import { chips } from './room-send.js';

const ALL = ['av1', 'vp9', 'vp8', 'h264'];
const device = (more = {}) => ({ hardware: [], lines: 720, frugal: false, ...more });

test('a table of situations', () => {
  for (const [what, mine, theirs, of, want] of [
    ['small picture, software', ALL, ALL, { lines: 180 }, 'av1 vp9 vp8 h264'],
    ['middle picture, software', ALL, ALL, { lines: 540 }, 'vp9 vp8 h264 av1'],
    ['large picture, software', ALL, ALL, {}, 'vp8 h264 av1 vp9'],
    ['large picture, chip for H.264', ALL, ALL, { hardware: ['h264'] }, 'h264 vp8 av1 vp9'],
    ['large picture, chip for VP9 and AV1', ALL, ALL, { hardware: ['vp9', 'av1'] }, 'av1 vp9 vp8 h264'],
    ['small picture on a phone', ALL, ALL, { lines: 180, frugal: true }, 'vp8 h264 av1 vp9'],
    ['the other has no AV1', ALL, ['vp9', 'vp8', 'h264'], { lines: 180 }, 'vp9 vp8 h264'],
    ['the other has H.264 alone', ALL, ['h264'], {}, 'h264'],
    ['old and new have nothing in common', ['vp8'], ['av1'], {}, ''],
  ])
    assert.equal(choose(mine, theirs, device(of)).join(' '), want, what);
});

const CAPABILITIES = [
  { mimeType: 'video/VP8' },
  { mimeType: 'video/rtx' },
  { mimeType: 'video/H264', sdpFmtpLine: 'level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f' },
  { mimeType: 'video/H264', sdpFmtpLine: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f' },
  { mimeType: 'video/VP9', sdpFmtpLine: 'profile-id=0' },
  { mimeType: 'video/VP9', sdpFmtpLine: 'profile-id=2' },
  { mimeType: 'video/red' },
  { mimeType: 'video/ulpfec' },
  { mimeType: 'video/FancyNew' },
];

test('what a browser lists is put in order, and nothing unknown passes', () => {
  assert.deepEqual(listed(CAPABILITIES), ['vp9', 'vp8', 'h264']);
  assert.deepEqual(
    prefer(CAPABILITIES, ['vp8', 'h264', 'vp9']).map((c) => c.mimeType + (c.sdpFmtpLine ?? '')),
    [
      'video/VP8',
      `video/H264${CAPABILITIES[3].sdpFmtpLine}`,
      'video/VP9profile-id=0',
      'video/VP9profile-id=2',
      'video/rtx',
    ],
  );
  assert.deepEqual(prefer(CAPABILITIES, []), []);
  assert.deepEqual(prefer(CAPABILITIES, ['av1']), [], 'not rtx alone');
});

test('the browser is asked what its chip encodes, and may not know', async () => {
  const asks = (answer) => ({ encodingInfo: async ({ type, video }) => answer(video.contentType, type) });
  const chip = (contentType, type) => ({
    supported: true,
    powerEfficient: type === 'webrtc' && contentType === 'video/VP9',
  });
  assert.deepEqual(await chips(asks(chip)), ['vp9']);
  const odd = (contentType) => {
    if (contentType !== 'video/H264') throw new TypeError('no such type');
    return { supported: true, powerEfficient: true };
  };
  assert.deepEqual(await chips(asks(odd)), ['h264'], 'one that is not known spoils nothing');
  assert.deepEqual(await chips(asks(() => ({ supported: false, powerEfficient: true }))), []);
  assert.deepEqual(await chips(null), []);
});
