// The frame: who is logged in, which screen is open, what the last act did.

import { ask, Refused, useToken } from './api.js';
import { Brigade } from './brigade.js';
import { button, field, h } from './dom.js';
import { History } from './history.js';
import { Load } from './load.js';
import { Overview } from './overview.js';
import { Reviews } from './reviews.js';
import { Thresholds } from './thresholds.js';

/**
 * What a screen may ask of the frame.
 * @typedef {{
 *   overview: import('./types.js').Overview,
 *   done: (says: string) => Promise<void>,
 *   failed: (error: unknown) => string,
 * }} House
 */
/** @typedef {{ el: HTMLElement, refresh?: (house: House) => void, open?: () => void }} Screen */

/** How often the numbers are asked for anew. */
const every = 10_000;

const said = h('div', { class: 'said', role: 'status', 'data-testid': 'said' });

/** @param {string} says */
function tell(says) {
  said.textContent = says;
  setTimeout(() => {
    if (said.textContent === says) said.textContent = '';
  }, 6000);
}

/** The screen that asks for the token. @param {string} [why] */
function gate(why) {
  const input = h('input', {
    type: 'password',
    autocomplete: 'current-password',
    required: true,
    'data-testid': 'token',
    name: 'token',
  });
  const error = h('p', { class: 'error', role: 'alert', 'data-testid': 'login-error' }, why ?? '');
  const enter = h('button', { class: 'main', 'data-testid': 'login' }, 'Open the console');
  const form = h(
    'form',
    {
      class: 'card',
      onsubmit: async (/** @type {Event} */ e) => {
        e.preventDefault();
        enter.disabled = true;
        error.textContent = '';
        useToken(input.value);
        try {
          frame(await ask('overview'));
        } catch (refused) {
          useToken('');
          error.textContent = refused instanceof Error ? refused.message : String(refused);
          input.select();
        }
        enter.disabled = false;
      },
    },
    h('h1', {}, 'parley console'),
    field('Your token', input, 'Made in the shell by: parley console token NAME'),
    error,
    h('div', { class: 'row' }, enter),
  );
  document.body.replaceChildren(h('main', { class: 'gate' }, form), said);
  input.focus();
}

/** The console itself. @param {import('./types.js').Overview} first */
function frame(first) {
  const frameOf = new Frame(first);
  document.body.replaceChildren(frameOf.header, frameOf.banner, frameOf.main, said);
  frameOf.show('overview', true);
}

class Frame {
  /** @param {import('./types.js').Overview} first */
  constructor(first) {
    /** @type {House} */
    this.house = {
      overview: first,
      done: (says) => this.done(says),
      failed: (error) => this.failed(error),
    };
    /** @type {Record<string, Screen>} */
    this.screens = {
      overview: new Overview(this.house),
      load: new Load(this.house),
      thresholds: new Thresholds(this.house),
      brigade: new Brigade(this.house),
      reviews: new Reviews(this.house),
      history: new History(this.house),
    };
    const titles = {
      overview: 'Overview',
      load: 'Load',
      thresholds: 'Thresholds',
      brigade: 'Undo a brigade',
      reviews: 'Reviews',
      history: 'History',
    };
    this.tabs = new Map(
      Object.entries(titles).map(([id, title]) => [id, button(`tab-${id}`, '', () => this.show(id, true), title)]),
    );
    this.header = h(
      'header',
      { class: 'top' },
      h('strong', {}, 'parley console'),
      h('nav', { 'aria-label': 'Screens' }, ...this.tabs.values()),
      h(
        'div',
        { class: 'who' },
        h('span', { class: 'soft' }, first.who),
        button('logout', '', () => this.leave(), 'Log out'),
      ),
    );
    this.banner = h('div', { class: 'banner', role: 'alert', 'data-testid': 'paused' });
    this.main = h('main', { 'data-testid': 'screen' });
    this.timer = setInterval(() => document.visibilityState === 'visible' && this.refresh(), every);
    this.told();
  }

  /** @param {string} id @param {boolean} focus */
  show(id, focus) {
    for (const [name, tab] of this.tabs) {
      if (name === id) tab.setAttribute('aria-current', 'page');
      else tab.removeAttribute('aria-current');
    }
    const screen = this.screens[id];
    if (!screen) return;
    this.main.replaceChildren(screen.el);
    screen.open?.();
    const heading = screen.el.querySelector('h1');
    if (focus) heading?.focus();
    scrollTo(0, 0);
  }

  /** Asks for the numbers anew and tells every screen. */
  async refresh() {
    try {
      this.house.overview = await ask('overview');
      this.told();
      for (const screen of Object.values(this.screens)) screen.refresh?.(this.house);
    } catch (error) {
      tell(this.failed(error));
    }
  }

  told() {
    const { paused, paused_by, paused_reason } = this.house.overview;
    this.banner.hidden = !paused;
    this.banner.textContent = paused ? `Matching is paused by ${paused_by}: ${paused_reason}` : '';
  }

  /** @param {string} says */
  async done(says) {
    tell(says);
    await this.refresh();
  }

  /** What went wrong, in words; a token that holds no longer leads back to the door. @param {unknown} error */
  failed(error) {
    if (error instanceof Refused && error.status === 401) {
      this.leave(error.message);
    }
    return error instanceof Error ? error.message : String(error);
  }

  /** @param {string} [why] */
  leave(why) {
    clearInterval(this.timer);
    useToken('');
    gate(why);
  }
}

gate();
