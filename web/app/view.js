// The view: draws a state and sends what the person does as actions. It knows neither sockets nor
// calls. One screen at a time is in the document; a screen that stays is updated, never rebuilt.

import { attr, h, show, text } from './dom.js';
import { call } from './view-call.js';
import { chatPanel } from './view-chat.js';
import { blocked, ended } from './view-ended.js';
import { home } from './view-home.js';
import { icon } from './view-icons.js';
import { keyboard } from './view-keys.js';
import { mic } from './view-mic.js';
import { directPanel, keysPanel, reportPanel, verifyPanel } from './view-panels.js';
import { queue } from './view-queue.js';
import { alertWords, sayChange } from './view-say.js';
import { soundPanel } from './view-sound.js';
import { stage } from './view-stage.js';

/** @typedef {{languages: string[], interests: string[], widen: boolean, adult: boolean}} Choices */
/** @typedef {{id: string, label: string}} Device */
/** @typedef {{phase: string, error: string, inputs: Device[], input: string, outputs: Device[], output: string}} Mic */
/**
 * @typedef {{
 *   shared: string[], language: string, liveAt: number, slow: string, muted: boolean, volume: number, path: string,
 *   direct: {mine: boolean, theirs: boolean}, sas: null | {symbols: readonly number[], digits: string}, verified: string,
 *   quality: string, peerAway: boolean, peerSilent: boolean, chat: {mine: boolean, text: string, at: number}[],
 * }} Call
 */
/** @typedef {null | {why: string, talked: number, canReport: boolean, until: number, reported: boolean, blocked: boolean}} After */
/** @typedef {{startedAt: number, steps: {at: number, look: string}[], wait: {p50: number, p90: number} | null, waiting: number | null, note: string}} Queue */
/**
 * What the view reads of the state of app.js; times are epoch milliseconds.
 * @typedef {{
 *   screen: string, reason: string, online: boolean, choices: Choices, mic: Mic, queue: Queue, call: Call | null,
 *   after: After, panel: string, alert: string,
 * }} State
 */
/** @typedef {{languages: {tag: string, name: string}[], interests: string[]}} Catalogue */
/**
 * @typedef {{
 *   dispatch: (action: any) => void, t: import('./i18n.js').T, catalogue: Catalogue, choices: () => Choices,
 *   choose: (change: Partial<Choices>) => void, keys: {use: (on: boolean) => void},
 * }} Ctx
 */
/** @typedef {{el: HTMLElement, title: HTMLElement, update: (state: State) => void, tick?: (now: number) => void}} Screen */
/** @typedef {{el: HTMLElement, title: string, update: (state: State) => void, opened?: () => void, focus?: HTMLElement}} Panel */

/** @type {Record<string, (ctx: Ctx) => Screen>} */
const screens = {
  home,
  mic,
  queued: queue,
  matched: call,
  connecting: call,
  live: call,
  reconnecting: call,
  ended,
  blocked,
};
/** @type {Record<string, (ctx: Ctx) => Panel>} */
const panels = {
  report: reportPanel,
  verify: verifyPanel,
  chat: chatPanel,
  devices: soundPanel,
  keys: keysPanel,
  direct: directPanel,
};
const second = 500; // ms between two looks at the clock, so that no second is skipped
const hintTime = 3000; // ms that a hint of the view itself stays

/**
 * Builds the page inside root.
 * @param {HTMLElement} root
 * @param {{dispatch: (action: any) => void, t: import('./i18n.js').T, catalogue: Catalogue}} page
 */
export function mount(root, { dispatch, t, catalogue }) {
  /** @type {State | undefined} */
  let state;
  const status = h('p', { class: 'unseen', role: 'status', 'data-testid': 'status' });
  const toast = h('p', { class: 'toast', 'aria-hidden': 'true', hidden: true });
  const choices = () => state?.choices ?? { languages: [], interests: [], widen: true, adult: false };
  const keys = keyboard({ dispatch, state: () => state, hint });
  /** @type {Ctx} */
  const ctx = {
    dispatch,
    t,
    catalogue,
    choices,
    keys,
    choose: (change) => dispatch({ type: 'choose', choices: { ...choices(), ...change } }),
  };
  const picture = stage(ctx);
  const main = h('main', {});
  const side = panelHost(ctx);
  root.replaceChildren(header(ctx), picture.el, main, side.el, toast, status);

  /** @type {Screen | undefined} */
  let screen;
  /** @type {((ctx: Ctx) => Screen) | undefined} */
  let kind;
  let hinted = 0;

  /** @param {string} sentence the same sentence twice is said twice */
  function say(sentence) {
    if (sentence) text(status, status.textContent === sentence ? `${sentence}\u00a0` : sentence);
  }
  /** @param {string} key */
  function hint(key) {
    hinted = Date.now() + hintTime;
    text(toast, t(key));
    show(toast, true);
    say(t(key));
  }

  /** @param {State} next */
  function render(next) {
    const before = state;
    state = next;
    const wanted = screens[next.screen] ?? home;
    if (wanted !== kind || !screen) {
      kind = wanted;
      screen = wanted(ctx);
      main.replaceChildren(screen.el);
    }
    const { documentElement } = document;
    attr(documentElement, 'data-state', next.screen);
    attr(documentElement, 'data-reason', next.reason || undefined);
    attr(documentElement, 'data-alarm', next.call?.verified === 'mismatch');
    picture.update(next);
    screen.update(next);
    const moved = side.update(next);
    if (before && before.screen !== next.screen && !moved) focusScreen(screen, before, next);
    if (next.alert) text(toast, alertWords(next.alert, t));
    if (next.alert || Date.now() > hinted) show(toast, next.alert !== '');
    say(sayChange(before, next, t));
  }

  setInterval(() => {
    const now = Date.now();
    screen?.tick?.(now);
    if (!state?.alert && now > hinted) show(toast, false);
  }, second);

  return { render, level: picture.level };
}

/**
 * A new screen is read from its heading; within a call the focus stays where it is.
 * @param {Screen} screen @param {State} before @param {State} next
 */
function focusScreen(screen, before, next) {
  if (screens[before.screen] === screens[next.screen] && screen.el.contains(document.activeElement)) return;
  scrollTo(0, 0);
  screen.title.focus({ preventScroll: true });
}

/** @param {Ctx} ctx */
function header({ t, dispatch }) {
  return h(
    'header',
    {},
    h('p', { class: 'brand' }, h('span', { class: 'mark', 'aria-hidden': 'true' }, h('i', {}), h('i', {})), 'parley'),
    h(
      'nav',
      {},
      h(
        'button',
        {
          type: 'button',
          class: 'link',
          'data-testid': 'keys',
          onclick: () => dispatch({ type: 'panel', name: 'keys' }),
        },
        t('keys.title'),
      ),
    ),
  );
}

/** The place of the open panel. @param {Ctx} ctx */
function panelHost(ctx) {
  const { t, dispatch } = ctx;
  const title = h('h2', { id: 'panel-title', tabindex: -1 });
  const close = h(
    'button',
    {
      type: 'button',
      class: 'close',
      'data-testid': 'panel-close',
      'aria-label': t('close'),
      onclick: () => dispatch({ type: 'panel', name: '' }),
    },
    icon('close'),
  );
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
    /** @param {State} state @returns {boolean} whether the focus was moved into a panel */
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
