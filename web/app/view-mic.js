// Microphone: why the browser will ask, the test that stays on this device, and the way out of each failure.

import { attr, button, h, show, text } from './dom.js';
import { waysOut } from './view-help.js';
import { icon } from './view-icons.js';
import { pickers } from './view-sound.js';

/** @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Screen} */
export function mic(ctx) {
  const { t, dispatch } = ctx;
  const title = h('h1', { tabindex: -1 });
  const body = h('p', { class: 'lead' });
  const ask = button('mic-ask', 'primary', () => dispatch({ type: 'mic-ask' }), t('mic.ask'));
  const row = h('div', { class: 'go' }, ask);
  const facts = h(
    'ul',
    { class: 'facts' },
    h('li', {}, icon('check'), t('mic.fact.sound')),
    h('li', {}, icon('check'), t('mic.fact.local')),
    h('li', {}, icon('check'), t('mic.fact.stop')),
  );
  const test = tester(ctx);
  const help = waysOut(ctx);
  const back = button('home', 'quiet', () => dispatch({ type: 'home' }), t('back'));
  const el = h('div', { class: 'mic' }, title, body, facts, row, help.el, test.el, back);
  return {
    el,
    title,
    update(state) {
      const { phase, error } = state.mic;
      const failed = phase === 'failed';
      const testing = ['test', 'recording', 'playing'].includes(phase);
      const name = testing ? 'test' : phase;
      text(title, failed ? t(`mic.fail.${error || 'denied'}`) : t(`mic.${name}`));
      text(body, failed ? t(`mic.fail.${error || 'denied'}.why`) : t(`mic.${name}.why`));
      show(facts, phase === 'explain');
      show(row, phase === 'explain');
      show(help.el, failed || phase === 'pending');
      show(test.el, testing);
      help.update(state);
      test.update(state);
    },
  };
}

/** The test: a bubble that moves, three seconds to hear oneself, the devices. @param {import('./view.js').Ctx} ctx */
function tester(ctx) {
  const { t, dispatch } = ctx;
  const silent = h('p', { class: 'note warn' }, t('mic.silent'));
  const record = button('mic-record', '', () => dispatch({ type: 'mic-record' }), t('mic.record'));
  const play = button('mic-play', '', () => dispatch({ type: 'mic-play' }), t('mic.play'));
  const now = h('p', { class: 'hint busy' });
  const devices = pickers(ctx, 'test');
  const ok = button('mic-ok', 'primary', () => dispatch({ type: 'mic-ok' }), t('mic.ok'));
  const el = h(
    'div',
    { class: 'tester' },
    silent,
    h('div', { class: 'row' }, record, play),
    now,
    devices.el,
    h('p', { class: 'hint' }, t('mic.headphones')),
    h('div', { class: 'go' }, ok),
  );
  let recorded = false;
  return {
    el,
    /** @param {import('./view.js').State} state */
    update(state) {
      const { phase, error } = state.mic;
      if (phase === 'recording') recorded = true;
      show(silent, error === 'silent');
      show(play, recorded);
      attr(record, 'disabled', phase !== 'test');
      attr(play, 'disabled', phase !== 'test');
      text(now, phase === 'recording' ? t('mic.recording') : phase === 'playing' ? t('mic.playing') : '');
      devices.update(state);
    },
  };
}
