import assert from 'node:assert/strict';
import test from 'node:test';
import { LONGEST, readNumber, readPassword, strength } from './room-channel.js';

test('a channel is a whole number from 1 to 1000', () => {
  for (const [text, number] of [
    ['1', 1],
    ['7', 7],
    ['999', 999],
    ['1000', 1000],
    [' 42\n', 42],
  ]) {
    assert.deepEqual(readNumber(text), { number, why: '' }, text);
  }
  for (const [text, why] of [
    ['', 'empty'],
    ['  ', 'empty'],
    ['0', 'range'],
    ['007', 'range'],
    ['1001', 'range'],
    ['99999999999999999999', 'range'],
    ['7.5', 'whole'],
    ['7,0', 'whole'],
    ['-7', 'whole'],
    ['+7', 'whole'],
    ['1e2', 'whole'],
    ['0x10', 'whole'],
    ['abc', 'whole'],
    ['4 2', 'whole'],
    ['Ⅶ', 'whole'],
    ['７', 'digits'],
    ['４２', 'digits'],
    ['٤٢', 'digits'],
    ['4２', 'digits'],
  ]) {
    assert.deepEqual(readNumber(text), { number: 0, why }, JSON.stringify(text));
  }
});

test('the same password typed on two systems is the same', () => {
  const composed = 'Gr\u00fc\u00dfe aus K\u00f6ln';
  const decomposed = 'Gru\u0308\u00dfe aus Ko\u0308ln';
  assert.notEqual(composed, decomposed);
  assert.equal(readPassword(decomposed).password, composed);
  assert.equal(readPassword('\u1112\u1161\u11ab\u1100\u1173\u11af').password, '한글');
  assert.equal(readPassword(' a\u00a0b\u3000c ').password, 'a b c');
  // Case, width and look-alikes are part of a password.
  assert.equal(new Set(['a', 'A', 'ａ', 'а'].map((p) => readPassword(p).password)).size, 4);
});

test('passwords that are none', () => {
  const why = (text) => readPassword(text).why;
  assert.equal(why(''), 'empty');
  assert.equal(why(' \u3000\t'), 'empty');
  assert.equal(why('x'.repeat(LONGEST)), '');
  assert.equal(why('👍'.repeat(LONGEST)), '');
  assert.equal(why('e\u0301'.repeat(LONGEST)), '');
  assert.equal(why('x'.repeat(LONGEST + 1)), 'long');
  assert.equal(why('x'.repeat(1e6)), 'long');
  assert.equal(why('a\u0000b'), 'control');
  assert.equal(why('a\nb'), 'control');
  assert.equal(why('a\ud800b'), 'control');
});

test('weak passwords are called weak, and why', () => {
  for (const [password, reason] of [
    ['password', 'common'],
    ['Passw0rt', 'common'],
    ['p@$$word', 'common'],
    ['Summer2024!', 'common'],
    ['hallo', 'common'],
    ['aaaaaaaaaaaa', 'repeated'],
    ['abcabcabc', 'repeated'],
    ['123456789', 'sequence'],
    ['abcdefgh', 'sequence'],
    ['987654', 'sequence'],
    ['asdfgh', 'keyboard'],
    ['qwertzui', 'keyboard'],
    ['24.12.1999', 'date'],
    ['19991224', 'date'],
    ['2024', 'date'],
    ['5820317', 'digits'],
    ['kanal7', 'channel'],
    ['xq7!', 'short'],
    ['giraffe', 'word'],
    ['Ж', 'short'],
  ]) {
    const { level, reasons } = strength(password, 7);
    assert.equal(level, 'weak', password);
    assert.ok(reasons.includes(reason), `${password}: ${reasons}`);
  }
});

test('better ones get better, and have no reasons against them', () => {
  const levels = ['giraffe', 'giraffe umbrella', 'giraffe umbrella copper kettle'].map((p) => strength(p, 7).level);
  assert.deepEqual(levels, ['weak', 'strong', 'strong']);
  assert.equal(strength('blue9kettle', 7).level, 'strong');
  assert.equal(strength('kv3-pz', 7).level, 'fair');
  assert.deepEqual(strength('giraffe umbrella', 7).reasons, []);
  // Length of one letter is no strength.
  assert.equal(strength('aaaaaaaaaaaaaaaaaaaaaaaaab', 7).level, 'weak');
  assert.equal(strength('x'.repeat(1000), 7).level, 'weak');
});
