// The place where a panel opens: a sheet on phones, a column beside the call on wide screens. It is
// not modal; the focus goes into it and comes back to where it was.

import { attr, button, h, show, text } from './dom.js';
import { chatPanel } from './view-chat.js';
import { icon } from './view-icons.js';
import { directPanel, keysPanel, reportPanel, verifyPanel } from './view-panels.js';
import { soundPanel } from './view-sound.js';

/** @typedef {import('./view.js').Ctx} Ctx */
/** @typedef {import('./view.js').Panel} Panel */

/** @type {Record<string, (ctx: Ctx) => Panel>} */
const panels = {
  report: reportPanel,
  verify: verifyPanel,
  chat: chatPanel,
  devices: soundPanel,
  keys: keysPanel,
  direct: directPanel,
};

/** @param {Ctx} ctx */
export function panelHost(ctx) {
  const { t, dispatch } = ctx;
  const title = h('h2', { id: 'panel-title', tabindex: -1 });
  const close = button('panel-close', 'close', () => dispatch({ type: 'panel', name: '' }), icon('close'));
  attr(close, 'aria-label', t('close'));
  const body = h('div', { class: 'body' });
  const el = h(
    'section',
    { class: 'panel', role: 'dialog', 'aria-labelledby': 'panel-title', hidden: true },
    h('div', { class: 'top' }, title, close),
    body,
  );
  /** @type {Map<string, Panel>} */
  const made = new Map();
  let open = '';
  /** @type {Element | null} */
  let opener = null;

  /** @param {string} name @param {Panel | undefined} panel */
  function turn(name, panel) {
    if (!open) opener = document.activeElement;
    open = name;
    attr(document.documentElement, 'data-panel', name || undefined);
    show(el, panel !== undefined);
    if (panel) {
      text(title, panel.title);
      body.replaceChildren(panel.el);
      panel.opened?.();
      (panel.focus ?? title).focus();
    } else if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
  }

  return {
    el,
    /** @param {import('./view.js').State} state @returns {boolean} whether the focus was moved into a panel */
    update(state) {
      const make = panels[state.panel];
      const panel = made.get(state.panel) ?? make?.(ctx);
      if (panel) made.set(state.panel, panel);
      const turned = state.panel !== open;
      if (turned) turn(state.panel, panel);
      panel?.update(state);
      return turned && panel !== undefined;
    },
  };
}
