// Microphone: why the browser will ask, the test that stays on this device, the way out of each
// failure, and the choice of devices, also during a call.

import { attr, button, h, h1, icon, p, repeat, show, text, value } from './view-parts.js';

/** @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Screen} */
export function mic(ctx) {
  const { t, act } = ctx;
  const title = h1();
  const body = p('lead');
  const facts = ['mic.fact.sound', 'mic.fact.local', 'mic.fact.stop'];
  const ask = h(
    'div',
    { class: 'ask' },
    h('ul', { class: 'facts' }, ...facts.map((key) => h('li', {}, icon('check'), t(key)))),
    h('div', { class: 'go' }, button('mic-ask', 'primary', act('mic-ask'), t('mic.ask'))),
  );
  const test = tester(ctx);
  const help = waysOut(ctx);
  const back = button('home', 'quiet', act('home'), t('back'));
  return {
    el: h('div', { class: 'mic' }, title, body, ask, help.el, test.el, back),
    title,
    update(state) {
      const { phase, error } = state.mic;
      const testing = ['test', 'recording', 'playing'].includes(phase);
      const failure = error || 'denied';
      const name = testing ? 'test' : phase;
      text(title, phase === 'failed' ? t(`mic.fail.${failure}`) : t(`mic.${name}`));
      text(body, phase === 'failed' ? t(`mic.fail.${failure}.why`) : t(`mic.${name}.why`));
      show(ask, phase === 'explain');
      show(help.el, phase === 'failed' || phase === 'pending');
      show(test.el, testing);
      help.update(state);
      test.update(state);
    },
  };
}

/** The test: a bubble that moves, three seconds to hear oneself, the devices. @param {import('./view.js').Ctx} ctx */
function tester(ctx) {
  const { t, act } = ctx;
  const silent = p('note warn', t('mic.silent'));
  const record = button('mic-record', '', act('mic-record'), t('mic.record'));
  const play = button('mic-play', '', act('mic-play'), t('mic.play'));
  const now = p('hint busy');
  const devices = pickers(ctx, 'test');
  const ok = button('mic-ok', 'primary', act('mic-ok'), t('mic.ok'));
  let recorded = false;
  return {
    el: h(
      'div',
      { class: 'tester' },
      silent,
      h('div', { class: 'row' }, record, play),
      now,
      devices.el,
      p('hint', t('mic.headphones')),
      h('div', { class: 'go' }, ok),
    ),
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

/** What to do about each failure; the first step of the others depends on the browser. @type {Record<string, string[]>} */
const steps = {
  dismissed: ['mic.do.allow'],
  none: ['mic.do.plug', 'mic.do.system'],
  busy: ['mic.do.close', 'mic.do.replug'],
  silent: ['mic.do.switch', 'mic.do.other'],
  insecure: ['mic.do.https'],
  webview: ['mic.do.browser'],
};

/** What to press when the microphone cannot be used, then try again. @param {import('./view.js').Ctx} ctx */
function waysOut(ctx) {
  const { t, act } = ctx;
  const settings = [`mic.help.${guess(navigator.userAgent)}`, 'mic.help.else', 'mic.do.again'];
  const list = h('ul', { class: 'steps' });
  const devices = pickers(ctx, 'help');
  const retry = h('div', { class: 'go' }, button('mic-retry', 'primary', act('mic-retry'), t('mic.retry')));
  return {
    el: h('div', { class: 'help' }, list, devices.el, retry),
    /** @param {import('./view.js').State} state */
    update(state) {
      const { phase, error } = state.mic;
      const keys = phase === 'pending' ? ['mic.pending.step'] : (steps[error] ?? settings);
      repeat(list, keys, (key) => h('li', {}, t(key)));
      devices.update(state);
      show(devices.el, ['busy', 'silent', 'none'].includes(error));
      show(retry, phase === 'failed' && error !== 'insecure');
    },
  };
}

/** The browser that this most probably is; only the words of the help depend on it. @param {string} agent */
function guess(agent) {
  if (/iPhone|iPad/.test(agent)) return 'iphone';
  if (/Firefox/.test(agent)) return 'firefox';
  return /Safari/.test(agent) && !/Chrom/.test(agent) ? 'safari' : 'chrome';
}

/**
 * Which microphone and which speaker; a list is shown only when there is a choice.
 * @param {import('./view.js').Ctx} ctx @param {string} where makes the ids unique
 */
function pickers({ t, dispatch }, where) {
  const input = picker('input', 'mic.input');
  const output = picker('output', 'mic.output');

  /** @param {'input' | 'output'} type @param {string} label */
  function picker(type, label) {
    const id = `${where}-${type}`;
    const select = h('select', { id, 'data-testid': type, onchange: () => dispatch({ type, id: select.value }) });
    return { select, el: h('div', { class: 'field' }, h('label', { for: id }, t(label)), select) };
  }
  /** @param {ReturnType<typeof picker>} one @param {{id: string, label: string}[]} devices @param {string} chosen */
  function fill({ el, select }, devices, chosen) {
    /** @param {number} i */
    const name = (i) => devices[i]?.label || t('mic.device', { number: i + 1 });
    const keys = devices.map(({ id }, i) => `${id} ${name(i)}`);
    repeat(select, keys, (key) => {
      const i = keys.indexOf(key);
      return h('option', { value: devices[i]?.id }, name(i));
    });
    // Nothing chosen means the first: browsers list the device of the system first.
    value(select, devices.some(({ id }) => id === chosen) ? chosen : (devices[0]?.id ?? ''));
    show(el, devices.length > 1);
  }
  return {
    el: h('div', { class: 'fields' }, input.el, output.el),
    /** @param {import('./view.js').State} state */
    update({ mic: { inputs, input: chosen, outputs, output: speaker } }) {
      fill(input, inputs, chosen);
      fill(output, outputs, speaker);
    },
  };
}

/** The panel with the devices. @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Panel} */
export function soundPanel(ctx) {
  const { t } = ctx;
  const devices = pickers(ctx, 'call');
  const single = p('', t('sound.single'));
  return {
    title: t('sound.title'),
    el: h('div', {}, devices.el, single, p('hint', t('mic.headphones'))),
    update(state) {
      devices.update(state);
      show(single, state.mic.inputs.length < 2 && state.mic.outputs.length < 2);
    },
  };
}
