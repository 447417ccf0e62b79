// The sound of the call: how loud the other person is, which microphone and which speaker.

import { h, show, text, value } from './dom.js';
import { icon } from './view-icons.js';

/**
 * Which microphone and which speaker; a list is shown only when there is a choice.
 * @param {import('./view.js').Ctx} ctx @param {string} where makes the ids unique
 */
export function pickers({ t, dispatch }, where) {
  const input = picker('input', 'mic.input');
  const output = picker('output', 'mic.output');

  /** @param {'input' | 'output'} type @param {string} label */
  function picker(type, label) {
    const select = h('select', {
      id: `${where}-${type}`,
      'data-testid': type,
      onchange: () => dispatch({ type, id: select.value }),
    });
    return { select, el: h('div', { class: 'field' }, h('label', { for: select.id }, t(label)), select) };
  }
  /** @param {ReturnType<typeof picker>} one @param {{id: string, label: string}[]} devices @param {string} chosen */
  function fill({ el, select }, devices, chosen) {
    const signature = JSON.stringify(devices);
    if (select.getAttribute('data-devices') !== signature) {
      select.setAttribute('data-devices', signature);
      select.replaceChildren(
        ...devices.map(({ id, label }, i) => h('option', { value: id }, label || t('mic.device', { number: i + 1 }))),
      );
    }
    value(select, chosen);
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

/** How loud you hear the other person. @param {import('./view.js').Ctx} ctx */
export function volume({ t, dispatch }) {
  const slider = h('input', {
    type: 'range',
    min: 0,
    max: 1,
    step: 0.05,
    'data-testid': 'volume',
    'aria-label': t('call.volume'),
    oninput: () => dispatch({ type: 'volume', value: Number(slider.value) }),
  });
  return {
    el: h('div', { class: 'volume', title: t('call.volume') }, icon('sound'), slider),
    /** @param {import('./view.js').State} state */
    update({ call }) {
      if (call) value(slider, String(call.volume));
    },
  };
}

/** The panel with the devices. @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Panel} */
export function soundPanel(ctx) {
  const { t } = ctx;
  const devices = pickers(ctx, 'call');
  const single = h('p', {}, t('sound.single'));
  const hint = h('p', { class: 'hint' });
  return {
    title: t('sound.title'),
    el: h('div', {}, devices.el, single, hint),
    update(state) {
      devices.update(state);
      const choice = state.mic.inputs.length > 1 || state.mic.outputs.length > 1;
      show(single, !choice);
      text(hint, t('mic.headphones'));
    },
  };
}
