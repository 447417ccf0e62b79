// The panels beside a call: report, verify, direct and the list of keys. None of them is modal, so
// mute, next and leave stay within reach while one is open.

import { attr, button, h, repeat, show, text } from './dom.js';
import { emoji } from './emoji.js';
import { icon } from './view-icons.js';

const reasons = ['minor', 'sexual', 'hate', 'threat', 'spam', 'other'];

/** @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Panel} */
export function reportPanel({ t, dispatch }) {
  const send = h('button', { type: 'submit', class: 'primary danger', 'data-testid': 'report-send' }, t('report.send'));
  const missing = h('p', { class: 'error', role: 'alert', hidden: true }, t('report.missing'));
  const choices = reasons.map((reason) =>
    h(
      'label',
      { class: 'check' },
      h('input', {
        type: 'radio',
        name: 'reason',
        value: reason,
        'data-testid': 'report-reason',
        onchange: () => show(missing, false),
      }),
      t(`report.${reason}`),
    ),
  );
  const ends = h('p', { class: 'hint' }, t('report.ends'));
  const block = button('block', 'quiet', () => dispatch({ type: 'block' }), icon('block'), t('report.block'));
  const form = h(
    'form',
    {
      onsubmit: (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const reason = String(new FormData(form).get('reason') ?? '');
        show(missing, reason === '');
        if (reason) dispatch({ type: 'report', reason });
      },
    },
    h('fieldset', {}, h('legend', {}, t('report.what')), ...choices),
    missing,
    h('p', { class: 'hint' }, t('report.stored')),
    ends,
    send,
  );
  return {
    title: t('report.title'),
    el: h('div', { class: 'report' }, form, h('p', { class: 'hint' }, t('report.or')), block),
    opened: () => {
      form.reset();
      show(missing, false);
    },
    update: ({ call }) => show(ends, call !== null),
  };
}

/** @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Panel} */
export function verifyPanel({ t, dispatch }) {
  const symbols = h('ol', { class: 'sas', 'data-testid': 'sas' });
  const digits = h('p', { class: 'digits', 'data-testid': 'sas-digits' });
  const soon = h('p', { class: 'hint' }, t('verify.soon'));
  const done = h('p', { class: 'note good' }, t('verify.done.why'));
  const answer = (/** @type {boolean} */ ok) => () => dispatch({ type: 'verified', ok });
  const asks = h(
    'div',
    { class: 'row' },
    button('sas-match', 'primary', answer(true), t('verify.match')),
    button('sas-differ', '', answer(false), t('verify.differ')),
  );
  return {
    title: t('verify.title'),
    el: h(
      'div',
      { class: 'verify' },
      h('p', {}, t('verify.how')),
      soon,
      symbols,
      digits,
      done,
      asks,
      h('p', { class: 'hint' }, t('verify.why')),
    ),
    update({ call }) {
      const sas = call?.sas ?? null;
      show(soon, !sas);
      show(symbols, sas !== null);
      show(digits, sas !== null);
      show(done, call?.verified === 'verified');
      show(asks, sas !== null && call?.verified === 'unverified');
      repeat(
        symbols,
        (sas?.symbols ?? []).map((n, i) => `${i}:${n}`),
        (key) => {
          const n = Number(key.split(':')[1]);
          return h(
            'li',
            {},
            h('span', { class: 'emoji', 'aria-hidden': 'true' }, emoji[n]),
            h('span', {}, t(`sas.${n}`)),
          );
        },
      );
      text(digits, sas ? t('verify.digits', { digits: sas.digits }) : '');
    },
  };
}

/** @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Panel} */
export function directPanel({ t, dispatch }) {
  const now = h('p', {});
  const asked = h('p', { class: 'note' });
  const toggle = h('button', { type: 'button', 'data-testid': 'direct', onclick: () => dispatch({ type: 'direct' }) });
  return {
    title: t('direct.title'),
    el: h(
      'div',
      { class: 'direct' },
      now,
      h('p', { class: 'note warn' }, t('direct.warning')),
      asked,
      toggle,
      h('p', { class: 'hint' }, t('direct.why')),
    ),
    update({ call }) {
      const mine = call?.direct.mine === true;
      const theirs = call?.direct.theirs === true;
      const direct = call?.path === 'direct';
      text(now, direct ? t('direct.is') : t('direct.not'));
      text(asked, mine ? t('direct.mine') : t('direct.theirs'));
      show(asked, !direct && mine !== theirs);
      text(toggle, mine ? t('direct.stop') : t('direct.ask'));
      attr(toggle, 'aria-pressed', mine ? 'true' : 'false');
    },
  };
}

/** @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Panel} */
export function keysPanel({ t, keys }) {
  const single = h('input', {
    type: 'checkbox',
    checked: true,
    'data-testid': 'single-keys',
    onchange: () => keys.use(single.checked),
  });
  const list = [
    ['M', 'keys.mute'],
    ['N', 'keys.next'],
    ['Esc Esc', 'keys.out'],
    ['C', 'keys.chat'],
    ['V', 'keys.verify'],
    ['R', 'keys.report'],
    ['?', 'keys.list'],
  ];
  return {
    title: t('keys.title'),
    el: h(
      'div',
      { class: 'keys' },
      h('dl', {}, ...list.flatMap(([key, what]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, t(what ?? ''))])),
      h('p', { class: 'hint' }, t('keys.typing')),
      h('label', { class: 'check' }, single, t('keys.use')),
    ),
    update: () => {},
  };
}
