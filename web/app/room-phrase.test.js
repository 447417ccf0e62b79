import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { choose, fragment, parse, unpack } from './room-phrase.js';

const packed = JSON.parse(readFileSync(new URL('vendor/words.json', import.meta.url), 'utf8')).words;
const list = unpack(packed);
const SPOKEN = 'abacus zoom yo-yo t-shirt down felt-tip drop-down';
const SEVEN = SPOKEN.split(' ');

test('the list is the large one of the EFF, word for word', () => {
  const text = `${list.words.join('\n')}\n`;
  assert.equal(
    createHash('sha256').update(text).digest('hex'),
    '6d557f0693958fb5e650b68b5bee585eb82cf4da32965505c789e924743bc522',
  );
  assert.throws(() => unpack(packed.replace('0abacus', '')), /damaged/);
  assert.throws(() => unpack(packed.replace('0abacus', '0zoom')), /damaged/);
});

test('phrases are drawn evenly, and draws that favour words are thrown away', () => {
  // 8 * 7776 = 62208: from there on the first words would come once more than the others.
  const draws = [62208, 65535, 62207, 0, 7776, 7775, 1, 2, 3, 4, 5, 6, 7, 8].values();
  const chosen = choose(list, (into) => into.set(Array.from(into, () => draws.next().value)));
  const { words } = list;
  assert.deepEqual(chosen, [words[7775], words[0], words[0], words[7775], words[1], words[2], words[3]]);
});

test('two phrases are never the same, and each is a phrase', () => {
  const seen = new Set();
  for (let i = 0; i < 50; i++) {
    const words = choose(list);
    seen.add(words.join(' '));
    assert.deepEqual(parse(fragment(words), list), { words, why: '', wrong: [] });
  }
  assert.equal(seen.size, 50);
});

test('what people type, paste and are told', () => {
  const said = [
    SPOKEN,
    SPOKEN.toUpperCase(),
    SPOKEN.replaceAll('-', ' '),
    SPOKEN.replaceAll('-', ''),
    SPOKEN.replaceAll(' ', '-'),
    `  ${SPOKEN.replaceAll(' ', ' \n\t ')} `,
    SPOKEN.replaceAll(' ', '\u00a0'),
    SPOKEN.replaceAll('-', '\u2011').replaceAll(' ', ', '),
    SPOKEN.replace('zoom', 'zo\u00adom').replace('down', '\u200edown\ufeff'),
    SPOKEN.replace('zoom', 'ｚｏｏｍ').replace('abacus', 'ábacus'),
    SEVEN.map((word, i) => `${i + 1}. ${word}`).join('\n'),
    `https://parley.example/room#${fragment(SEVEN)}`,
    'Abacus Zoom Yo yo T shirt Down Felt tip Drop down',
  ];
  for (const text of said) {
    assert.deepEqual(parse(text, list), { words: SEVEN, why: '', wrong: [] }, JSON.stringify(text));
  }
  // Turkish keyboards: both capital and small i without its dot.
  assert.equal(parse('ZODİAC', list).wrong.length + parse('zodıac', list).wrong.length, 0);
});

test('a word with a hyphen never swallows two words of the list', () => {
  for (const word of list.words.filter((w) => w.includes('-'))) {
    const halves = word.split('-');
    assert.ok(!halves.every((half) => list.places.has(half)), word);
  }
});

test('the wrong word is named, with what it may have been', () => {
  const { why, wrong } = parse('abacus zooom yo-yo tshirt dwon felttip dropdown', list);
  assert.equal(why, 'unknown');
  assert.deepEqual(
    wrong.map(({ at, word, near }) => [at, word, near[0]]),
    [
      [2, 'zooom', 'zoom'],
      [5, 'dwon', 'down'],
    ],
  );
  const [strange] = parse('qqqqqqqq', list).wrong;
  assert.deepEqual([strange.at, strange.near], [1, []]);
  const [near] = parse('chocolaet', list).wrong;
  assert.ok(near.near.length <= 3);
  assert.ok(parse('x'.repeat(60), list).wrong[0].word.length <= 40);
});

test('too few, too many, none, and whole novels', () => {
  const why = (text) => parse(text, list).why;
  assert.equal(why(''), 'empty');
  assert.equal(why(' - # 12 '), 'empty');
  assert.equal(why('https://parley.example/room#'), 'empty');
  assert.equal(why(SEVEN.slice(1).join(' ')), 'few');
  assert.equal(why(`${SPOKEN} zoom`), 'many');
  assert.equal(why('zoom '.repeat(300)), 'long');
  // A wrong word is worth more than the number of words.
  assert.equal(why('abacus zoooom'), 'unknown');
});
