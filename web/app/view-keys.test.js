import assert from 'node:assert/strict';
import test from 'node:test';

class Element {}
class Input extends Element {
  type = 'text';
}
const page = Object.assign(new EventTarget(), {});
Object.assign(globalThis, {
  document: page,
  HTMLElement: Element,
  HTMLInputElement: Input,
  HTMLTextAreaElement: Input,
  HTMLSelectElement: Input,
});
const { keyboard } = await import('./view-access.js');

/** @type {any} */
let state;
/** @type {string[]} */
let sent = [];
const keys = keyboard({
  dispatch: (action) => sent.push(action.name === undefined ? action.type : `${action.type} ${action.name}`.trim()),
  state: () => state,
  hint: (key) => sent.push(key),
});

/** @param {string} key @param {any} [over] @returns {string[]} what it did */
function press(key, { target = new Element(), at = 0, ...over } = {}) {
  sent = [];
  const event = new Event('keydown', { cancelable: true });
  for (const [name, value] of Object.entries({ key, target, timeStamp: at, ...over }))
    Object.defineProperty(event, name, { value });
  page.dispatchEvent(event);
  return sent;
}

test('the keys of a call', () => {
  state = { screen: 'live', panel: '' };
  const table = {
    m: 'mute',
    M: 'mute',
    n: 'next',
    r: 'panel report',
    v: 'panel verify',
    c: 'panel chat',
    '?': 'panel keys',
  };
  for (const [key, does] of Object.entries(table)) assert.deepEqual(press(key), [does], key);
  state = { screen: 'reconnecting', panel: 'report' };
  assert.deepEqual([...press('m'), ...press('r')], ['mute', 'panel'], 'an open panel closes by its key');
});

test('no key acts elsewhere, with a modifier, while typing, or when switched off', () => {
  state = { screen: 'home', panel: '' };
  assert.deepEqual([...press('m'), ...press('n'), ...press('Escape')], []);
  state = { screen: 'live', panel: '' };
  assert.deepEqual(
    [...press('n', { ctrlKey: true }), ...press('n', { metaKey: true }), ...press('n', { repeat: true })],
    [],
  );
  assert.deepEqual(press('n', { target: new Input() }), []);
  keys.use(false);
  assert.deepEqual(press('n'), []);
  keys.use(true);
  state = { screen: 'ended', panel: '' };
  assert.deepEqual([...press('r'), ...press('n')], ['panel report']);
});

test('Esc closes the panel; twice within two seconds it leads out', () => {
  state = { screen: 'live', panel: 'chat' };
  assert.deepEqual(press('Escape', { at: 1000, target: new Input() }), ['panel']);
  state = { screen: 'live', panel: '' };
  assert.deepEqual(press('Escape', { at: 1500 }), ['keys.again.next'], 'closing a panel does not count');
  assert.deepEqual(press('Escape', { at: 3000 }), ['next']);
  assert.deepEqual(press('Escape', { at: 3100 }), ['keys.again.next'], 'a third one begins anew');
  assert.deepEqual(press('Escape', { at: 5200 }), ['keys.again.next'], 'too late');
  state = { screen: 'queued', panel: '' };
  assert.deepEqual(
    [...press('Escape', { at: 9000 }), ...press('Escape', { at: 9100 })],
    ['keys.again.cancel', 'cancel'],
  );
});
