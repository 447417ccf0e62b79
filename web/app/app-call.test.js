import assert from 'node:assert/strict';
import test from 'node:test';
import { CONNECTED, connecting, ended, live, MATCHED, online, QUEUED } from './app-page.test.js';

const COUNTED = { t: 'reported', avoid: 'V2', next: 'counted' };

test('next leaves, searches and keeps the last call reportable', () => {
  const p = live();
  assert.deepEqual(p.do('next'), ['send leave', 'hang-up', 'save', 'find', 'prepare']);
  assert.equal(p.effects[1].bye, true);
  p.do({ t: 'ended', why: 'left' }, QUEUED);
  assert.equal(p.at, 'queued');
  p.do('cancel');
  assert.equal(p.at, 'ended left');
  assert.deepEqual(p.do({ type: 'report', reason: 'hate' }), ['send report']);
  assert.deepEqual(p.effects[0].frame, { t: 'report', handle: 'H1', reason: 'hate' });
  assert.equal(p.state.after.report, 'sending');
  assert.deepEqual(p.do(COUNTED), ['remember reported']);
  assert.equal(p.state.after.report, 'counted');
  assert.deepEqual(p.do({ type: 'report', reason: 'hate' }), [], 'once');
});

test('whom the other one left the search goes on by itself, unless told not to', () => {
  let p = ended();
  assert.deepEqual(p.wait(4999), []);
  assert.deepEqual(p.wait(1), ['save', 'find', 'prepare'], 'the microphone is still open');
  assert.equal(p.at, 'queued');
  assert.equal(p.state.after.canReport, true);

  p = ended();
  assert.deepEqual(p.do('stay'), ['mic stop']);
  assert.deepEqual(p.wait(60000), []);
  assert.equal(p.at, 'ended peer_left');

  p = ended();
  assert.deepEqual(p.do({ type: 'panel', name: 'report' }), ['mic stop']);
  assert.deepEqual(p.wait(60000), [], 'a report takes its time');

  p = live();
  assert.deepEqual(p.do('leave'), ['send leave', 'hang-up', 'mic stop']);
  assert.deepEqual(p.wait(60000), [], 'who left is not put back');
});

test('a call to which nobody came goes back to the queue, as if it had not been', () => {
  const p = connecting();
  assert.deepEqual(p.do({ t: 'aborted', why: 'peer' }), ['hang-up']);
  assert.equal(p.effects[0].bye, false);
  assert.equal(p.at, 'queued');
  assert.equal(p.state.queue.note, 'back');
  assert.equal(p.state.call, null);
  assert.equal(p.state.after, null);
  assert.deepEqual(p.do(QUEUED), []);
  assert.deepEqual(p.do({ type: 'welcome', resumed: false }), ['find P1'], 'not a rejoin');
  p.do(QUEUED, MATCHED, CONNECTED, 'peer-live');
  assert.equal(p.at, 'live');
  p.do('leave');
  assert.deepEqual(p.do({ t: 'aborted', why: 'peer' }), [], 'it crossed our leave');
  assert.equal(p.at, 'ended left');
});

test('an empty chair is put back three times, not for ever', () => {
  const p = live();
  const left = { t: 'ended', why: 'peer_left' };
  for (let again = 0; again < 3; again++) {
    p.do(left);
    p.wait(5000);
    assert.equal(p.at, 'queued');
    p.do(QUEUED, MATCHED, CONNECTED, 'peer-live');
  }
  assert.deepEqual(p.do(left), ['hang-up', 'mic stop', 'notify ended']);
  p.wait(60000);
  assert.equal(p.at, 'ended peer_left');
});

test('a report in the call ends it; a block too', () => {
  let p = live();
  assert.deepEqual(p.do({ type: 'report', reason: 'threat' }), ['send report', 'send leave', 'hang-up', 'mic stop']);
  assert.equal(p.at, 'ended reported');
  p.do({ ...COUNTED, next: 'counted_before' });
  assert.equal(p.state.after.report, 'counted_before');
  p = live();
  assert.deepEqual(p.do('block'), ['send block', 'send leave', 'hang-up', 'mic stop']);
  assert.deepEqual(p.do({ t: 'blocked', avoid: 'V3' }), ['remember blocked']);
  assert.equal(p.state.after.blocked, true);
});

test('ten minutes after the call the report is over', () => {
  const p = ended();
  p.wait(599999);
  assert.equal(p.state.after.canReport, true);
  p.wait(1);
  assert.equal(p.state.after.canReport, false);
  assert.deepEqual(p.do({ type: 'report', reason: 'hate' }), []);
  assert.equal(p.state.alert, 'bad_handle');
});

test('a report that the server could not store is sent again', () => {
  const p = ended();
  p.do({ type: 'report', reason: 'spam' }, { t: 'error', of: 9, code: 'unavailable', text: '', about: 'report' });
  assert.deepEqual(p.wait(1000), []);
  assert.deepEqual(p.wait(2000), ['send report']);
  assert.deepEqual(p.do(online), ['send report'], 'also to a server that knows nothing');
  p.do({ t: 'error', of: 9, code: 'bad_handle', text: '', about: 'report' });
  assert.deepEqual([p.state.alert, p.state.after.canReport, p.state.after.report], ['bad_handle', false, '']);
});

test('a report that is not stored yet says so, for as long as it can be', () => {
  const error = { t: 'error', of: 9, code: 'unavailable', text: '', about: 'report' };
  const p = live();
  p.do({ type: 'report', reason: 'spam' });
  assert.equal(p.state.after.report, 'sending');
  p.do(error);
  assert.equal(p.state.after.report, 'retrying');
  for (let s = 0; s < 590; s += 5) {
    assert.deepEqual(p.wait(5000), ['send report'], String(s));
    p.do(error);
  }
  p.wait(10000);
  assert.equal(p.state.after.report, 'lost');
  assert.deepEqual(p.wait(60000), [], 'and is not sent any more');
  assert.deepEqual(p.do(online), []);

  const q = live();
  q.do('offline');
  q.do({ type: 'report', reason: 'hate' });
  assert.equal(q.state.after.report, 'retrying', 'the server is away');
  q.do({ type: 'welcome', resumed: true, age: '' }, COUNTED);
  assert.equal(q.state.after.report, 'counted');
  assert.deepEqual(q.do(COUNTED), ['remember reported'], 'a second answer changes nothing');
  assert.equal(q.state.alert, '');
});

test('who went on hears of the report all the same', () => {
  let p = live();
  p.do({ type: 'report', reason: 'sexual' }, 'home', COUNTED);
  assert.deepEqual([p.at, p.state.alert], ['home', 'report_counted']);
  p = ended();
  p.do({ type: 'report', reason: 'sexual' }, 'again', COUNTED);
  assert.equal(p.state.alert, 'report_counted');
  p.do('cancel');
  assert.equal(p.at, 'home', 'what is reported needs no second look');
});

test('a child or a threat: the call ends at once and there is help', () => {
  for (const [reason, help] of [
    ['minor', 'minor'],
    ['threat', 'threat'],
    ['hate', ''],
    ['spam', ''],
  ]) {
    const p = live();
    const did = p.do({ type: 'report', reason });
    assert.deepEqual(did, ['send report', 'send leave', 'hang-up', 'mic stop']);
    assert.deepEqual([p.at, p.state.after.help], ['ended reported', help]);
    p.do(COUNTED);
    assert.equal(p.state.after.help, help, 'it stays');
  }
  const p = ended();
  p.do({ type: 'report', reason: 'minor' });
  assert.deepEqual([p.at, p.state.after.help], ['ended peer_left', 'minor']);
});

test('a block is sent until it is stored', () => {
  const p = live();
  const error = { t: 'error', of: 9, code: 'unavailable', text: '', about: 'block' };
  p.do('block', 'offline');
  assert.deepEqual(p.do(online), ['send block'], 'to a server that knows nothing');
  p.do(error);
  assert.deepEqual(p.wait(3000), ['send block']);
  p.do('home', 'offline');
  assert.deepEqual(p.do(online), ['send block'], 'also from the first screen');
  assert.equal(p.effects[0].frame.handle, 'H1');
  assert.deepEqual(p.do({ t: 'blocked', avoid: 'V3' }), ['remember blocked']);
  assert.deepEqual(p.do(online), []);
  const q = ended();
  q.do('block', { ...error, code: 'bad_handle' });
  assert.deepEqual(q.do(online), [], 'refused for good');
  assert.equal(q.state.alert, 'bad_handle');
});

test('the server forgets the session: a call goes on', () => {
  const p = live();
  p.do('offline');
  assert.deepEqual(p.do(online), ['send rejoin']);
  assert.equal(p.effects[0].frame.pass, 'K1');
  assert.deepEqual(p.do({ ...CONNECTED, handle: 'H2', pass: 'K2' }), ['remember met', 'rejoined']);
  assert.equal(p.at, 'live');
  p.do('offline', online, { t: 'error', of: 1, code: 'bad_value', text: '', about: 'rejoin' });
  assert.equal(p.at, 'live', 'also when the server does not take it back');
  assert.deepEqual(p.do('leave').slice(0, 2), ['send leave', 'hang-up']);
});

test('a call that is left on the way back into it does not begin anew', () => {
  const p = live();
  p.do('offline', online);
  p.do('leave', 'next');
  assert.equal(p.at, 'queued');
  assert.deepEqual(p.do({ ...CONNECTED, handle: 'H2', pass: 'K2' }, { t: 'ended', why: 'left' }), []);
  assert.equal(p.at, 'queued');
  p.do(QUEUED, MATCHED, CONNECTED);
  assert.equal(p.at, 'connecting');
});

test('a broken call that the server does not take back is lost at once', () => {
  const refused = { t: 'error', of: 1, code: 'bad_value', text: '', about: 'rejoin' };
  let p = live();
  p.do('peer-reconnecting', 'offline', online, refused);
  assert.equal(p.at, 'ended lost');

  p = live();
  p.do('offline', online, refused);
  p.wait(1500);
  p.do('peer-reconnecting');
  assert.equal(p.at, 'ended lost', 'also when the silence shows only after the refusal');

  p = live();
  p.do('peer-reconnecting', 'peer-live', 'offline', online, refused);
  assert.equal(p.at, 'live');
  p.wait(60000);
  p.do('peer-reconnecting');
  assert.equal(p.at, 'reconnecting', 'another outage may pass');
});

test('without a microphone the peer is told so, until there is one again', () => {
  const p = live();
  assert.deepEqual(p.do('mic-lost'), ['mute true']);
  assert.deepEqual([p.at, p.state.alert, p.state.call.muted], ['live', 'mic', false]);
  assert.deepEqual(p.do('mic-live'), ['mute false']);
  assert.equal(p.state.alert, '');
  p.do('mute', 'mic-lost');
  assert.deepEqual(p.do('mic-live'), ['mute true'], 'who was mute before stays so');
});

test('whom only the server has lost one goes on talking to', () => {
  const lost = { t: 'ended', why: 'peer_lost' };
  let p = live();
  p.do({ t: 'peer', state: 'away' });
  assert.deepEqual(p.do(lost), []);
  assert.deepEqual([p.at, p.state.call.peerAway], ['live', false]);
  assert.deepEqual(p.do({ type: 'report', reason: 'hate' }), ['send report', 'send leave', 'hang-up', 'mic stop']);
  assert.equal(p.effects[0].frame.handle, 'H1');

  p = live();
  p.do(lost, 'peer-reconnecting');
  assert.deepEqual(p.do('peer-lost').slice(0, 2), ['send leave', 'hang-up']);
  assert.deepEqual([p.at, p.state.after.canReport], ['ended lost', true]);

  p = live();
  p.do('peer-reconnecting', lost);
  assert.equal(p.at, 'ended peer_lost', 'nothing arrives');
  p = live();
  p.do('peer-mismatch', lost);
  assert.equal(p.at, 'ended mismatch');
});

test('the peer is away and comes back', () => {
  const p = live();
  p.do({ t: 'peer', state: 'away' });
  assert.equal(p.state.call.peerAway, true);
  assert.deepEqual(p.do({ t: 'peer', state: 'back' }), ['resync']);
  assert.equal(p.state.call.peerAway, false);
});

test('connecting says why it takes long', () => {
  const p = connecting();
  p.wait(7999);
  assert.equal(p.at, 'connecting');
  p.wait(1);
  assert.equal(p.at, 'connecting relay');
  p.do('peer-relayed', 'tick');
  assert.equal(p.at, 'connecting peer');
  p.do('offline', 'tick');
  assert.equal(p.at, 'connecting network');
  p.do('peer-live');
  assert.equal(p.state.call.slow, '');
});

test('a call that never begins, and one that is lost', () => {
  let p = connecting();
  assert.deepEqual(p.do('peer-lost'), ['send leave', 'hang-up', 'mic stop', 'notify ended']);
  assert.deepEqual([p.at, p.state.after.talked], ['ended no_relay', 0]);
  p = connecting();
  assert.deepEqual(p.do('peer-failed'), ['send leave', 'hang-up', 'mic stop', 'notify ended']);
  assert.equal(p.at, 'ended lost', 'the relay is not to blame');
  p = live();
  p.do('peer-reconnecting');
  assert.equal(p.at, 'reconnecting');
  p.do('peer-live');
  assert.equal(p.at, 'live');
  p.do('peer-reconnecting', 'peer-lost');
  assert.equal(p.at, 'ended lost');
  assert.equal(p.state.after.canReport, true);
});

test('a mismatch turns red, mutes, and cannot be undone', () => {
  for (const event of ['peer-mismatch', { type: 'verified', ok: false }]) {
    const p = live();
    p.do({ type: 'peer-sas', sas: { symbols: [1, 2, 3, 4, 5], digits: '00000 00000' } });
    assert.deepEqual(p.do(event), ['mismatch']);
    assert.deepEqual([p.at, p.state.call.verified, p.state.call.muted], ['live mismatch', 'mismatch', true]);
    for (const e of ['mute', { type: 'verified', ok: true }, { type: 'chat', text: 'x' }, 'direct', 'peer-mismatch'])
      assert.deepEqual(p.do(e), []);
    assert.deepEqual([p.state.call.verified, p.state.call.muted], ['mismatch', true]);
    p.do('leave');
    assert.equal(p.at, 'ended mismatch');
  }
});

test('a mismatch before the first sound is what connecting says', () => {
  const p = connecting();
  p.do('peer-mismatch');
  assert.equal(p.at, 'connecting mismatch');
  p.wait(8000);
  assert.equal(p.at, 'connecting mismatch');
});

test('verified needs something to compare', () => {
  const p = live();
  p.do({ type: 'verified', ok: true });
  assert.equal(p.state.call.verified, 'unverified');
  p.do({ type: 'peer-sas', sas: { symbols: [1, 2, 3, 4, 5], digits: '' } }, { type: 'verified', ok: true });
  assert.equal(p.state.call.verified, 'verified');
});

test('mute, volume, text and direct', () => {
  const p = live();
  assert.deepEqual(p.do('mute'), ['mute true']);
  assert.deepEqual(p.do('mute'), ['mute false']);
  assert.deepEqual(p.do({ type: 'volume', value: 7 }), ['volume 1']);
  assert.deepEqual(p.do({ type: 'chat', text: '  ' }), []);
  p.do({ type: 'chat', text: ' hi ' });
  assert.deepEqual(p.do({ type: 'peer-text', text: 'yo' }), ['notify message']);
  assert.deepEqual(
    p.state.call.chat.map((l) => [l.mine, l.text]),
    [
      [true, 'hi'],
      [false, 'yo'],
    ],
  );
  for (let i = 0; i < 300; i++) p.do({ type: 'peer-text', text: 'x'.repeat(5000) });
  assert.deepEqual([p.state.call.chat.length, p.state.call.chat[0].text.length], [200, 2000]);
  assert.deepEqual(p.do('direct'), ['direct true']);
  p.do({ type: 'peer-direct', on: true });
  assert.deepEqual(p.state.call.direct, { mine: true, theirs: true });
});

test('a browser that plays only after a touch says so until then', () => {
  const p = live();
  p.do({ type: 'peer-tap', on: true }, 'tick');
  assert.equal(p.state.alert, 'tap');
  p.do({ type: 'peer-tap', on: false });
  assert.equal(p.state.alert, '');
});

test('an open report survives the end of the call, other panels do not', () => {
  for (const [name, after] of [
    ['report', 'report'],
    ['chat', ''],
    ['verify', ''],
  ]) {
    const p = live();
    p.do({ type: 'panel', name }, 'peer-reconnecting');
    assert.equal(p.state.panel, name);
    p.do({ t: 'ended', why: 'peer_left' });
    assert.equal(p.state.panel, after);
  }
});
