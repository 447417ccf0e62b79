import assert from 'node:assert/strict';
import test from 'node:test';
import { start } from './app.js';
import { choices, live, MATCHED, on, online, Page, QUEUED, queued } from './app-page.test.js';
import { storedWords } from './view-standing.js';

const STANDING = {
  t: 'standing',
  band: 'restricted',
  until_ms: 0,
  reasons: ['hate'],
  expires_ms: 5000,
  records: true,
  stored: ['own'],
};
const refusal = (about, code) => ({ t: 'error', of: 1, code, text: '', about });
const PUZZLE = { t: 'puzzle', of: 3, challenge: 'C', bits: 16, within_ms: 120000 };
const HELD = { t: 'held', of: 3, until_ms: 60000, reasons: ['hate', 'spam'] };
const home = () => on(new Page(), online);
/** asked is a page that searches and was sent a puzzle. */
const puzzled = () => {
  const p = on(home(), 'find', 'mic-ask', 'mic-live', 'mic-ok');
  p.do(PUZZLE);
  return p;
};

test('the age ticket is kept', () => {
  const p = new Page();
  assert.deepEqual(p.do({ type: 'welcome', resumed: false, age: 'day.mac' }), ['age']);
  assert.equal(p.effects[0].ticket, 'day.mac');
  assert.deepEqual(p.do({ type: 'welcome', resumed: true, age: '' }), []);
});

test('who looks at the standing is told it, with the times of this clock', () => {
  for (const name of ['standing', 'device']) {
    const p = home();
    assert.deepEqual(p.do({ type: 'panel', name }), ['send standing']);
    assert.equal(p.state.device.asking, 'standing');
    assert.deepEqual(p.do({ type: 'panel', name }), [], 'once');
    p.do(STANDING);
    assert.deepEqual(p.state.device.standing, {
      ...{ band: 'restricted', until: 0, reasons: ['hate'], expires: p.now + 5000, stored: ['own'] },
    });
    assert.equal(p.state.device.asking, '');
  }
  assert.deepEqual(live().do({ type: 'panel', name: 'standing' }), ['send standing'], 'in a call too');
});

test('a question that the server cannot answer is asked again, another refusal is said', () => {
  const p = on(home(), { type: 'panel', name: 'standing' }, refusal('standing', 'unavailable'));
  assert.deepEqual([p.state.device.asking, p.state.device.trouble], ['standing', 'unavailable']);
  assert.deepEqual(p.wait(2500), ['send standing']);
  p.do('offline');
  assert.deepEqual(p.do(online), ['send standing'], 'also to a server that knows nothing');
  p.do(refusal('standing', 'too_many'));
  assert.deepEqual([p.state.device.asking, p.state.device.trouble], ['', 'too_many']);
  assert.deepEqual(p.wait(60000), []);
  assert.deepEqual(p.do('standing'), ['send standing']);
  p.do(STANDING);
  assert.equal(p.state.device.trouble, '');
});

test('erasing is said twice, and then the browser forgets too', () => {
  const p = on(home(), { type: 'panel', name: 'device' }, STANDING);
  assert.deepEqual(p.do('erase-ask'), []);
  assert.equal(p.state.device.sure, true);
  p.do('erase-not');
  assert.equal(p.state.device.sure, false);
  p.do('erase-ask', { type: 'panel', name: '' }, { type: 'panel', name: 'device' });
  assert.equal(p.state.device.sure, false, 'a panel opens unsure');
  p.do(STANDING, 'erase-ask');
  assert.deepEqual(p.do('erase'), ['send erase']);
  assert.deepEqual(p.do('erase'), [], 'once');
  p.do(refusal('erase', 'unavailable'));
  assert.deepEqual(p.wait(2500), ['send erase'], 'until it is done');
  assert.deepEqual(p.do({ t: 'erased' }), ['forget']);
});

test('after erasing the page says what stayed', () => {
  const left = { ...STANDING, band: 'watch', stored: ['alike', 'gave_up'] };
  const p = on(home(), { type: 'panel', name: 'device' }, left);
  const { standing } = p.state.device;
  assert.deepEqual(standing?.stored, ['alike', 'gave_up']);
  assert.deepEqual(storedWords(standing), ['alike', 'gave_up', 'end']);
  assert.deepEqual(storedWords({ ...standing, stored: ['own', 'alike'] }), ['some', 'alike', 'end']);
  assert.deepEqual(storedWords({ ...standing, stored: ['own'], reasons: [] }), ['other', 'end']);
  assert.deepEqual(storedWords({ ...standing, stored: [] }), ['none']);
});

test('a review: the code is kept, and the answer asked for with it', () => {
  let p = on(home(), { type: 'panel', name: 'standing' }, STANDING);
  assert.deepEqual(p.do('review'), ['send review']);
  assert.deepEqual(p.do({ t: 'review', code: 'six words' }), ['review']);
  assert.equal(p.effects[0].code, 'six words');
  assert.deepEqual([p.state.device.code, p.state.device.answer], ['six words', 'open']);
  p.do({ type: 'answer', code: 'six words' });
  assert.deepEqual(p.effects[0].frame, { t: 'answer', code: 'six words' });
  p.do({ t: 'answer', state: 'kept' });
  assert.equal(p.state.device.answer, 'kept');
  p.do({ type: 'answer', code: 'six words' });
  assert.deepEqual(p.do({ t: 'answer', state: 'expunged' }), ['send standing'], 'it stands otherwise now');

  p = on(home(), { type: 'panel', name: 'standing' }, STANDING, 'review', refusal('review', 'bad_state'));
  assert.deepEqual([p.state.device.asking, p.state.device.trouble], ['', 'bad_state']);
  assert.deepEqual(p.do({ type: 'answer', code: '  ' }), [], 'nothing typed');
  assert.deepEqual(p.do({ t: 'answer', state: 'kept' }), [], 'not asked for');
  assert.equal(p.state.device.answer, '');
});

test('a code of an earlier visit is known', () => {
  assert.equal(start(choices, true, 'six words').device.code, 'six words');
});

test('in cooldown there is no search, but a screen that says until when', () => {
  const p = on(home(), 'find', 'mic-ask', 'mic-live', 'mic-ok');
  assert.deepEqual(p.do(HELD), ['mic stop']);
  assert.equal(p.at, 'held');
  assert.deepEqual(p.state.held, { until: p.now + 60000, reasons: ['hate', 'spam'] });
  assert.deepEqual(p.wait(60000), [], 'it does not go on by itself');
  assert.deepEqual(p.do('find').at(-2), 'find', 'over: search again');
  assert.equal(p.at, 'queued');
  const q = on(home(), 'find', 'mic-ask', 'mic-live', 'mic-ok', HELD);
  assert.deepEqual(q.do('review'), ['send review']);
  q.do('home');
  assert.equal(q.at, 'home');
});

test('who waits long hears why, who does not wait hears nothing', () => {
  const p = queued();
  assert.deepEqual(p.wait(59000), []);
  assert.deepEqual(p.wait(1000), ['send standing']);
  p.do(STANDING);
  assert.deepEqual(p.wait(600), [], 'once');
  assert.equal(p.state.queue.asked, true);
  const q = queued();
  q.do(MATCHED);
  assert.deepEqual(q.wait(60000), [], 'a match came');
});

test('a puzzle is solved, and the same search sent with the proof', () => {
  const p = puzzled();
  assert.deepEqual(p.effects, [{ do: 'puzzle', challenge: 'C', bits: 16, within: 120000 }]);
  assert.equal(p.at, 'queued puzzle');
  p.do({ type: 'puzzle-pace', ms: 9000 });
  assert.deepEqual(p.state.queue.puzzle, { since: p.now, takes: 9000 });
  p.do({ type: 'puzzle-solved', proof: 'C.1' });
  assert.deepEqual(p.effects, [{ do: 'find', place: '', proof: 'C.1' }]);
  assert.equal(p.at, 'queued');
  p.do(QUEUED);
  assert.equal(p.state.own.place, 'P1');
});

test('a puzzle is left when nobody waits for it', () => {
  for (const [event, did] of [
    ['cancel', ['puzzle-stop', 'send cancel', 'mic stop']],
    ['home', ['puzzle-stop', 'send cancel', 'mic stop']],
    ['widen', ['save', 'puzzle-stop', 'send cancel']],
    [{ type: 'mic-failed', error: 'busy' }, ['puzzle-stop', 'send cancel']],
    [QUEUED, ['puzzle-stop']],
    [HELD, ['puzzle-stop', 'mic stop']],
    [online, ['puzzle-stop', 'find']],
  ]) {
    const p = puzzled();
    assert.deepEqual(p.do(event), did);
    assert.equal(p.state.queue.puzzle, null);
    assert.deepEqual(p.do({ type: 'puzzle-solved', proof: 'C.1' }), [], 'an answer too late');
  }
  const p = home();
  assert.deepEqual(p.do(PUZZLE), [], 'not searching');
});

test('a puzzle that is too late or refused is replaced, not for ever', () => {
  const p = puzzled();
  assert.deepEqual(p.do({ type: 'puzzle-late' }), ['puzzle-stop', 'find']);
  for (let i = 0; i < 4; i++) {
    p.do(PUZZLE, { type: 'puzzle-solved', proof: 'C.1' });
    assert.deepEqual(p.do(refusal('find', 'bad_proof')), [], 'another one follows');
    assert.equal(p.at, 'queued');
  }
  p.do(PUZZLE, { type: 'puzzle-solved', proof: 'C.1' }, refusal('find', 'bad_proof'));
  assert.deepEqual([p.at, p.state.alert], ['home bad_proof', 'bad_proof']);
  const q = puzzled();
  assert.deepEqual(q.do({ type: 'puzzle-failed' }), ['puzzle-stop', 'send cancel', 'mic stop']);
  assert.deepEqual([q.at, q.state.alert], ['home bad_proof', 'bad_proof']);
});

/** fresh is a newcomer at the microphone. */
const fresh = () => on(new Page(start(choices, false, '', true)), online, 'find');

test('a newcomer does the work while the microphone is tested', () => {
  const p = new Page(start(choices, false, '', true));
  p.do(online);
  assert.deepEqual(p.do('find'), ['save', 'ask-work']);
  assert.deepEqual(p.do(PUZZLE), ['puzzle']);
  assert.equal(p.at, 'mic', 'nobody sees it');
  assert.deepEqual(p.do({ type: 'puzzle-solved', proof: 'C.1' }), []);
  assert.deepEqual(p.do('mic-ask', 'mic-live', 'mic-ok'), ['save', 'find', 'prepare']);
  assert.equal(p.effects[1].proof, 'C.1');
  p.do(QUEUED, 'cancel');
  assert.deepEqual(p.do('find'), ['save', 'mic ask', 'find', 'prepare']);
  assert.equal(p.effects[2].proof, '', 'once');
  assert.deepEqual(on(new Page(), online).do('find'), ['save'], 'who has been here is not asked for it');
});

test('who is faster than the work sees it, and a proof that is too old is not sent', () => {
  let p = fresh();
  p.do(PUZZLE, 'mic-ask', 'mic-live');
  assert.deepEqual(p.do('mic-ok'), ['save', 'prepare']);
  assert.equal(p.at, 'queued puzzle');
  assert.deepEqual(p.do({ type: 'puzzle-solved', proof: 'C.1' }), ['find']);
  assert.equal(p.effects[0].proof, 'C.1');
  p = fresh();
  p.do(PUZZLE, { type: 'puzzle-solved', proof: 'C.1' }, 'mic-ask', 'mic-live');
  p.wait(116000);
  p.do('mic-ok');
  assert.equal(p.effects[1].proof, '');
  p = fresh();
  p.do('mic-ask', 'mic-live');
  assert.deepEqual(p.do('mic-ok'), ['save', 'find', 'prepare'], 'no answer yet');
  assert.deepEqual(p.do(PUZZLE), ['puzzle']);
  assert.deepEqual(p.do(PUZZLE), ['puzzle'], 'the last one counts');
});

test('work ahead is left with the screen and with the session', () => {
  let p = fresh();
  p.do(PUZZLE);
  assert.deepEqual(p.do('home'), ['puzzle-stop', 'mic stop']);
  assert.deepEqual(p.do({ type: 'puzzle-solved', proof: 'C.1' }), []);
  assert.deepEqual(p.do('find'), ['save', 'ask-work']);
  p.do(PUZZLE);
  assert.deepEqual(p.do(online), ['puzzle-stop']);
  p = fresh();
  assert.deepEqual(p.do(QUEUED), ['send cancel'], 'a server that wants no work');
  p = fresh();
  p.do(PUZZLE);
  assert.deepEqual(p.do({ type: 'puzzle-late' }), ['puzzle-stop']);
  p.do('mic-ask', 'mic-live', 'mic-ok');
  assert.equal(p.effects[1].proof, '');
});
