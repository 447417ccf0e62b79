// When the page cannot go on: why, and the way to load it again.

import { button, h, h1, p, text } from './view-parts.js';

/** @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Screen} */
export function blocked({ t }) {
  const title = h1();
  const body = p('lead');
  const act = button('reload', 'primary', () => location.reload());
  return {
    el: h('div', { class: 'blocked' }, title, body, h('div', { class: 'go' }, act)),
    title,
    update({ reason }) {
      const code = t.has(`blocked.${reason}.why`) ? reason : 'error';
      text(title, t(`blocked.${code}`));
      text(body, t(`blocked.${code}.why`));
      text(act, code === 'replaced' ? t('blocked.here') : t('blocked.reload'));
    },
  };
}
