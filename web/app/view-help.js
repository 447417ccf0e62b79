// The ways out when the microphone cannot be used: what to press in this browser, then try again.

import { button, h, repeat, show } from './dom.js';
import { pickers } from './view-sound.js';

const browsers = ['chrome', 'firefox', 'safari', 'android', 'iphone'];

/** The browser that this most probably is; only the order of the instructions depends on it. @param {string} agent */
export function guess(agent) {
  if (/iPhone|iPad/.test(agent)) return 'iphone';
  if (/Firefox/.test(agent)) return 'firefox';
  if (/Android/.test(agent)) return 'android';
  return /Safari/.test(agent) && !/Chrom/.test(agent) ? 'safari' : 'chrome';
}

/** @param {import('./view.js').Ctx} ctx */
export function waysOut(ctx) {
  const { t, dispatch } = ctx;
  const mine = guess(navigator.userAgent);
  const steps = h('ul', { class: 'steps' });
  const others = h(
    'details',
    {},
    h('summary', {}, t('mic.help.others')),
    h(
      'dl',
      {},
      ...browsers
        .filter((name) => name !== mine)
        .flatMap((name) => [h('dt', {}, t(`mic.help.name.${name}`)), h('dd', {}, t(`mic.help.${name}`))]),
    ),
  );
  const devices = pickers(ctx, 'help');
  const retry = button('mic-retry', 'primary', () => dispatch({ type: 'mic-retry' }), t('mic.retry'));
  const row = h('div', { class: 'go' }, retry);
  const el = h('div', { class: 'help' }, steps, others, devices.el, row);
  return {
    el,
    /** @param {import('./view.js').State} state */
    update(state) {
      const { phase, error } = state.mic;
      const settings = error === 'blocked' || error === 'denied';
      const keys = phase === 'pending' ? ['mic.pending.step'] : todo(error, mine);
      repeat(steps, keys, (key) => h('li', {}, t(key)));
      show(others, phase === 'failed' && settings);
      devices.update(state);
      show(devices.el, ['busy', 'silent', 'none'].includes(error));
      show(row, phase === 'failed' && error !== 'insecure' && error !== 'webview');
    },
  };
}

/** @param {string} error @param {string} browser */
function todo(error, browser) {
  switch (error) {
    case 'dismissed':
      return ['mic.do.allow'];
    case 'none':
      return ['mic.do.plug', 'mic.do.system'];
    case 'busy':
      return ['mic.do.close', 'mic.do.replug'];
    case 'silent':
      return ['mic.do.switch', 'mic.do.volume', 'mic.do.other'];
    case 'insecure':
      return ['mic.do.https'];
    case 'webview':
      return ['mic.do.browser'];
    default:
      return [`mic.help.${browser}`, 'mic.do.again'];
  }
}
