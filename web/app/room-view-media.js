// Microphone and camera before and in a room: each explained and asked for by itself, each refusable, with what
// this browser has decided and how to change that.

import { permission } from './room-media.js';
import { attr, button, h, h1, p, repeat, setIcon, show, text } from './view-parts.js';

/** @typedef {import('./room-view.js').Ctx} Ctx */
/** @typedef {import('./room-state.js').State} State */
/** @typedef {'mic' | 'camera'} Kind */

/** A switch for one device, its list, and its trouble.
 * @param {Ctx} ctx @param {Kind} kind */
export function device({ t, dispatch, listDevices, choose }, kind) {
  let on = false;
  const toggle = h('button', {
    ...{ type: 'button', class: 'switch', role: 'switch', 'data-testid': `${kind}-switch` },
    onclick: () => dispatch({ type: 'device', kind, on: !on }),
  });
  const trouble = h('p', { class: 'note warn', role: 'alert', hidden: true, 'data-testid': `${kind}-trouble` });
  const list = h('select', {
    'aria-label': t(`device.${kind}.choose`),
    hidden: true,
    onchange: () => choose(kind, list.value),
  });
  const el = h('div', { class: 'device' }, toggle, p('hint', t(`device.${kind}.why`)), list, trouble);
  let listed = '';

  /** @param {import('./room-state.js').Device} now */
  async function fill(now) {
    listed = now.device;
    const devices = now.phase === 'on' ? await listDevices(kind) : [];
    repeat(
      list,
      devices.map((d) => d.id),
      (id) => h('option', { value: id }, devices.find((d) => d.id === id)?.label || t(`device.${kind}`)),
    );
    list.value = now.device;
    show(list, devices.length > 1);
  }
  return {
    el,
    /** @param {State} state */
    update({ media }) {
      const now = media[kind];
      on = now.phase !== 'off';
      text(toggle, t(`device.${kind}`));
      attr(toggle, 'aria-checked', String(on));
      attr(toggle, 'aria-busy', now.phase === 'asking');
      text(trouble, now.phase === 'asking' ? t('device.asking') : now.error ? t(`device.fail.${now.error}`) : '');
      show(trouble, now.error !== '' || now.phase === 'asking');
      if (now.device !== listed) fill(now);
    },
  };
}

/** One's own picture, as in a mirror. @param {Ctx} ctx */
export function ownPicture({ t }) {
  const picture = h('video', {
    class: 'self',
    muted: true,
    autoplay: true,
    playsinline: true,
    'data-testid': 'my-video',
    'aria-label': t('preview.picture'),
  });
  picture.muted = true;
  return picture;
}

/** The screen before a room. @param {Ctx} ctx @returns {import('./room-view-forms.js').Screen & {picture: HTMLVideoElement}} */
export function preview(ctx) {
  const { t, dispatch } = ctx;
  const title = h1(t('preview.title'));
  const picture = ownPicture(ctx);
  const parts = [device(ctx, 'mic'), device(ctx, 'camera')];
  const hide = h('button', {
    ...{
      type: 'button',
      class: 'switch',
      role: 'switch',
      'data-testid': 'hide-address',
      'aria-describedby': 'hide-why',
    },
    onclick: () => dispatch({ type: 'hide', on: hide.getAttribute('aria-checked') !== 'true' }),
  });
  text(hide, t('hide.title'));
  const enter = button('room-enter', 'primary', () => dispatch({ type: 'enter' }), t('preview.enter'));
  const el = h(
    'div',
    { class: 'room-form' },
    title,
    p('lead', t('preview.lead')),
    picture,
    ...parts.map((part) => part.el),
    hide,
    h('p', { class: 'hint', id: 'hide-why' }, t('hide.why')),
    help(ctx),
    h(
      'div',
      { class: 'go' },
      enter,
      button('room-cancel', 'quiet', () => dispatch({ type: 'cancel' }), t('cancel')),
    ),
  );
  return {
    el,
    title,
    picture,
    update(state) {
      for (const part of parts) part.update(state);
      attr(hide, 'aria-checked', String(state.hidden));
      show(picture, state.media.camera.phase === 'on');
      text(enter, t(state.again ? 'preview.again' : 'preview.enter'));
    },
  };
}

const BROWSERS = ['chrome', 'edge', 'firefox', 'safari', 'android', 'ios'];

/** Four steps that explain what the browser does, how it stands now, and how to see and revoke that.
 * @param {Ctx} ctx @returns {HTMLElement[]} */
function explained({ t }) {
  const states = h('p', { role: 'status', 'data-testid': 'permission-state' });
  async function check() {
    const found = await Promise.all([permission('mic'), permission('camera')]);
    const [mic, camera] = found.map(({ state }) => t(`permission.${state || 'unknown'}`));
    text(states, t('permission.now', { mic: mic ?? '', camera: camera ?? '' }));
    return found;
  }
  // Live: a change in the settings of the browser shows at once.
  check().then((found) => {
    for (const { watch } of found) watch(check);
  });
  const steps = ['asks', 'stays', 'sent', 'stop'].map((step) => h('li', {}, t(`help.${step}`)));
  const ways = BROWSERS.flatMap((browser) => [
    h('dt', {}, t(`help.in.${browser}`)),
    h('dd', {}, t(`help.how.${browser}`)),
  ]);
  return [
    h('ol', {}, ...steps),
    states,
    button('permission-check', '', check, t('permission.check')),
    h('h2', {}, t('help.ways')),
    h('dl', {}, ...ways),
  ];
}

/** The same in the place where somebody needs it. @param {Ctx} ctx */
export function help(ctx) {
  const el = h(
    'details',
    {
      class: 'permission-help',
      'data-testid': 'permission-help',
      ontoggle: () => {
        if (el.children.length === 1) el.append(...explained(ctx));
      },
    },
    h('summary', {}, ctx.t('help.title')),
  );
  return el;
}

/** And as a page of its own. @param {Ctx} ctx @returns {import('./room-view-forms.js').Screen} */
export function helpPage(ctx) {
  const { t, back } = ctx;
  const title = h1(t('help.title'));
  const home = h('div', { class: 'go' }, button('room-back', 'quiet', back, t('room.home')));
  const el = h('div', { class: 'room-form permission-help' }, title, ...explained(ctx), home);
  return { el, title, update: () => {} };
}

/** A round button with a drawing, whose name says what it does now.
 * @param {string} id @param {import('./view-parts.js').Icon} drawing @param {() => void} act */
export function round(id, drawing, act) {
  const symbol = h('span', { class: 'symbol' });
  setIcon(symbol, drawing);
  const label = h('span', {});
  const el = button(id, 'small', act, symbol, label);
  return {
    el,
    /** @param {string} name @param {boolean} [pressed] */
    update(name, pressed) {
      text(label, name);
      if (pressed !== undefined) attr(el, 'aria-pressed', String(pressed));
    },
  };
}
