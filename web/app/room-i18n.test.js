import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { start } from './room-state.js';
import { sayRoom } from './room-view.js';
import { phraseWords } from './room-view-forms.js';
import { hintsOf } from './room-view-inside.js';
import { speak, translated } from './view-parts.js';

const here = new URL('./', import.meta.url);
const read = (name) => readFileSync(new URL(name, here), 'utf8');
const both = (tag) => ({ ...JSON.parse(read(`lang/${tag}.json`)), ...JSON.parse(read(`lang/room.${tag}.json`)) });
const own = Object.keys(JSON.parse(read('lang/room.en.json')));
const t = speak(both('en'), 'en');

const code = readdirSync(here)
  .filter((name) => /^room-view.*\.js$/.test(name) && !name.endsWith('.test.js'))
  .map(read)
  .join('\n');
const literals = new Set([...code.matchAll(/'([a-z_]+\.[\w.]+)'/g)].map((m) => m[1]));
const templates = [...code.matchAll(/`((?:[\w.]|\$\{[^}]*\})+)`/g)]
  .filter((m) => m[1].includes('${') && m[1].includes('.'))
  .map((m) => new RegExp(`^${m[1].replaceAll('.', '\\.').replaceAll(/\$\{[^}]*\}/g, '[\\w.]+')}$`));
const bare = (key) => key.replace(/\.(one|other)$/, '');

test('every language that the page has also has the words of a room', () => {
  for (const tag of translated) assert.deepEqual(Object.keys(JSON.parse(read(`lang/room.${tag}.json`))), own, tag);
});

test('no words are left over, and none are missing', () => {
  assert.ok(literals.size > 60 && templates.length > 10, `${literals.size} ${templates.length}`);
  const used = (key) =>
    literals.has(key) || literals.has(bare(key)) || templates.some((p) => p.test(key) || p.test(bare(key)));
  assert.deepEqual(
    own.filter((key) => !used(key)),
    [],
  );
  const families = new Set(own.map((key) => key.split('.')[0]));
  for (const key of literals) if (families.has(key.split('.')[0])) assert.ok(t.has(key) || t.has(`${key}.other`), key);
});

test('every code of the engine has words', () => {
  const codes = {
    'phrase.': 'empty few many long near wrong',
    'channel.fault.': 'empty digits whole range',
    'password.fault.': 'empty long control',
    'strength.': 'weak fair strong',
    'weak.': 'short common repeated sequence keyboard digits date channel word',
    'device.fail.': 'denied blocked dismissed none busy insecure webview',
    'permission.': 'granted denied prompt unknown',
    'peer.': 'here held pairing joined live away relayed direct',
    'hint.line.': 'near over',
    'ended.':
      'left over expired full burnt unknown turned_away nobody_answered other_tab crowded taken replaced hello version unavailable too_many bad_state bad_value',
  };
  for (const [family, names] of Object.entries(codes))
    for (const name of names.split(' ')) {
      assert.ok(t.has(family + name), family + name);
      if (family === 'ended.') assert.ok(t.has(`${family}${name}.why`), name);
    }
});

test('the wrong word is named in the sentence', () => {
  const wrong = [
    { at: 2, word: 'zooom', near: ['zoom', 'zone'] },
    { at: 5, word: 'qqq', near: [] },
  ];
  assert.equal(
    phraseWords({ words: [], why: 'unknown', wrong }, t),
    'Word 2, “zooom”, is not in the list. Did they mean zoom or zone? Word 5, “qqq”, is not in the list.',
  );
  assert.match(phraseWords({ words: ['a', 'b'], why: 'few', wrong: [] }, t), /Only 2 words/);
  assert.equal(phraseWords({ words: [], why: '', wrong: [] }, t), '');
});

test('what changes is said aloud, once', () => {
  const before = { ...start(0), kind: 'channel', place: 'inside' };
  const live = { id: 'a', number: 3, phase: 'live', known: true };
  assert.equal(sayRoom(before, before, t), '');
  assert.match(sayRoom(before, { ...before, peers: [live] }, t), /Guest 3 is connected/);
  assert.match(sayRoom({ ...before, peers: [live] }, before, t), /Guest 3 is gone/);
  assert.match(sayRoom(before, { ...before, locked: true }, t), /is locked/);
  assert.match(sayRoom(before, { ...before, knocks: ['k'] }, t), /knocks/);
  const lines = [
    { from: 0, text: 'mine', at: 0 },
    { from: 3, text: 'theirs', at: 0 },
  ];
  assert.equal(sayRoom(before, { ...before, chat: lines }, t), 'Guest 3: theirs');
  assert.match(sayRoom(before, { ...before, place: 'ended', why: 'burnt' }, t), /burnt/);
});

test('who is not met is spoken of, with a reason', () => {
  const one = (phase) => ({ ...start(0), place: 'inside', peers: [{ id: 'a', number: 1, phase, known: false }] });
  assert.deepEqual(hintsOf({ ...one('other'), kind: 'link', online: true }, 0), ['hint.strangers']);
  assert.deepEqual(hintsOf({ ...one('other'), kind: 'channel', online: true }, 0), ['hint.others']);
  assert.deepEqual(hintsOf({ ...one('pairing'), kind: 'link', online: true }, 0), []);
  assert.deepEqual(hintsOf({ ...one('held'), kind: 'channel', locked: true, online: true }, 0), ['hint.held']);
  const guessed = { ...one('held'), kind: 'channel', online: true };
  guessed.own = { ...guessed.own, guesses: [1000, 1001, 1002, 1003, 1004] };
  assert.deepEqual(hintsOf(guessed, 60999), ['hint.guesses']);
  assert.deepEqual(hintsOf(guessed, 61000), []);
});
