import assert from 'node:assert/strict';
import test from 'node:test';
import { LOCK_AFTER, OPEN_FOR } from './room-lock.js';
import { ours, peer, start, stateOf } from './room-state.js';
import { lockLeft, step } from './room-step.js';

const ice = { servers: [], ttl_ms: 60000 };
const joined = (more = {}) => ({
  ...{ t: 'joined', room: 'r', kind: 'channel', me: 'm', members: [], capacity: 8, knock: false, expires_ms: 0, ice },
  ...{ pass: 'p1', ...more },
});
const chosen = { kind: 'channel', make: false, words: [], channel: 7, password: 'pw', capacity: 8, knock: false };

/** A room that time and events go through; log has the effects since it was last read. */
class Room {
  now = 1000;
  log = [];
  constructor(state = start(1000)) {
    this.s = state;
  }
  on(type, more = {}) {
    const before = structuredClone(this.s);
    const old = this.s;
    const [next, effects] = step(this.s, { type, ...more }, this.now);
    assert.deepEqual(old, before, 'the old state is left alone');
    this.s = next;
    this.log.push(...effects);
    return this;
  }
  frame(t, more = {}) {
    return this.on('frame', { frame: { t, ...more } });
  }
  after(ms) {
    this.now += ms;
    return this.on('tick');
  }
  took(what = undefined) {
    const out = this.log.filter((e) => !what || e.do === what);
    this.log = [];
    return out.map((e) =>
      e.do === 'send' ? `send ${e.frame.t}` : [e.do, e.id ?? e.note?.kind].filter(Boolean).join(' '),
    );
  }
  phase = (id) => peer(this.s, id)?.phase;
}

const enter = (more = {}, frame = {}) =>
  new Room()
    .on('welcome', { resumed: false })
    .on('go', { ...chosen, ...more })
    .on('tag', { tag: 't' })
    .on('enter')
    .frame('joined', joined({ kind: more.kind ?? 'channel', ...frame }));
const inside = (...ids) => {
  const room = enter({}, { members: ids.map((id) => ({ id, away: false })) });
  for (const id of ids) room.on('paired', { id, back: false, guess: 0 }).on('live', { id });
  room.took();
  return room;
};

test('a link is made: from the form to the first word', () => {
  const room = new Room()
    .on('welcome', { resumed: false })
    .on('go', { ...chosen, kind: 'link', make: true, words: ['a'] });
  assert.deepEqual([stateOf(room.s), room.took()], ['mic', ['derive']]);
  room.on('enter');
  assert.deepEqual(room.took(), [], 'not before the keys are there');
  room.on('tag', { tag: 't' }).on('enter');
  assert.deepEqual([stateOf(room.s), room.took()], ['connecting', ['send make']], 'once');
  room.frame('joined', joined({ kind: 'link', knock: true, expires_ms: 5000 }));
  assert.deepEqual([stateOf(room.s), room.s.expires, room.s.make], ['queued', 6000, false]);
  assert.deepEqual(room.took(), ['room', 'ice', 'keep']);
  room.frame('member', { member: 'b', state: 'joined' });
  assert.deepEqual([room.took(), room.phase('b'), ours(room.s).length], [['pair b'], 'pairing', 0]);
  room.on('paired', { id: 'b', back: false, guess: 0 });
  assert.deepEqual([room.took(), stateOf(room.s), ours(room.s).length], [['notify'], 'queued', 1]);
  room.on('live', { id: 'b' });
  assert.deepEqual([room.took(), stateOf(room.s)], [['say state', 'keep'], 'live']);
  room.on('note', { id: 'b', note: { kind: 'text', text: 'hello' } }).on('text', { text: 'hi' });
  assert.deepEqual(
    room.s.chat.map(({ from, text }) => [from, text]),
    [
      [1, 'hello'],
      [0, 'hi'],
    ],
  );
  assert.equal(room.s.unread, 1);
});

test('what the door says ends it, and says why', () => {
  for (const why of ['full', 'burnt', 'unknown', 'turned_away', 'nobody_answered', 'other_tab', 'crowded', 'taken']) {
    const room = new Room()
      .on('go', chosen)
      .on('tag', { tag: 't' })
      .on('enter')
      .frame('knocking', { within_ms: 120000 });
    assert.equal(room.s.place, 'knocking');
    room.frame('shut', { why });
    assert.deepEqual([room.s.place, room.s.why, room.s.password], ['ended', why, '']);
    assert.deepEqual(room.took().slice(-2), ['close', 'forget']);
  }
});

test('a knock is seen and answered', () => {
  const room = enter({ kind: 'link' })
    .frame('knock', { member: 'k', state: 'here' })
    .frame('knock', { member: 'l', state: 'here' });
  assert.deepEqual(room.s.knocks, ['k', 'l']);
  room.took();
  room.on('admit', { member: 'k', yes: false }).frame('knock', { member: 'l', state: 'gone' });
  assert.deepEqual([room.s.knocks, room.took()], [[], ['send admit']]);
});

test('the channel locks ten minutes after it opened', () => {
  const room = inside('a');
  room.after(LOCK_AFTER - 1).frame('member', { member: 'b', state: 'joined' });
  assert.deepEqual([room.s.locked, room.phase('b'), room.took('pair')], [false, 'pairing', ['pair b']]);
  room.after(1).frame('member', { member: 'c', state: 'joined' });
  assert.deepEqual([room.s.locked, room.phase('c'), room.took('pair')], [true, 'held', []]);
  room.on('approach', { id: 'c' });
  assert.deepEqual([room.phase('c'), room.took('pair')], ['held', []], 'not even who begins by itself');
});

test('any member opens it for all for a minute', () => {
  const room = inside('a', 'b').after(LOCK_AFTER).frame('member', { member: 'c', state: 'joined' });
  room.took();
  room.on('allow');
  assert.deepEqual([room.s.locked, room.took()], [false, ['say allow', 'pair c']]);
  room.after(OPEN_FOR);
  assert.equal(room.s.locked, true);
  const word = { kind: 'allow', act: 'x'.repeat(22), left: 50000 };
  room.frame('member', { member: 'd', state: 'joined' }).on('note', { id: 'a', note: word });
  assert.deepEqual([room.s.locked, lockLeft(room.s, room.now), room.took('say')], [false, 50000, ['say allow']]);
  assert.equal(room.phase('d'), 'pairing');
  room.on('note', { id: 'b', note: word });
  assert.deepEqual(room.took('say'), [], 'the same act is passed on once');
});

test('who does not share our secret opens nothing', () => {
  const room = inside('a').after(LOCK_AFTER).frame('member', { member: 'c', state: 'joined' });
  room.on('note', { id: 'c', note: { kind: 'allow', act: 'x'.repeat(22), left: 50000 } });
  room.on('note', { id: 'c', note: { kind: 'text', text: 'spam' } });
  assert.deepEqual([room.s.locked, room.s.chat], [true, []]);
});

test('a newcomer is as old as the channel', () => {
  const room = inside('a').on('note', { id: 'a', note: { kind: 'opened', age: LOCK_AFTER - 5000 } });
  assert.equal(lockLeft(room.s, room.now), 5000);
  assert.equal(room.after(5000).s.locked, true);
  const greeted = inside('a').after(1000);
  greeted.took();
  greeted.on('live', { id: 'a' });
  assert.deepEqual(
    greeted.log.find((e) => e.note?.kind === 'opened'),
    { do: 'say', note: { kind: 'opened', age: 1000 }, except: '', to: 'a' },
  );
});

test('with another password nobody is met, and they are not shown', () => {
  const room = enter({}, { members: [{ id: 'a', away: false }] })
    .on('guess', { at: 1000 })
    .on('unpaired', { id: 'a' });
  assert.deepEqual([room.phase('a'), ours(room.s), stateOf(room.s)], ['other', [], 'queued']);
  const silent = enter({}, { members: [{ id: 'a', away: false }] }).after(9999);
  assert.equal(silent.phase('a'), 'pairing');
  assert.equal(silent.after(1).phase('a'), 'other', 'silence says the same');
  // A locked group that opens later, or one whose answer was slow.
  silent.on('paired', { id: 'a', back: false, guess: 0 });
  assert.deepEqual([silent.phase('a'), ours(silent.s).length], ['joined', 1]);
});

test('after five wrong guesses in a minute nobody is tried', () => {
  const room = inside('a');
  for (let i = 0; i < 5; i++) room.on('guess', { at: room.now + i });
  room.frame('member', { member: 'b', state: 'joined' });
  assert.deepEqual([room.phase('b'), room.took('pair')], ['held', []]);
  room.after(59999);
  assert.equal(room.phase('b'), 'held');
  room.after(1);
  assert.deepEqual([room.phase('b'), room.took('pair')], ['pairing', ['pair b']]);
  // A right one is no wrong one.
  const right = inside('a');
  for (let i = 0; i < 5; i++) right.on('guess', { at: right.now + i });
  right.frame('member', { member: 'b', state: 'joined' }).on('approach', { id: 'b' });
  assert.equal(right.phase('b'), 'held');
  right
    .frame('member', { member: 'c', state: 'joined' })
    .on('paired', { id: 'c', back: false, guess: right.now + 2 })
    .on('tick');
  assert.equal(right.phase('b'), 'pairing');
});

test('a group of eight takes no ninth, and says so to it', () => {
  const room = inside('a', 'b', 'c', 'd', 'e', 'f', 'g').frame('member', { member: 'i', state: 'joined' });
  room.took();
  room.on('paired', { id: 'i', back: false, guess: 0 });
  assert.deepEqual([room.phase('i'), room.took(), ours(room.s).length], ['other', ['turn-away i'], 7]);
  // Who is told so before anybody took them in has nothing to wait for; who is with somebody stays.
  const ninth = enter({}, { members: ['a', 'b'].map((id) => ({ id, away: false })) });
  ninth.on('paired', { id: 'a', back: false, guess: 0 }).took();
  ninth.on('told-full', { id: 'a' });
  assert.deepEqual([ninth.s.place, ninth.s.why, ninth.took()], ['ended', 'full', ['send leave', 'close', 'forget']]);
  const torn = inside('a', 'b').on('told-full', { id: 'b' });
  assert.deepEqual([torn.s.full, torn.phase('a'), torn.phase('b'), torn.took()], [true, 'live', 'other', ['drop b']]);
  assert.equal(inside('a').on('told-full', { id: 'nobody' }).s.full, false);
  // One goes, and there is room again.
  room.frame('member', { member: 'a', state: 'left' }).on('paired', { id: 'i', back: false, guess: 0 });
  assert.equal(room.phase('i'), 'joined');
});

test('a member whose line or page is gone comes back', () => {
  const room = inside('a').frame('member', { member: 'a', state: 'away' });
  assert.deepEqual([room.phase('a'), stateOf(room.s), ours(room.s).length], ['away', 'reconnecting', 1]);
  room.frame('member', { member: 'a', state: 'back' });
  assert.deepEqual([room.phase('a'), room.took()], ['joined', ['again a']]);
  room.on('live', { id: 'a' }).frame('member', { member: 'a', state: 'lost' });
  assert.deepEqual([room.s.peers, room.took('drop')], [[], ['drop a']]);
  // Somebody we had not heard of, after mail was lost.
  room.frame('member', { member: 'z', state: 'back' });
  assert.deepEqual(room.took(), ['pair z']);
});

test('a reloaded page comes back into a locked channel with its ticket, a thief of its name does not', () => {
  const room = inside('a')
    .after(LOCK_AFTER)
    .frame('member', { member: 'a', state: 'away' })
    .frame('member', { member: 'a', state: 'back' });
  room.took();
  room.on('approach', { id: 'a' });
  assert.deepEqual(room.took(), ['pair a']);
  room.on('paired', { id: 'a', back: true, guess: 0 });
  assert.equal(room.phase('a'), 'joined');
  room.on('approach', { id: 'a' }).on('paired', { id: 'a', back: false, guess: 0 });
  assert.deepEqual([room.phase('a'), ours(room.s)], ['held', []]);
  assert.deepEqual(room.took('drop'), ['drop a']);
});

test('a room that the server names again opens no locked door, and who is named is there', () => {
  const room = inside('a').after(LOCK_AFTER).frame('member', { member: 'c', state: 'joined' });
  room.frame('member', { member: 'a', state: 'away' }).took();
  const members = ['a', 'c'].map((id) => ({ id, away: false }));
  room.frame('joined', joined({ members }));
  assert.deepEqual(
    [room.phase('c'), room.phase('a'), room.took()],
    ['held', 'joined', ['room', 'ice', 'keep', 'again a']],
  );
  room.frame('joined', joined({ members: members.map(({ id }) => ({ id, away: true })) }));
  assert.deepEqual(room.took(), ['room', 'ice', 'keep'], 'nobody is asked who is away');
});

test('this page comes back: by its pass, and those whose tickets it has are known', () => {
  const state = {
    ...start(1000),
    again: true,
    kind: 'channel',
    channel: 7,
    password: 'pw',
    tag: 't',
    place: 'preview',
  };
  state.own = { ...state.own, pass: 'old', tickets: { a: 'x' } };
  state.lock = { openedAt: 1000 - LOCK_AFTER, openUntil: 0, acts: [] };
  const room = new Room(state).on('enter');
  assert.deepEqual(room.took(), ['send rejoin']);
  room.frame(
    'joined',
    joined({
      members: [
        { id: 'a', away: false },
        { id: 'b', away: false },
      ],
    }),
  );
  assert.deepEqual([room.s.locked, room.phase('a'), room.phase('b')], [true, 'pairing', 'held']);
  // A pass that is none any more.
  const late = new Room(state).on('enter').frame('error', { code: 'bad_value', about: 'rejoin', of: 1 });
  late.took();
  assert.deepEqual([late.after(2500).took(), late.s.own.pass], [['send enter'], '']);
});

test('the server forgot us, moved the room, or took it away', () => {
  const room = inside('a').on('offline').on('welcome', { resumed: false });
  assert.deepEqual([room.took(), stateOf(room.s)], [['send rejoin'], 'live'], 'those who talk go on talking');
  room.frame(
    'joined',
    joined({
      members: [
        { id: 'a', away: false },
        { id: 'b', away: false },
      ],
      pass: 'p2',
    }),
  );
  assert.deepEqual(room.took(), ['room', 'ice', 'keep', 'again a', 'pair b']);
  assert.equal(room.s.own.pass, 'p2');
  room.frame('joined', joined({ members: [{ id: 'b', away: false }] }));
  assert.deepEqual([room.phase('a'), ours(room.s).length], ['away', 1], 'who is not listed has time to come back');
  room.frame('ended', { why: 'over' });
  assert.deepEqual([room.s.why, stateOf(room.s), room.s.peers], ['over', 'ended', []]);
  for (const [how, why] of Object.entries({ stop: 'replaced', show: 'hello', reload: 'version' }))
    assert.equal(inside('a').on('closed', { how }).s.why, why);
});

test('a store that is away is asked again, a refusal is said', () => {
  const room = new Room().on('go', chosen).on('tag', { tag: 't' }).on('enter');
  room.frame('error', { code: 'unavailable', about: 'enter', of: 1 });
  room.took();
  assert.deepEqual([room.s.place, room.after(2499).took(), room.after(1).took()], ['entering', [], ['send enter']]);
  room.frame('error', { code: 'too_many', about: 'enter', of: 2 });
  assert.deepEqual([room.s.place, room.s.why], ['ended', 'too_many']);
  assert.equal(inside('a').frame('error', { code: 'no_member', about: 'admit', of: 3 }).s.place, 'inside');
});

test('camera and microphone are asked for one at a time, and each may be refused', () => {
  const room = new Room().on('go', chosen);
  room.took();
  room.on('device', { kind: 'camera', on: true });
  assert.deepEqual(
    [room.s.media.camera.phase, room.s.media.mic.phase, room.took('media').length],
    ['asking', 'off', 1],
  );
  room.on('media', { kind: 'camera', on: false, error: 'denied', device: '' });
  assert.deepEqual([room.s.media.camera.phase, room.s.media.camera.error], ['off', 'denied']);
  room.on('device', { kind: 'mic', on: true }).on('media', { kind: 'mic', on: true, error: '', device: 'd' });
  assert.deepEqual([room.s.media.mic.phase, room.s.media.mic.device], ['on', 'd']);
  const muted = room
    .on('mute')
    .log.filter((e) => e.note?.kind === 'state')
    .at(-1);
  assert.deepEqual([room.s.media.muted, muted.note], [true, { kind: 'state', mic: false, camera: false }]);
  room.on('tag', { tag: 't' }).on('enter');
  assert.equal(room.s.place, 'entering', 'with neither of them too');
});

test('leaving says goodbye and keeps nothing', () => {
  const room = inside('a').on('text', { text: 'secret' });
  room.took();
  room.on('leave');
  assert.deepEqual(room.took(), ['say bye', 'send leave', 'close', 'forget']);
  assert.ok(!/pw|secret/.test(JSON.stringify(room.s)), 'neither password nor text');
  const byed = inside('a').on('note', { id: 'a', note: { kind: 'bye' } });
  assert.deepEqual([byed.s.peers, byed.took()], [[], ['drop a']]);
});
