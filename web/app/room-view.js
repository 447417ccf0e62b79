// The view of a room: one screen at a time, what changes is said aloud, and the keys. It draws a state and sends what
// the person does; it knows neither sockets nor keys of the other kind.

import { clock } from './room.js';
import { ours, stateOf } from './room-state.js';
import { channelForm, makeForm, phraseForm } from './room-view-forms.js';
import { inside } from './room-view-inside.js';
import { helpPage, preview } from './room-view-media.js';
import { attr, button, h, h1, p, text } from './view-parts.js';

/** @typedef {import('./room-state.js').State} State */
/** @typedef {import('./room-phrase.js').List} List */
/** @typedef {{t: import('./view-parts.js').T, list: List, what: string, fragment: string, base: string, dispatch: (event: any) => void,
 *   listDevices: (kind: 'mic' | 'camera') => Promise<{id: string, label: string}[]>, choose: (kind: 'mic' | 'camera', id: string) => void}} Page */
/** @typedef {Page & {back: () => void, leave: () => void}} Ctx */

const FORMS = { make: makeForm, phrase: phraseForm, channel: channelForm, help: helpPage };

/** @param {HTMLElement} root @param {Page} page */
export function mountRoom(root, page) {
  const { t, what, dispatch } = page;
  const home = () => location.assign(new URL('./', document.baseURI));
  /** @type {Ctx} */
  const ctx = { ...page, back: home, leave: () => dispatch({ type: 'leave' }) };
  const status = h('p', { class: 'unseen', role: 'status', 'data-testid': 'status' });
  const main = h('main', {});
  const brand = p('brand', h('span', { class: 'mark', 'aria-hidden': 'true' }, h('i', {}), h('i', {})), 'parley');
  const privacy = h('a', { href: 'privacy', target: '_blank', rel: 'noopener' }, t('privacy'));
  root.replaceChildren(h('header', {}, brand, h('nav', {}, privacy)), main, status);
  document.title = t('room.page');

  const form = FORMS[/** @type {keyof typeof FORMS} */ (what)] ?? phraseForm;
  const before = preview(ctx);
  const within = inside(ctx);
  const entering = waiting(ctx);
  const after = ended(ctx);
  const first = form(ctx);
  const screens = { form: first, preview: before, entering, knocking: entering, inside: within, ended: after };
  /** @type {State | undefined} */
  let shown;

  /** @param {State} state */
  function render(state) {
    const screen = screens[state.place];
    const was = shown;
    shown = state;
    const held = document.activeElement;
    screen.update(state);
    if (main.firstChild !== screen.el) {
      main.replaceChildren(screen.el);
      scrollTo(0, 0);
      screen.title.focus({ preventScroll: true });
    } else if (lost(held)) screen.title.focus({ preventScroll: true });
    mark(state);
    const words = was ? sayRoom(was, state, t) : '';
    if (words) text(status, status.textContent === words ? `${words}\u00a0` : words);
  }

  addEventListener('keydown', (event) => key(event, ctx, shown));
  setInterval(() => within.tick(clock()), 500);
  return {
    render,
    plays: within.plays,
    /** @param {{video: MediaStreamTrack | null}} tracks */
    preview({ video }) {
      const stream = video ? new MediaStream([video]) : null;
      for (const { picture } of [before, within]) picture.srcObject = stream;
    },
  };
}

/** Whether what had the focus is gone and nothing else has it.
 * @param {Element | null} held */
function lost(held) {
  const { activeElement: now, body } = document;
  return held !== null && held !== body && (now === held || now === body) && !held.checkVisibility();
}

/** What style.css and tests go by. @param {State} state */
function mark(state) {
  const root = document.documentElement;
  attr(root, 'data-state', stateOf(state));
  attr(root, 'data-room', state.kind);
  const locked = state.locked ? 'locked' : undefined;
  attr(root, 'data-reason', state.place === 'ended' ? state.why : state.place === 'knocking' ? 'knocking' : locked);
}

/** M for the microphone, V for the picture, never while somebody writes.
 * @param {KeyboardEvent} event @param {Ctx} ctx @param {State | undefined} state */
function key({ key, target, ctrlKey, metaKey, altKey }, { dispatch }, state) {
  const writes = target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  if (writes || ctrlKey || metaKey || altKey || state?.place !== 'inside') return;
  const { mic, camera } = state.media;
  if (key === 'm' || key === 'M')
    dispatch(mic.phase === 'on' ? { type: 'mute' } : { type: 'device', kind: 'mic', on: true });
  if (key === 'v' || key === 'V') dispatch({ type: 'device', kind: 'camera', on: camera.phase === 'off' });
}

/** Between the button and the room. @param {Ctx} ctx @returns {import('./room-view-forms.js').Screen} */
function waiting({ t, dispatch }) {
  const title = h1();
  const why = p('lead');
  const cancel = button('cancel', '', () => dispatch({ type: 'cancel' }), t('cancel'));
  return {
    el: h('div', { class: 'room-form' }, title, why, h('div', { class: 'go' }, cancel)),
    title,
    update({ place, online }) {
      text(title, t(place === 'knocking' ? 'knocking.title' : 'entering.title'));
      text(why, t(place === 'knocking' ? 'knocking.lead' : online ? 'entering.lead' : 'hint.offline'));
    },
  };
}

/** Why it is over. @param {Ctx} ctx @returns {import('./room-view-forms.js').Screen} */
function ended({ t, back }) {
  const title = h1();
  const why = p('lead');
  return {
    el: h(
      'div',
      { class: 'room-form' },
      title,
      why,
      h('div', { class: 'go' }, button('home', 'primary', back, t('room.home'))),
    ),
    title,
    update({ why: reason }) {
      text(title, t(`ended.${reason || 'left'}`));
      text(why, t(`ended.${reason || 'left'}.why`));
    },
  };
}

/** What to say aloud between two states.
 * @param {State} before @param {State} after @param {import('./view-parts.js').T} t */
export function sayRoom(before, after, t) {
  const live = (/** @type {State} */ s) =>
    new Set(
      ours(s)
        .filter((p) => p.phase === 'live')
        .map((p) => p.number),
    );
  const [was, now] = [live(before), live(after)];
  const came = [...now].filter((n) => !was.has(n)).map((n) => t('say.came', { name: t('peer.name', { n }) }));
  const went = [...was].filter((n) => !now.has(n)).map((n) => t('say.went', { name: t('peer.name', { n }) }));
  const lines = after.chat.filter((line) => line.from !== 0 && !before.chat.includes(line));
  /** @type {[boolean, string][]} */
  const changes = [
    [after.place === 'ended' && before.place !== 'ended', `ended.${after.why || 'left'}`],
    [after.place === 'knocking' && before.place !== 'knocking', 'knocking.title'],
    [after.knocks.length > before.knocks.length, 'knock.here'],
    [after.locked && !before.locked, 'lock.locked'],
    [!after.locked && before.locked && after.place === 'inside', 'lock.open'],
    [after.media.muted && !before.media.muted, 'say.muted'],
    [!after.media.muted && before.media.muted, 'say.unmuted'],
    [after.media.camera.phase === 'on' && before.media.camera.phase !== 'on', 'say.camera_on'],
    [after.media.camera.phase === 'off' && before.media.camera.phase === 'on', 'say.camera_off'],
  ];
  const said = changes.filter(([is]) => is).map(([, key]) => t(key));
  return [...said, ...came, ...went, ...lines.map(({ from, text }) => `${t('peer.name', { n: from })}: ${text}`)].join(
    ' ',
  );
}
