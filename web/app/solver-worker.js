// Solves puzzles in a thread of its own, one after the other, so that the page stays alive. Who no longer
// wants the answer ends the thread.

import { Puzzle, solve } from './puzzle.js';

addEventListener('message', ({ data: { challenge, bits, within, turn } }) => {
  solve(
    new Puzzle(challenge, bits),
    within,
    () => performance.now(),
    (news) => postMessage({ ...news, turn }),
  );
});
