// What is chosen before a room is entered: a new link, a phrase that somebody said, or a channel and its password.

import { readNumber, readPassword, strength } from './room-channel.js';
import { choose, parse } from './room-phrase.js';
import { button, h, h1, p, show, text } from './view-parts.js';

/** @typedef {import('./room-view.js').Ctx} Ctx */
/** @typedef {{el: HTMLElement, title: HTMLElement, update: (state: import('./room-state.js').State) => void}} Screen */

const none = { words: [], channel: 0, password: '', make: false, capacity: 8, knock: true };

/** One form: heading, fields, and a button that is always pressable and says what is missing.
 * @param {Ctx} ctx @param {string} name @param {(HTMLElement | null)[]} fields @param {() => void} go @returns {Screen} */
function form({ t, back }, name, fields, go) {
  const title = h1(t(`${name}.title`));
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    go();
  };
  const send = h('button', { type: 'submit', class: 'primary', 'data-testid': 'room-go' }, t('room.go'));
  const el = h(
    'form',
    { class: 'room-form', novalidate: true, onsubmit: submit },
    title,
    p('lead', t(`${name}.lead`)),
    ...fields,
    h('div', { class: 'go' }, send, button('room-back', 'quiet', back, t('back'))),
  );
  return { el, title, update: () => {} };
}

/** @param {string} id */
const fault = (id) => h('p', { class: 'error', id, role: 'alert', hidden: true });

/** say shows what is wrong with a field, or that nothing is.
 * @param {HTMLInputElement | HTMLTextAreaElement} field @param {HTMLElement} error @param {string} sentence */
function say(field, error, sentence) {
  text(error, sentence);
  show(error, sentence !== '');
  field.setAttribute('aria-invalid', String(sentence !== ''));
}

/** A new one-time link. @param {Ctx} ctx */
export function makeForm(ctx) {
  const { t, list, dispatch } = ctx;
  const sizes = [2, 3, 4, 5, 6, 7, 8];
  const capacity = h(
    'select',
    { id: 'capacity', 'data-testid': 'capacity' },
    ...sizes.map((n) => h('option', { value: n, selected: n === 4 }, t('make.people', { n }))),
  );
  const knock = h('input', {
    type: 'checkbox',
    id: 'knock',
    checked: true,
    'data-testid': 'knock',
    'aria-describedby': 'knock-why',
  });
  const fields = [
    h('div', { class: 'field' }, h('label', { for: 'capacity' }, t('make.capacity')), capacity),
    h('label', { class: 'check', for: 'knock' }, knock, t('make.knock')),
    h('p', { class: 'hint', id: 'knock-why' }, t('make.knock.why')),
    p('hint', t('make.burnt')),
  ];
  return form(ctx, 'make', fields, () => {
    const chosen = { words: choose(list), make: true, capacity: Number(capacity.value), knock: knock.checked };
    dispatch({ type: 'go', ...none, kind: 'link', ...chosen });
  });
}

/** The words of a link, read from it or typed. @param {Ctx} ctx */
export function phraseForm(ctx) {
  const { t, list, dispatch, fragment } = ctx;
  const words = h('textarea', {
    id: 'phrase',
    rows: 3,
    'data-testid': 'phrase',
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: 'false',
    'aria-describedby': 'phrase-fault',
  });
  words.value = fragment;
  const wrong = fault('phrase-fault');
  const check = () => {
    const read = parse(words.value, list);
    say(words, wrong, phraseWords(read, t));
    return read.why ? null : read.words;
  };
  if (fragment) check();
  const screen = form(ctx, 'phrase', [h('label', { for: 'phrase' }, t('phrase.label')), words, wrong], () => {
    const found = check();
    if (found) dispatch({ type: 'go', ...none, kind: 'link', words: found });
    else words.focus();
  });
  return screen;
}

/** What is wrong with a phrase, in words.
 * @param {import('./room-phrase.js').Parsed} read @param {import('./view-parts.js').T} t @returns {string} */
export function phraseWords({ why, words, wrong }, t) {
  if (why !== 'unknown') return why ? t(`phrase.${why}`, { n: words.length }) : '';
  return wrong
    .map(({ at, word, near }) =>
      near.length > 0 ? t('phrase.near', { at, word, near: t.list(near, true) }) : t('phrase.wrong', { at, word }),
    )
    .join(' ');
}

/** A channel. @param {Ctx} ctx */
export function channelForm(ctx) {
  const { t, dispatch } = ctx;
  const field = (/** @type {Record<string, any>} */ more) => h('input', { type: 'text', autocomplete: 'off', ...more });
  const number = field({
    id: 'channel',
    inputmode: 'numeric',
    maxlength: 8,
    'data-testid': 'channel-number',
    'aria-describedby': 'channel-fault',
  });
  const password = field({
    ...{ id: 'password', 'data-testid': 'channel-password', autocapitalize: 'none', spellcheck: 'false' },
    ...{ 'aria-describedby': 'password-fault strength', oninput: () => weigh() },
  });
  const [wrongNumber, wrongPassword] = [fault('channel-fault'), fault('password-fault')];
  const meter = h('meter', { min: 0, max: 60, low: 20, high: 34, optimum: 60, value: 0, 'aria-hidden': 'true' });
  const level = h('span', { 'data-testid': 'strength' });
  const reasons = h('span', {});
  const judged = h('p', { class: 'hint', id: 'strength', hidden: true }, meter, ' ', level, ' ', reasons);
  function weigh() {
    const { password: read, why } = readPassword(password.value);
    show(judged, !why);
    if (why) return;
    const found = strength(read, readNumber(number.value).number);
    meter.value = found.bits;
    judged.dataset.level = found.level;
    text(level, t(`strength.${found.level}`));
    text(reasons, found.reasons.map((reason) => t(`weak.${reason}`)).join(' '));
  }
  const fields = [
    h('div', { class: 'field' }, h('label', { for: 'channel' }, t('channel.number')), number, wrongNumber),
    h(
      'div',
      { class: 'field' },
      h('label', { for: 'password' }, t('channel.password')),
      password,
      wrongPassword,
      judged,
    ),
    p('hint', t('channel.lock')),
    p('hint', t('channel.seen')),
  ];
  return form(ctx, 'channel', fields, () => {
    const read = [readNumber(number.value), readPassword(password.value)];
    say(number, wrongNumber, read[0]?.why ? t(`channel.fault.${read[0].why}`) : '');
    say(password, wrongPassword, read[1]?.why ? t(`password.fault.${read[1].why}`) : '');
    if (read[0]?.why) return number.focus();
    if (read[1]?.why) return password.focus();
    const { number: channel } = readNumber(number.value);
    dispatch({ type: 'go', ...none, kind: 'channel', channel, password: readPassword(password.value).password });
  });
}
