import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { emoji } from './view-panels.js';
import { nearest, speak } from './view-parts.js';

const here = new URL('./', import.meta.url);
const read = (/** @type {string} */ name) => readFileSync(new URL(name, here), 'utf8');
const words = JSON.parse(read('lang/en.json'));
const keys = Object.keys(words);
const t = speak(words, 'en');
const catalogue = JSON.parse(read('../../matcher/catalogue.json'));

// A key is a string that begins like one; a template is a key with anything in its gaps.
const sources = readdirSync(here).filter(
  (name) => /^(view.*|alerts|i18n)\.js$/.test(name) && !name.endsWith('.test.js'),
);
const code = sources.map(read).join('\n');
const families = [...new Set(keys.map((key) => key.split('.')[0]))].join('|');
const alone = keys.filter((key) => !key.includes('.')).join('|');
const literals = new Set(
  [...code.matchAll(new RegExp(`'((?:${families})\\.[\\w.]+)'|t\\('(${alone})'\\)`, 'g'))].map((m) => m[1] ?? m[2]),
);
const templates = [...code.matchAll(new RegExp(`\`((?:${families})\\.[^\`]*)\``, 'g'))].map(
  (m) => new RegExp(`^${m[1].replaceAll('.', '\\.').replaceAll(/\$\{[^}]*\}/g, '[^.]+')}$`),
);
const forms = (/** @type {string} */ key) => key.replace(/\.(zero|one|two|few|many|other)$/, '');

test('every key that the page uses has words', () => {
  assert.ok(literals.size > 150 && templates.length > 10, 'the scan finds the keys');
  for (const key of literals) assert.ok(key in words || `${key}.other` in words, key);
  for (const pattern of templates)
    assert.ok(
      keys.some((key) => pattern.test(key)),
      String(pattern),
    );
});

test('no words are left over', () => {
  const known = keys.filter(
    (key) => literals.has(key) || literals.has(forms(key)) || templates.some((p) => p.test(key)),
  );
  assert.deepEqual(
    keys.filter((key) => !known.includes(key)),
    [],
  );
});

test('every code of the engine has words', () => {
  const codes = {
    'mic.fail.': 'denied blocked dismissed none busy insecure webview silent',
    'mic.': 'explain asking pending test',
    'slow.': 'relay peer network',
    'ended.': 'left peer_left peer_lost lost mismatch reported no_relay expired late',
    'blocked.': 'replaced version hello unsupported error',
    'report.': 'sexual hate threat minor spam other',
    'reason.': 'sexual hate threat minor spam other',
    'ended.report.': 'sending retrying counted counted_before lost',
    'standing.': 'clear watch restricted cooldown',
    'review.': 'open expunged kept unknown bad_state bad_value',
    'alert.':
      'bad_handle bad_proof device mic report_counted report_counted_before report_lost tap too_many too_many.wait unavailable unknown',
  };
  for (const [family, names] of Object.entries(codes))
    for (const name of names.split(' ')) assert.ok(t.has(family + name), family + name);
  for (const key of keys.filter((key) => /^(ended|blocked|mic\.fail)\.\w+\.why$/.test(key)))
    assert.ok(t.has(key.replace('.why', '')), key);
});

test('every interest of the catalogue has a name', () => {
  const named = keys.filter((key) => key.startsWith('interest.')).map((key) => key.slice('interest.'.length));
  assert.deepEqual(named.toSorted(), catalogue.interests.toSorted());
});

test('the 64 symbols are distinct and each has a name of its own', () => {
  const names = words.sas.split(', ');
  assert.deepEqual([new Set(emoji).size, new Set(names).size, names.length], [64, 64, 64]);
  for (const symbol of emoji) assert.match(symbol, /^\p{Emoji_Presentation}$/u, 'drawn in colour without a selector');
});

test('the words promise nothing that we cannot keep', () => {
  for (const [key, sentence] of Object.entries(words)) {
    assert.doesNotMatch(sentence, /zero.knowledge|anonym|unbreakable|untrace|100 ?%|impossible/i, key);
    assert.doesNotMatch(sentence, /[<>]|—/, key);
  }
});

test('a sentence takes its parameters and its plural', () => {
  const say = speak({ a: 'hello {name}', 'n.one': '{n} person', 'n.other': '{n} people', only: '{n} in all' }, 'en');
  assert.equal(say('a', { name: 'Ana' }), 'hello Ana');
  assert.deepEqual(
    [say('n', { n: 1 }), say('n', { n: 5 }), say('only', { n: 2 })],
    ['1 person', '5 people', '2 in all'],
  );
  assert.equal(say('missing'), 'missing');
  const polish = speak({ 'n.few': 'kilka', 'n.other': 'inne' }, 'pl');
  assert.deepEqual([polish('n', { n: 3 }), polish('n', { n: 5 })], ['kilka', 'inne']);
});

test('time is said and shown', () => {
  assert.deepEqual([t.clock(0), t.clock(62_900), t.clock(3_723_000), t.clock(-5)], ['0:00', '1:02', '1:02:03', '0:00']);
  assert.deepEqual([t.seconds(1000), t.seconds(11_200), t.seconds(120_000)], ['1 second', '12 seconds', '2 minutes']);
  assert.equal(t.list(['music', 'books'], true), 'music or books');
  assert.match(t.when(Date.UTC(2026, 10, 21, 12)), /Saturday, November 21.*\d:\d\d/);
});

test('the direction and the file follow the language', () => {
  assert.deepEqual([speak({}, 'ar').dir, speak({}, 'de').dir], ['rtl', 'ltr']);
  assert.deepEqual([nearest('en-GB'), nearest('tlh')], ['en', 'en']);
});
