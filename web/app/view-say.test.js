import assert from 'node:assert/strict';
import test from 'node:test';
import { alertWords, sayChange } from './view-access.js';

// Keys instead of sentences, so that the test names what is said.
const t = /** @type {any} */ (
  Object.assign(
    (/** @type {string} */ key, /** @type {any} */ params) => (params?.text ? `${key}(${params.text})` : key),
    {
      has: (/** @type {string} */ key) => !key.includes('strange'),
      time: String,
      when: String,
      seconds: String,
    },
  )
);

/** @param {any} [over] @returns {any} */
const call = (over = {}) => ({
  ...{
    slow: '',
    muted: false,
    path: '',
    verified: 'unverified',
    quality: '',
    peerAway: false,
    peerSilent: false,
    peerMuted: false,
  },
  ...{ direct: { mine: false, theirs: false }, chat: [] },
  ...over,
});
/** @param {any} over @returns {any} */
const state = (over) => ({
  ...{
    screen: 'home',
    reason: '',
    alert: '',
    call: null,
    after: null,
    held: null,
    panel: '',
    device: { standing: null },
  },
  ...{ mic: { phase: 'explain', error: '' }, queue: { note: '', puzzle: null, asked: false } },
  ...over,
});
/** @param {any} before @param {any} after */
const said = (before, after) => sayChange(state(before), state(after), t);

test('nothing is said at the start, nor when nothing changed', () => {
  assert.equal(sayChange(undefined, state({ screen: 'mic' }), t), '');
  assert.equal(said({ screen: 'queued' }, { screen: 'queued' }), '');
});

test('every screen is said when it comes', () => {
  const after = { why: 'peer_left', report: '', help: '', until: 0, blocked: false };
  const puzzle = { note: '', asked: false, puzzle: { since: 0, takes: 0 } };
  const limited = { note: '', asked: true, puzzle: null };
  const table = [
    [{ screen: 'mic' }, 'mic.explain'],
    [{ screen: 'mic', mic: { phase: 'failed', error: 'busy' } }, 'mic.fail.busy'],
    [{ screen: 'queued' }, 'queue.title'],
    [{ screen: 'queued', queue: { note: 'back' } }, 'queue.back'],
    [{ screen: 'queued', queue: { note: 'paused' } }, 'queue.paused'],
    [{ screen: 'matched' }, 'call.matched'],
    [{ screen: 'matched', queue: { note: 'paused' } }, 'queue.paused'],
    [{ screen: 'connecting', call: call() }, 'call.connecting'],
    [{ screen: 'connecting', call: call({ slow: 'relay' }) }, 'slow.relay'],
    [{ screen: 'live', call: call() }, 'say.live'],
    [{ screen: 'reconnecting', call: call() }, 'call.reconnecting'],
    [{ screen: 'ended', after }, 'ended.peer_left'],
    [{ screen: 'ended', after: { ...after, why: 'strange' } }, 'ended.lost'],
    [{ screen: 'ended', after: { ...after, report: 'retrying' } }, 'ended.report.retrying'],
    [
      { screen: 'ended', after: { ...after, report: 'sending', help: 'minor' } },
      'ended.report.sending help.minor.danger',
    ],
    [{ screen: 'ended', after: { ...after, report: 'counted', help: 'minor' } }, 'ended.report.counted'],
    [{ screen: 'held', held: { until: 5, reasons: [] } }, 'held.title. held.until'],
    [{ screen: 'queued', queue: puzzle }, 'puzzle.title'],
    [{ screen: 'queued', queue: { ...puzzle, puzzle: { since: 0, takes: 9000 } } }, 'puzzle.takes'],
    [{ screen: 'queued', queue: limited }, 'queue.title'],
    [{ screen: 'queued', queue: limited, device: { standing: { band: 'restricted' } } }, 'queue.limited'],
    [{ screen: 'queued', queue: limited, device: { standing: { band: 'watch' } } }, 'queue.title'],
    [{ screen: 'blocked', reason: 'replaced' }, 'blocked.replaced'],
    [{ screen: 'blocked', reason: 'strange' }, 'blocked.error'],
  ];
  for (const [next, words] of table) assert.equal(said({}, next), words);
  assert.equal(said({ screen: 'queued' }, {}), 'say.home');
});

test('a change within a call is said once', () => {
  const table = [
    [{ muted: true }, 'say.muted'],
    [{ path: 'direct' }, 'path.direct'],
    [{ verified: 'verified' }, 'verify.done'],
    [{ quality: 'weak' }, 'hint.weak'],
    [{ peerAway: true }, 'hint.away'],
    [{ peerMuted: true }, 'say.peer_muted'],
    [{ peerSilent: true }, 'hint.silent'],
    [{ direct: { mine: false, theirs: true } }, 'hint.direct'],
    [{ verified: 'mismatch', muted: true }, 'alarm.title alarm.body say.muted'],
  ];
  for (const [change, words] of table) {
    const before = { screen: 'live', call: call() };
    const after = { screen: 'live', call: call(change) };
    assert.equal(said(before, after), words);
    assert.equal(said(after, after), '');
  }
  assert.equal(said({ screen: 'live', call: call({ muted: true }) }, { screen: 'live', call: call() }), 'say.unmuted');
});

test('their lines are read, one’s own are not, also when old ones are dropped', () => {
  const old = { mine: false, text: 'old', at: 1 };
  const fresh = { mine: false, text: 'new', at: 2 };
  const own = { mine: true, text: 'own', at: 3 };
  const before = { screen: 'live', call: call({ chat: [old] }) };
  assert.equal(said(before, { screen: 'live', call: call({ chat: [old, fresh, own] }) }), 'say.chat(new)');
  assert.equal(said(before, { screen: 'live', call: call({ chat: [fresh] }) }), 'say.chat(new)');
});

test('an alert is said once, and an unknown one too', () => {
  assert.equal(said({}, { alert: 'tap' }), 'alert.tap');
  assert.equal(said({ alert: 'tap' }, { alert: 'tap' }), '');
  assert.equal(alertWords('strange', t), 'alert.unknown');
});

test('who asked too often is told for how long, and when that is over', () => {
  assert.equal(alertWords('too_many', t, 40000), 'alert.too_many.wait(40000)');
  assert.equal(alertWords('too_many', t, 0), 'alert.too_many');
  assert.equal(alertWords('unavailable', t, 40000), 'alert.unavailable');
});
