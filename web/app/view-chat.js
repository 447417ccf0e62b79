// Text beside the call. Nothing in it becomes a link, and nothing in it outlives the call.

import { h, repeat, show } from './dom.js';

const longest = 500; // characters of one message

/** @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Panel} */
export function chatPanel({ t, dispatch }) {
  // The status region says new messages, so the log itself stays quiet.
  const log = h('div', { class: 'log', role: 'log', 'aria-live': 'off', 'aria-label': t('chat.title'), tabindex: 0 });
  const empty = h('p', { class: 'hint' }, t('chat.empty'));
  const input = h('input', {
    type: 'text',
    'data-testid': 'chat-input',
    'aria-label': t('chat.input'),
    placeholder: t('chat.input'),
    maxlength: longest,
    autocomplete: 'off',
    enterkeyhint: 'send',
  });
  const form = h(
    'form',
    {
      class: 'row',
      onsubmit: (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const text = input.value.trim();
        if (text) dispatch({ type: 'chat', text });
        input.value = '';
      },
    },
    input,
    h('button', { type: 'submit', class: 'primary', 'data-testid': 'chat-send' }, t('chat.send')),
  );
  return {
    title: t('chat.title'),
    el: h('div', { class: 'chat' }, log, empty, form),
    focus: input,
    update({ call }) {
      const messages = call?.chat ?? [];
      const keys = messages.map(({ at }, i) => `${at}.${messages.slice(0, i).filter((m) => m.at === at).length}`);
      show(empty, messages.length === 0);
      const last = log.lastElementChild;
      repeat(log, keys, (key) => {
        const { mine, text } = messages[keys.indexOf(key)] ?? { mine: true, text: '' };
        return h(
          'p',
          { class: mine ? 'mine' : 'theirs', dir: 'auto' },
          h('span', { class: 'unseen' }, mine ? t('chat.you') : t('chat.them'), ' '),
          text,
        );
      });
      if (log.lastElementChild !== last) log.scrollTop = log.scrollHeight;
    },
  };
}
