// Reviews: somebody asks that their record be looked at, and reads the answer by their code.

import { ask } from './api.js';
import { button, card, clock, field, h, table } from './dom.js';

/** @typedef {import('./main.js').House} House */
/** @typedef {import('./types.js').Review} Review */

export class Reviews {
  /** @param {House} house */
  constructor(house) {
    this.house = house;
    this.code = h('input', { autocomplete: 'off', spellcheck: 'false', autocapitalize: 'none', 'data-testid': 'code' });
    this.error = h('p', { class: 'error', role: 'alert', 'data-testid': 'review-error' });
    this.list = h('div', { 'data-testid': 'reviews' });
    this.step = h('div', { class: 'stack' });
    this.el = h(
      'div',
      { class: 'columns' },
      h(
        'div',
        {},
        h('h1', { tabindex: -1 }, 'Reviews'),
        card(
          'By code',
          h(
            'form',
            { onsubmit: (/** @type {Event} */ e) => this.find(e) },
            h(
              'div',
              { class: 'row' },
              field('The code that somebody gave you', this.code),
              h('button', { class: 'main', 'data-testid': 'find-code' }, 'Look up'),
            ),
          ),
          this.error,
        ),
        card('Open', this.list),
      ),
      h('div', {}, card('Decide', this.step)),
    );
    this.choose(undefined);
  }

  open() {
    this.look();
  }

  async look() {
    try {
      const { reviews } = await ask('reviews');
      this.list.replaceChildren(
        table(
          'Open reviews',
          ['Opened', 'Band', 'Reports', ''],
          reviews.map((/** @type {Review} */ r) => [
            clock(r.opened),
            h('span', { class: `band ${r.band}` }, r.band),
            String(r.reports),
            button(`review-${r.id}`, '', () => this.choose(r), 'Open'),
          ]),
          'Nobody has asked for a review.',
        ),
      );
    } catch (error) {
      this.error.textContent = this.house.failed(error);
    }
  }

  /** @param {Event} e */
  async find(e) {
    e.preventDefault();
    this.error.textContent = '';
    try {
      this.choose(await ask('review/find', { code: this.code.value }));
    } catch (error) {
      this.error.textContent = this.house.failed(error);
    }
  }

  /** @param {Review | undefined} r */
  choose(r) {
    if (!r) {
      this.step.replaceChildren(
        h(
          'p',
          { class: 'soft' },
          'Choose a review. A decision cannot be taken back, and the person sees it when they ask with their code.',
        ),
      );
      return;
    }
    const reason = h('textarea', { maxlength: 1000, 'data-testid': 'review-reason' });
    const error = h('p', { class: 'error', role: 'alert' });
    const answer = (/** @type {string} */ verdict, /** @type {string} */ says) => async () => {
      error.textContent = '';
      try {
        await ask('review/answer', { id: r.id, verdict, reason: reason.value });
        this.choose(undefined);
        await this.house.done(says);
        await this.look();
      } catch (refused) {
        error.textContent = this.house.failed(refused);
      }
    };
    const reasons = Object.entries(r.reasons).map(([name, n]) => h('li', {}, `${name}: ${n}`));
    this.step.replaceChildren(
      h(
        'dl',
        { class: 'glance', 'data-testid': 'review' },
        ...[
          ['Band', r.band],
          ['Score', r.score.toFixed(3)],
          ['Reports', String(r.reports)],
        ].map(([k, v]) => h('div', {}, h('dt', {}, k), h('dd', {}, v))),
      ),
      h('ul', {}, ...reasons),
      h('p', { class: 'soft' }, 'Asked for ', clock(r.opened), '. The last report expires ', clock(r.expires), '.'),
      field('Why', reason, 'It stands in the history; the person does not see it.'),
      error,
      h(
        'div',
        { class: 'row' },
        button('expunge', 'main', answer('expunged', 'The record is expunged.'), 'Expunge the record'),
        button('keep', '', answer('kept', 'The record is kept.'), 'Keep it'),
      ),
    );
  }
}
