// How many calls there are and when, to plan for: by hour for some days, by day for more than a year.

import { ask } from './api.js';
import { button, card, clock, h, s, table } from './dom.js';
import { busiest, byHourOfDay, grouped, read, sum, words } from './hours.js';

/** @typedef {import('./main.js').House} House */
/** @typedef {import('./hours.js').Bar} Bar */

const lengths = ['under 10 s', 'under 1 min', 'under 10 min', 'longer'];
const tall = 180;

/** What can be shown: so many days, in bars of so many hours. */
const spans = [
  { id: '2', name: '2 days', days: 2, each: 1 },
  { id: '14', name: '14 days', days: 14, each: 1 },
  { id: '90', name: '90 days', days: 90, each: 24 },
  { id: '400', name: '400 days', days: 400, each: 24 },
];

export class Load {
  /** @param {House} house */
  constructor(house) {
    this.house = house;
    this.span = /** @type {typeof spans[number]} */ (spans[1]);
    this.csv = '';
    this.chart = h('div', { class: 'plot load', 'data-testid': 'load' });
    this.facts = h('div', { 'data-testid': 'load-facts' });
    this.day = h('div', { class: 'plot load', 'data-testid': 'load-day' });
    this.says = h('p', { class: 'error', role: 'alert' });
    this.choices = spans.map((span) => button(`load-${span.id}`, '', () => this.choose(span), span.name));
    this.save = button('load-save', 'main', () => this.download(), 'Save as CSV');
    this.el = h(
      'div',
      { class: 'stack' },
      h('h1', { tabindex: -1 }, 'Load'),
      card(
        'Calls by how long they lasted',
        h('div', { class: 'row' }, ...this.choices, this.save),
        this.says,
        this.chart,
        h('p', { class: 'legend' }, ...lengths.map((name, i) => h('span', { class: `length${i}` }, name))),
        this.facts,
      ),
      card('By hour of the day', h('p', { class: 'soft' }, 'The mean of the days shown, UTC.'), this.day),
    );
    new ResizeObserver(() => this.draw()).observe(this.chart);
  }

  open() {
    this.choose(this.span);
  }

  /** @param {typeof spans[number]} span */
  async choose(span) {
    this.span = span;
    for (const [i, choice] of this.choices.entries()) choice.setAttribute('aria-pressed', String(spans[i] === span));
    this.says.textContent = '';
    try {
      const { csv } = await ask(`hours?days=${span.days}`);
      if (this.span !== span) return;
      this.csv = csv;
      this.draw();
    } catch (error) {
      this.says.textContent = this.house.failed(error);
    }
  }

  /** Gives the browser the values as a file. */
  download() {
    const at = URL.createObjectURL(new Blob([this.csv], { type: 'text/csv' }));
    h('a', { href: at, download: `parley-hours-${this.span.days}-days.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(at), 10_000);
  }

  draw() {
    const hours = read(this.csv);
    const floor = this.house.overview.few_calls;
    if (hours.length === 0) {
      this.chart.replaceChildren(h('p', { class: 'soft' }, 'No call has been counted in this time.'));
      this.facts.replaceChildren();
      this.day.replaceChildren();
      return;
    }
    const bars = grouped(hours, this.span.each);
    this.chart.replaceChildren(this.stacks(bars, floor));
    const best = busiest(hours);
    const all = sum(hours.map((one) => sum(one.calls)));
    const most = Math.max(...bars.map((bar) => sum(bar.calls).n)).toLocaleString('en-GB');
    this.facts.replaceChildren(
      table(
        'Load',
        ['', 'Calls'],
        [
          [this.span.name, words(all, floor)],
          ['A day, in the mean', Math.round(all.n / Math.max(1, hours.length / 24)).toLocaleString('en-GB')],
          [
            h('span', {}, 'The busiest hour', best ? ', ' : '', best ? clock(new Date(best.at).toISOString()) : ''),
            best ? words(sum(best.calls), floor) : '',
          ],
        ],
      ),
      h(
        'p',
        { class: 'soft' },
        `The highest bar is ${most} calls. Numbers below ${floor} are not told and not in the sums: “and some” says that there were such.`,
      ),
    );
    this.day.replaceChildren(this.clockface(byHourOfDay(hours)));
  }

  /** @param {Bar[]} bars @param {number} floor */
  stacks(bars, floor) {
    const wide = Math.max(240, this.chart.clientWidth);
    const each = wide / bars.length;
    const most = Math.max(floor, ...bars.map((bar) => sum(bar.calls).n));
    const shapes = bars.flatMap((bar, i) => {
      let y = tall;
      return bar.calls.flatMap((calls, length) => {
        const high = calls.few && calls.n === 0 ? 2 : (calls.n / most) * (tall - 10);
        if (high === 0) return [];
        y -= high;
        const says = `${when(bar.at, this.span.each)}, ${lengths[length]}: ${words(calls, floor)}`;
        const shape = { x: i * each, y, width: Math.max(0.5, each - Math.min(1, each / 4)), height: high };
        return [s('rect', { class: `length${length}`, ...shape }, s('title', {}, says))];
      });
    });
    const of = this.span.each === 1 ? 'hours' : 'days';
    return drawing(wide, `Calls in each of ${bars.length} ${of}, at most ${most}`, shapes);
  }

  /** @param {number[]} means */
  clockface(means) {
    const wide = Math.max(240, this.chart.clientWidth);
    const each = wide / means.length;
    const most = Math.max(1, ...means);
    const shapes = means.flatMap((mean, i) => {
      const high = (mean / most) * (tall - 40);
      const says = `${i}:00 to ${i + 1}:00 UTC: ${mean.toFixed(1)} calls`;
      return [
        s(
          'rect',
          { class: 'length2', x: i * each + 1, y: tall - 20 - high, width: each - 2, height: high },
          s('title', {}, says),
        ),
        i % 6 === 0 ? s('text', { x: i * each + 2, y: tall - 4 }, `${i}:00`) : s('g', {}),
      ];
    });
    return drawing(wide, `Calls by hour of the day, at most ${most.toFixed(1)} in the mean`, shapes);
  }
}

/** @param {number} wide @param {string} says @param {SVGElement[]} shapes */
const drawing = (wide, says, shapes) =>
  s('svg', { viewBox: `0 0 ${wide} ${tall}`, width: wide, height: tall, role: 'img', 'aria-label': says }, ...shapes);

/** @param {number} at @param {number} each */
const when = (at, each) =>
  new Date(at).toLocaleString(
    'en-GB',
    each === 1 ? { dateStyle: 'short', timeStyle: 'short' } : { dateStyle: 'medium' },
  );
