// How the service is doing, in numbers that are about nobody, and the switch that pauses matching.

import { ask } from './api.js';
import { button, card, clock, count, field, h, s, table } from './dom.js';
import { sum, words } from './hours.js';

/** @typedef {import('./main.js').House} House */

export class Overview {
  /** @param {House} house */
  constructor(house) {
    this.house = house;
    this.glance = h('dl', { class: 'glance', 'data-testid': 'glance' });
    this.queues = h('div', {});
    this.hours = h('div', { class: 'plot hours', 'data-testid': 'hours' });
    this.reasons = h('div', {});
    this.reason = h('textarea', { maxlength: 1000, 'data-testid': 'pause-reason' });
    this.error = h('p', { class: 'error', role: 'alert' });
    this.pause = button('pause', 'danger', () => this.toggle(), 'Pause matching');
    this.pauseSays = h('p', { class: 'soft' });
    this.el = h(
      'div',
      { class: 'columns' },
      h(
        'div',
        {},
        h('h1', { tabindex: -1 }, 'Overview'),
        card('Now', this.glance),
        card(
          'Queues',
          h('p', { class: 'soft' }, 'Numbers below the floor are not told, so that none is about one person.'),
          this.queues,
        ),
        card('Calls by hour', this.hours),
      ),
      h(
        'div',
        {},
        card('Reports by reason, 30 days', this.reasons),
        card('Pause', this.pauseSays, field('Why', this.reason), this.error, h('div', { class: 'row' }, this.pause)),
      ),
    );
    this.refresh(house);
    new ResizeObserver(() => this.drawHours()).observe(this.hours);
  }

  /** @param {House} house */
  refresh(house) {
    const o = house.overview;
    const waiting = o.queues.reduce((sum, q) => sum + (q.waiting === 'few' ? 0 : q.waiting), 0);
    const last = o.hours.at(-1);
    this.glance.replaceChildren(
      ...[
        ['Waiting now', waiting > 0 ? String(waiting) : `fewer than ${o.few_records}`],
        ['Calls in the last hour', last ? words(sum(last.calls), o.few_calls) : 'none'],
        ['Records', count(o.histogram.records, o.few_records)],
        ['Policy', `${o.holding.preset || 'own'}, revision ${o.holding.revision}`],
      ].map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
    );
    this.queues.replaceChildren(
      table(
        'Queues',
        ['Queue', 'Waiting', 'Half within', '9 of 10 within', 'Measured'],
        o.queues.map((q) => [
          q.name,
          count(q.waiting, o.few_records),
          span(q.p50_s, q.samples),
          span(q.p90_s, q.samples),
          String(q.samples),
        ]),
        'Nobody has searched in the last hour.',
      ),
    );
    this.reasons.replaceChildren(
      table(
        'Reports by reason',
        ['Reason', 'Reports'],
        o.reasons.map((r) => [r.reason, count(r.reports, o.few_calls)]),
        'No reports.',
      ),
    );
    this.pause.textContent = o.paused ? 'Resume matching' : 'Pause matching';
    this.pause.className = o.paused ? 'main' : 'danger';
    this.pauseSays.textContent = o.paused
      ? `Paused by ${o.paused_by}: ${o.paused_reason}. Searches wait with a message; calls go on.`
      : 'Nobody is matched while matching is paused. Searches wait with a message; calls go on.';
    this.drawHours();
  }

  drawHours() {
    const o = this.house.overview;
    if (o.hours.length === 0) {
      this.hours.replaceChildren(h('p', { class: 'soft' }, 'No hour has been counted yet.'));
      return;
    }
    const wide = Math.max(240, this.hours.clientWidth);
    const tall = 120;
    const sums = o.hours.map((x) => ({ hour: x.hour, ...sum(x.calls) }));
    const most = Math.max(o.few_calls, ...sums.map((x) => x.n));
    const each = wide / sums.length;
    const bars = sums.flatMap((x, i) => {
      if (x.n === 0 && !x.few) return [];
      const high = Math.max(2, ((x.n || o.few_calls / 2) / most) * tall);
      const says = `${new Date(x.hour).toLocaleString('en-GB', { dateStyle: 'short', timeStyle: 'short' })}: ${words(x, o.few_calls)}`;
      const shape = { x: i * each + 1, y: tall - high, width: Math.max(1, each - 2), height: high };
      return [s('rect', { class: x.n === 0 ? 'few' : '', ...shape }, s('title', {}, says))];
    });
    const first = o.hours[0];
    this.hours.replaceChildren(
      s(
        'svg',
        {
          viewBox: `0 0 ${wide} ${tall}`,
          width: wide,
          height: tall,
          role: 'img',
          'aria-label': `Calls in each of ${o.hours.length} hours, at most ${most}`,
        },
        ...bars,
      ),
      h(
        'p',
        { class: 'soft' },
        'Since ',
        first ? clock(first.hour) : '',
        `. The highest bar is ${most} calls; pale bars are fewer than ${o.few_calls}.`,
      ),
    );
  }

  async toggle() {
    const { paused } = this.house.overview;
    this.error.textContent = '';
    this.pause.disabled = true;
    try {
      await ask('pause', { paused: !paused, reason: this.reason.value });
      this.reason.value = '';
      await this.house.done(paused ? 'Matching goes on.' : 'Matching is paused.');
    } catch (error) {
      this.error.textContent = this.house.failed(error);
    }
    this.pause.disabled = false;
  }
}

/** @param {number} seconds @param {number} samples */
function span(seconds, samples) {
  if (samples === 0) return 'not known';
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
