// The panels beside a call: report, verify, direct and chat. None of them is modal, so mute, next and leave
// stay within reach while one is open.

import { attr, button, h, icon, p, repeat, show, text } from './view-parts.js';

const reasons = ['minor', 'sexual', 'hate', 'threat', 'spam', 'other'];
// Characters of one line of text.
const longest = 500;

/** A form that sends what it holds and never leaves the page. @param {(form: HTMLFormElement) => void} send @param {...Node} children */
function form(send, ...children) {
  /** @param {SubmitEvent} event */
  const onsubmit = (event) => {
    event.preventDefault();
    send(el);
  };
  const el = h('form', { onsubmit }, ...children);
  return el;
}

/** One tap opens it, a second one on the reason sends. @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Panel} */
export function reportPanel({ t, act }) {
  const ends = p('', t('report.ends'));
  const sends = p('', t('report.sends'));
  /** @param {string} reason */
  const choice = (reason) => {
    const el = button('report-reason', '', act('report', { reason }), t(`report.${reason}`));
    attr(el, 'data-reason', reason);
    return h('li', {}, el);
  };
  const block = button('block', 'quiet', act('block'), icon('block'), t('report.block'));
  return {
    title: t('report.title'),
    el: h(
      'div',
      { class: 'report' },
      ...[ends, sends, h('ul', { class: 'reasons', 'aria-label': t('report.what') }, ...reasons.map(choice))],
      ...[p('hint', t('report.stored')), p('hint', t('report.or')), block],
    ),
    update({ call }) {
      show(ends, call !== null);
      show(sends, call === null);
    },
  };
}

/** @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Panel} */
export function verifyPanel({ t, act }) {
  const names = t('sas').split(', ');
  const symbols = h('ol', { class: 'sas', 'data-testid': 'sas' });
  const digits = h('p', { class: 'digits', 'data-testid': 'sas-digits' });
  const soon = p('hint', t('verify.soon'));
  const done = p('note', t('verify.done.why'));
  const asks = h(
    'div',
    { class: 'row' },
    button('sas-match', 'primary', act('verified', { ok: true }), t('verify.match')),
    button('sas-differ', '', act('verified', { ok: false }), t('verify.differ')),
  );
  const why = p('hint', t('verify.why'));
  return {
    title: t('verify.title'),
    el: h('div', {}, p('', t('verify.how')), soon, symbols, digits, done, asks, why),
    update({ call }) {
      const sas = call?.sas;
      show(soon, !sas);
      for (const el of [symbols, digits]) show(el, Boolean(sas));
      show(done, call?.verified === 'verified');
      show(asks, Boolean(sas) && call?.verified === 'unverified');
      const keys = (sas?.symbols ?? []).map((n, i) => `${i}:${n}`);
      repeat(symbols, keys, (key) => {
        const n = Number(key.split(':')[1]);
        return h('li', {}, h('span', { class: 'emoji', 'aria-hidden': 'true' }, emoji[n]), names[n]);
      });
      text(digits, sas ? t('verify.digits', { digits: sas.digits }) : '');
    },
  };
}

/** @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Panel} */
export function directPanel({ t, act }) {
  const now = p('');
  const warning = p('note warn', t('direct.warning'));
  const asked = p('note');
  const toggle = button('direct', '', act('direct'));
  return {
    title: t('direct.title'),
    el: h('div', { class: 'direct' }, now, warning, asked, toggle, p('hint', t('direct.why'))),
    update({ call }) {
      const { mine, theirs } = call?.direct ?? { mine: false, theirs: false };
      const direct = call?.path === 'direct';
      text(now, direct ? t('direct.is') : t('direct.not'));
      text(asked, mine ? t('direct.mine') : t('hint.direct'));
      show(asked, !direct && mine !== theirs);
      text(toggle, mine ? t('direct.stop') : t('direct.ask'));
      attr(toggle, 'aria-pressed', mine ? 'true' : 'false');
    },
  };
}

/** Text beside the call: nothing in it becomes a link or outlives the call. @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Panel} */
export function chatPanel({ t, dispatch }) {
  // The status region says new lines, so the log itself stays quiet.
  const log = h('div', { class: 'log', role: 'log', 'aria-live': 'off', 'aria-label': t('chat.title'), tabindex: 0 });
  const empty = p('hint', t('chat.empty'));
  const label = t('chat.input');
  const input = h('input', {
    ...{ type: 'text', 'data-testid': 'chat-input', 'aria-label': label, placeholder: label },
    ...{ maxlength: longest, autocomplete: 'off', enterkeyhint: 'send' },
  });
  const write = form(
    () => {
      const line = input.value.trim();
      if (line) dispatch({ type: 'chat', text: line });
      input.value = '';
    },
    input,
    h('button', { class: 'primary', 'data-testid': 'chat-send' }, t('chat.send')),
  );
  attr(write, 'class', 'row');
  return {
    title: t('chat.title'),
    el: h('div', {}, log, empty, write),
    focus: input,
    update({ call }) {
      const lines = call?.chat ?? [];
      const keys = lines.map(({ at }, i) => `${at}.${lines.slice(0, i).filter((line) => line.at === at).length}`);
      const last = log.lastElementChild;
      repeat(log, keys, (key) => {
        const line = lines[keys.indexOf(key)];
        const who = h('span', { class: 'unseen' }, line?.mine ? t('you') : t('them'), ': ');
        return h('p', { class: line?.mine ? 'mine' : 'theirs', dir: 'auto' }, who, line?.text);
      });
      show(empty, lines.length === 0);
      if (log.lastElementChild !== last) log.scrollTop = log.scrollHeight;
    },
  };
}

// The 64 symbols of the short authentication string, six bits each. Common things and animals that
// look alike in no font, are drawn since 2017 and are easy to say; their names are the words of the key sas.

export const emoji = [
  ...['🦊', '🐘', '🐢', '🐧', '🐙', '🦋', '🐝', '🐳', '🦉', '🐪', '🦓', '🐰', '🐌', '🐴', '🦁', '🐼'],
  ...['🌵', '🍄', '🌻', '🌳', '🍀', '🍋', '🍒', '🍌', '🥕', '🍉', '🌽', '🍞', '🧀', '🎂', '🍍', '🍯'],
  ...['🌙', '⭐', '🔥', '⛄', '⚡', '🌊', '🌋', '☔', '🎈', '🎁', '🎸', '🎺', '🥁', '🎲', '🏆', '💡'],
  ...['⚓', '🚲', '🚂', '🚀', '⛵', '🚁', '🏠', '⛺', '🌉', '🔑', '🔔', '🔨', '📎', '📷', '⏰', '👓'],
];
