// Undo a brigade: reports of one network within a span of time, taken back.

import { ask } from './api.js';
import { button, card, clock, count, field, h, table } from './dom.js';
import { bands } from './types.js';

/** @typedef {import('./main.js').House} House */

/** How many networks are listed: a brigade is not far down. */
const shown = 20;

export class Brigade {
  /** @param {House} house */
  constructor(house) {
    this.house = house;
    const now = new Date();
    this.from = h('input', {
      type: 'datetime-local',
      'data-testid': 'from',
      value: local(new Date(now.getTime() - 86_400_000)),
    });
    this.to = h('input', {
      type: 'datetime-local',
      'data-testid': 'to',
      value: local(new Date(now.getTime() + 3_600_000)),
    });
    this.list = h('div', { 'data-testid': 'networks' });
    this.error = h('p', { class: 'error', role: 'alert', 'data-testid': 'brigade-error' });
    this.step = h('div', { class: 'stack', tabindex: -1 });
    this.el = h(
      'div',
      { class: 'columns' },
      h(
        'div',
        {},
        h('h1', { tabindex: -1 }, 'Undo a brigade'),
        card(
          'Networks that reported',
          h('p', { class: 'soft' }, 'A network has a pseudonym that changes each week. The most reports come first.'),
          h(
            'div',
            { class: 'row' },
            field('From', this.from),
            field('Until', this.to),
            button('look', 'main', () => this.look(), 'Look'),
          ),
          this.error,
          this.list,
        ),
      ),
      h('div', {}, card('Take back', this.step)),
    );
    this.choose(undefined);
  }

  span() {
    return { from: new Date(this.from.value).toISOString(), to: new Date(this.to.value).toISOString() };
  }

  async look() {
    this.error.textContent = '';
    this.choose(undefined);
    try {
      const { networks } = await ask('networks', this.span());
      const floor = this.house.overview.few_records;
      this.list.replaceChildren(
        table(
          'Networks',
          ['Network', '', 'Reports', 'Targets', 'First', 'Last'],
          networks
            .slice(0, shown)
            .map((/** @type {import('./types.js').Network} */ n) => [
              n.name,
              button(`choose-${n.name}`, '', () => this.preview(n.name), 'Preview'),
              count(n.reports, floor),
              count(n.targets, floor),
              clock(n.first),
              clock(n.last),
            ]),
          'No reports in this time.',
        ),
      );
    } catch (error) {
      this.error.textContent = this.house.failed(error);
    }
  }

  /** @param {string} network */
  async preview(network) {
    this.error.textContent = '';
    try {
      this.choose(network, await ask('void/preview', { ...this.span(), network }));
      this.step.focus();
      this.step.scrollIntoView({ block: 'nearest' });
    } catch (error) {
      this.error.textContent = this.house.failed(error);
    }
  }

  /** @param {string | undefined} network @param {any} [preview] */
  choose(network, preview) {
    if (!network) {
      this.step.replaceChildren(
        h('p', { class: 'soft' }, 'Choose a network to see what taking its reports back would change.'),
      );
      return;
    }
    const floor = this.house.overview.few_records;
    const reason = h('textarea', { maxlength: 1000, 'data-testid': 'void-reason' });
    const error = h('p', { class: 'error', role: 'alert' });
    const undo = button(
      'void',
      'danger',
      async () => {
        undo.disabled = true;
        error.textContent = '';
        try {
          const { voided } = await ask('void', { ...this.span(), network, reason: reason.value });
          await this.house.done(`${voided} reports of ${network} were taken back.`);
          await this.look();
        } catch (refused) {
          error.textContent = this.house.failed(refused);
          undo.disabled = false;
        }
      },
      'Take them back',
    );
    const moves = bands.flatMap((from, i) =>
      bands.flatMap((to, j) => {
        const n = preview.bands[i]?.[j] ?? 0;
        return i === j || n === 0 ? [] : [h('li', {}, `${count(n, floor)} from ${from} to ${to}`)];
      }),
    );
    this.step.replaceChildren(
      h(
        'p',
        { 'data-testid': 'void-preview' },
        `${count(preview.reports, floor)} reports of ${network} on ${count(preview.targets, floor)} records would be taken back.`,
      ),
      h('p', {}, moves.length ? 'Records that change band:' : 'No record changes band.'),
      h('ul', {}, ...moves),
      h('p', { class: 'soft' }, 'It cannot be undone. Whoever reported may report again after another call.'),
      field('Why', reason),
      error,
      h('div', { class: 'row' }, undo),
    );
  }
}

/** A time as the field wants it, by the reader's clock. @param {Date} at */
function local(at) {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
