// The transcripts of the server are the protocol as it is spoken: the page must read every frame that
// the server says in them, and every frame that the page builds must look like one that is said there.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import * as protocol from './protocol.js';

const folder = new URL('../../signaling/testdata/transcripts/', import.meta.url);
const lines = readdirSync(folder, { recursive: true })
  .filter((name) => name.endsWith('.txt'))
  .filter((name) => !/(^|[/-])(link|channel|rooms)\b/.test(name)) // the page does not offer private rooms yet
  .flatMap((name) =>
    readFileSync(new URL(name, folder), 'utf8')
      .split('\n')
      .map((line) => ({ name, line })),
  );

/** said lists the complete frames that follow a mark: no wildcard stands for a field or a value. */
const said = (mark) =>
  lines
    .map(({ name, line }) => ({ name, json: new RegExp(`^\\w+ ${mark} (\\{.*\\})$`).exec(line)?.[1] }))
    .filter(({ json }) => json && !json.includes('"..."'))
    .map(({ name, json }) => ({ name, json, frame: JSON.parse(json) }));

test('the page reads what the server says', () => {
  const seen = new Set();
  for (const { name, json, frame } of said('<')) {
    // $name stands for a word and * for any value, mostly a number.
    const words = json.replace(/"\$[\w.]+"/g, '"x"');
    const notes = ['1', '"x"', '"counted"'].map((star) => protocol.read(words.replaceAll('"*"', star)).note);
    assert.ok(notes.includes(''), `${name}: ${json}: ${notes}`);
    seen.add(frame.t);
  }
  assert.ok(seen.size >= 10, [...seen].join(' '));
});

test('the page says what the server reads', () => {
  const choices = { languages: ['en'], interests: [], widen: true };
  const built = [
    protocol.find(choices, [], '', ''),
    protocol.cancel(),
    protocol.confirm('m'),
    protocol.envelope('b', 1, 'x'),
    protocol.leave(),
    protocol.rejoin('p'),
    protocol.report('h', 'spam'),
    protocol.block('h'),
    protocol.ack(1),
  ];
  for (const frame of built) {
    const like = said('>').filter((s) => s.frame.t === frame.t);
    assert.ok(like.length > 0, `no transcript says ${frame.t}`);
    const fields = Object.keys(frame).sort().join();
    const known = like.map((s) =>
      Object.keys(s.frame)
        .filter((k) => k !== 'c' && (k !== 'a' || frame.t === 'ack'))
        .sort()
        .join(),
    );
    assert.ok(known.includes(fields), `${frame.t}: ${fields}, transcripts say ${[...new Set(known)].join(' or ')}`);
  }
});
