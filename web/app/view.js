// The view: draws a state and sends what the person does as actions. It knows neither sockets nor
// calls. One screen at a time is in the document; a screen that stays is updated, never rebuilt.

import { announcer, keyboard, keysPanel } from './view-access.js';
import { blocked } from './view-blocked.js';
import { mic, soundPanel } from './view-mic.js';
import { attr, button, h, h1, icon, p, setIcon, show, text } from './view-parts.js';
import { home, queue } from './view-search.js';

/** @typedef {{languages: string[], interests: string[], widen: boolean, adult: boolean}} Choices */
/** @typedef {{id: string, label: string}} Device */
/** @typedef {{phase: string, error: string, inputs: Device[], input: string, outputs: Device[], output: string}} Mic */
/**
 * @typedef {{
 *   shared: string[], language: string, liveAt: number, slow: string, muted: boolean, volume: number, path: string,
 *   direct: {mine: boolean, theirs: boolean}, sas: null | {symbols: readonly number[], digits: string}, verified: string,
 *   quality: string, peerAway: boolean, peerSilent: boolean, peerMuted: boolean, chat: {mine: boolean, text: string, at: number}[],
 * }} Call
 */
/** @typedef {null | {why: string, talked: number, canReport: boolean, until: number, report: string, help: string, blocked: boolean, next: number}} After */
/** @typedef {{band: string, until: number, reasons: string[], expires: number, stored: string[]}} Standing */
/** @typedef {{standing: Standing | null, asking: string, trouble: string, sure: boolean, code: string, answer: string}} Dossier */
/** @typedef {{startedAt: number, steps: {at: number, look: string}[], wait: {p50: number, p90: number} | null, waiting: number | null, note: string,
 *    puzzle: {since: number, takes: number} | null, asked: boolean}} Queue */
/**
 * What the view reads of the state of app.js; times are epoch milliseconds.
 * @typedef {{
 *   screen: string, reason: string, online: boolean, choices: Choices, mic: Mic, queue: Queue, call: Call | null,
 *   after: After, held: {until: number, reasons: string[]} | null, device: Dossier, panel: string, alert: string, again: number,
 * }} State
 */
/** @typedef {{languages: {tag: string}[], interests: string[], contact?: string, changed?: string}} Catalogue contact: how to reach who runs the server; changed: the day on which who touches data did */
/**
 * @typedef {{
 *   dispatch: (action: any) => void, act: (type: string, more?: object) => () => void, t: import('./view-parts.js').T, catalogue: Catalogue, choices: () => Choices,
 *   names: {language: (tag: string) => string, topics: (slugs: string[], or?: boolean) => string},
 *   choose: (change: Partial<Choices>) => void, room: (what: 'make' | 'channel' | 'phrase') => void, keys: {use: (on: boolean) => void},
 * }} Ctx
 */
/** @typedef {{el: HTMLElement, title: HTMLElement, update: (state: State) => void, tick?: (now: number) => void}} Screen */
/** @typedef {{el: HTMLElement, title: string, update: (state: State) => void, opened?: () => void, focus?: HTMLElement}} Panel */

/** @type {Record<string, (ctx: Ctx) => Screen>} */
const screens = { home, mic, queued: queue, held: laterScreen('held'), blocked };
/** @type {Record<string, (ctx: Ctx) => Panel>} */
const panels = { devices: soundPanel, keys: keysPanel, standing: laterPanel('standing'), device: laterPanel('device') };
/** @typedef {typeof import('./view-talk.js')} Talk screens and panels of a call, which come with what a call needs */
const none = { languages: [], interests: [], widen: true, adult: false };
// ms between two looks at the clock, so that no second is skipped.
const second = 500;

/**
 * Builds the page inside root.
 * @param {HTMLElement} root
 * @param {{dispatch: (action: any) => void, t: import('./view-parts.js').T, catalogue: Catalogue, room: Ctx['room']}} page
 */
export function mount(root, { dispatch, t, catalogue, room }) {
  /** @type {State | undefined} */
  let state;
  const voice = announcer(t);
  const choices = () => state?.choices ?? none;
  const keys = keyboard({ dispatch, state: () => state, hint: voice.hint });
  /** @type {Ctx} */
  const ctx = {
    dispatch,
    act: (type, more) => () => dispatch({ type, ...more }),
    t,
    catalogue,
    choices,
    keys,
    room,
    names: naming(t),
    choose: (change) => dispatch({ type: 'choose', choices: { ...choices(), ...change } }),
  };
  /** @type {Talk | undefined} */
  let talk;
  const picture = stage(ctx);
  const main = h('main', {});
  const side = panelHost(ctx, (name) => panels[name] ?? talk?.panels[name]);
  root.replaceChildren(header(ctx), picture.el, main, side.el, ...voice.els);

  /** @type {Screen | undefined} */
  let screen;
  /** @type {((ctx: Ctx) => Screen) | undefined} */
  let kind;

  /** @param {string} name */
  const kindOf = (name) => screens[name] ?? talk?.screens[name] ?? home;

  /** @param {State} next */
  function render(next) {
    const before = state;
    state = next;
    const wanted = kindOf(next.screen);
    if (wanted !== kind || !screen) {
      kind = wanted;
      screen = wanted(ctx);
      main.replaceChildren(screen.el);
    }
    mark(next);
    picture.update(next);
    screen.update(next);
    const moved = side.update(next);
    const same = before !== undefined && kindOf(before.screen) === wanted;
    if (before && before.screen !== next.screen && !moved) focusScreen(screen, same);
    voice.update(before, next);
  }

  setInterval(() => {
    const now = Date.now();
    screen?.tick?.(now);
    voice.tick(now);
  }, second);

  return {
    render,
    level: picture.level,
    /** What is drawn of a call, before one can begin. @param {Talk} module */
    talks: (module) => {
      talk = module;
    },
  };
}

/** @typedef {typeof import('./view-standing.js')} Standings what people see seldom comes when they ask for it */
/**
 * A part whose module comes when it is shown; until then it says so, and if it cannot come.
 * @param {Ctx} ctx @param {HTMLElement} el @param {(module: Standings) => {el: HTMLElement, update: (state: State) => void, tick?: (now: number) => void}} make
 */
function later({ t }, el, make) {
  /** @type {ReturnType<typeof make> | undefined} */
  let part;
  /** @type {State | undefined} */
  let shown;
  const note = p('note', t('later'));
  el.append(note);
  import('./view-standing.js').then(
    (module) => {
      part = make(module);
      note.replaceWith(part.el);
      if (shown) part.update(shown);
    },
    () => text(note, t('later.failed')),
  );
  return {
    /** @param {State} state */
    update(state) {
      shown = state;
      part?.update(state);
    },
    /** @param {number} now */
    tick: (now) => part?.tick?.(now),
  };
}

/** @param {'standing' | 'device'} name @returns {(ctx: Ctx) => Panel} */
function laterPanel(name) {
  return (ctx) => {
    const el = h('div', { class: 'account' });
    return { title: ctx.t(`${name}.title`), el, ...later(ctx, el, (module) => module[name](ctx)) };
  };
}

/** @param {'held'} name @returns {(ctx: Ctx) => Screen} */
function laterScreen(name) {
  return (ctx) => {
    const title = h1(ctx.t('standing.cooldown'));
    const el = h('div', { class: 'account held' }, title);
    return { el, title, ...later(ctx, el, (module) => module[name](ctx, title)) };
  };
}

/** The names of languages, each in itself, and of interests. @param {import('./view-parts.js').T} t */
function naming(t) {
  return {
    /** @param {string} tag */
    language: (tag) => new Intl.DisplayNames(tag, { type: 'language' }).of(tag) ?? tag,
    /** @param {string[]} slugs */
    topics: (slugs, or = false) =>
      t.list(
        slugs.map((slug) => t(`interest.${slug}`)),
        or,
      ),
  };
}

/** What style.css and tests go by. @param {State} state */
function mark({ screen, reason, call }) {
  const root = document.documentElement;
  attr(root, 'data-state', screen);
  attr(root, 'data-reason', reason || undefined);
  attr(root, 'data-alarm', call?.verified === 'mismatch');
}

/**
 * A new screen is read from its heading; within a call the focus stays where it is.
 * @param {Screen} screen @param {boolean} same whether it was drawn before
 */
function focusScreen(screen, same) {
  if (same && screen.el.contains(document.activeElement)) return;
  scrollTo(0, 0);
  screen.title.focus({ preventScroll: true });
}

/** @param {Ctx} ctx */
function header({ t, act }) {
  return h(
    'header',
    {},
    p('brand', h('span', { class: 'mark', 'aria-hidden': 'true' }, h('i', {}), h('i', {})), 'parley'),
    h(
      'nav',
      {},
      button('my-standing', 'quiet', act('panel', { name: 'standing' }), t('standing.title')),
      h('a', { href: 'privacy', target: '_blank', rel: 'noopener' }, t('privacy')),
      button('keys', 'quiet', act('panel', { name: 'keys' }), t('keys.title')),
    ),
  );
}

/**
 * The place where a panel opens: a sheet on phones, a card beside the call on wide screens. It is not
 * modal; the focus goes into it and comes back to where it was.
 * @param {Ctx} ctx @param {(name: string) => ((ctx: Ctx) => Panel) | undefined} makers
 */
function panelHost(ctx, makers) {
  const { t, act } = ctx;
  const title = h('h2', { id: 'panel-title', tabindex: -1 });
  const close = button('panel-close', 'close', act('panel', { name: '' }), icon('close'));
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
    /** @param {State} state @returns {boolean} whether the focus was moved into a panel */
    update(state) {
      const panel = made.get(state.panel) ?? makers(state.panel)?.(ctx);
      if (panel) made.set(state.panel, panel);
      const turned = state.panel !== open;
      if (turned) turn(state.panel, panel);
      panel?.update(state);
      return turned && panel !== undefined;
    },
  };
}

// The stage: two speech bubbles, yours and the stranger's, printed in two inks. How far apart they
// are tells the state of the call, and where they overlap a third colour appears. Distances are in
// style.css by <html data-state>; here the bars inside the bubbles move with the voices.

const bars = 5;
// Above this level somebody speaks.
const speaking = 0.12;
const nobody = { muted: false, peerAway: false, peerMuted: false };
// ms that the word stays after the voice fell silent.
const hold = 400;

/** @typedef {'me' | 'peer'} Side */
/** @typedef {import('./view-parts.js').Icon} Icon */

/** @param {{t: import('./view-parts.js').T}} ctx */
function stage({ t }) {
  const sides = { me: bubble('you', t('you')), peer: bubble('them', t('them')) };
  const lens = h('span', { class: 'lens' });
  // Decoration: all that it shows is said elsewhere in words.
  const el = h('div', { class: 'stage', 'aria-hidden': 'true' }, sides.me.el, sides.peer.el, lens);

  /** @param {import('./view.js').State} state */
  function update({ screen, call }) {
    const { muted, peerAway, peerMuted } = call ?? nobody;
    attr(sides.me.el, 'data-muted', muted);
    attr(sides.peer.el, 'data-muted', peerMuted);
    attr(sides.peer.el, 'data-away', peerAway);
    text(sides.me.idle, muted ? t('stage.muted') : '');
    const silent = peerMuted ? t('stage.muted') : '';
    text(sides.peer.idle, peerAway ? t('stage.away') : silent);
    const symbol = lensIcon(screen, call);
    show(lens, symbol !== undefined);
    if (symbol) setIcon(lens, symbol);
    if (!call) level('peer', 0);
    if (!call && screen !== 'mic') level('me', 0);
  }

  /** @param {Side} side @param {number} value 0 to 1 */
  function level(side, value) {
    const { el, state } = sides[side];
    const now = performance.now();
    if (value > speaking) state.heard = now;
    const voice = Math.round(value * 100) / 100;
    if (voice !== state.voice) el.style.setProperty('--voice', String(voice));
    state.voice = voice;
    const talks = value > speaking || (value > 0 && now - state.heard < hold);
    if (talks !== state.talks) attr(el, 'data-talks', talks);
    state.talks = talks;
  }

  /** @param {string} side @param {string} name */
  function bubble(side, name) {
    const idle = h('span', {});
    const el = h(
      'div',
      { class: `bubble ${side}` },
      h('div', { class: 'bars' }, ...Array.from({ length: bars }, () => h('i', {}))),
      h('div', { class: 'off' }, icon('mute')),
      h('div', { class: 'name' }, name),
      h('div', { class: 'word' }, idle, h('span', { class: 'talks' }, t('stage.speaking'))),
    );
    return { el, idle, state: { voice: -1, talks: false, heard: -hold } };
  }

  return { el, update, level };
}

/**
 * What is between the bubbles: how well the line is kept, or the alarm.
 * @param {string} screen @param {import('./view.js').Call | null} call
 * @returns {Icon | undefined}
 */
function lensIcon(screen, call) {
  if (call?.verified === 'mismatch') return 'warn';
  if (!call || screen !== 'live') return undefined;
  if (call.verified === 'verified') return 'verify';
  return call.path === 'direct' ? 'direct' : 'lock';
}
