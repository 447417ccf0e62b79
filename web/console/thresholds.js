// Where the policy is tuned: the chart, every other number, and beside them what would change.

import { ask, Refused } from './api.js';
import { Chart } from './chart.js';
import { button, card, clock, count, field, h, ranked, settle } from './dom.js';
import { differences, fault, get, leaves, same, set, settings, title } from './policy.js';
import { bands } from './types.js';

/** @typedef {import('./main.js').House} House */
/** @typedef {import('./types.js').Policy} Policy */
/** @typedef {import('./types.js').Preview} Preview */

export class Thresholds {
  /** @param {House} house */
  constructor(house) {
    this.house = house;
    this.holding = house.overview.holding; // what the draft began from
    this.draft = structuredClone(this.holding.policy);
    /** @type {Preview | undefined} of the draft */
    this.preview = undefined;
    this.asked = 0;
    this.histogram = house.overview.histogram; // of the last draft that was looked at
    this.chart = new Chart((thresholds) => this.change({ ...this.draft, thresholds }), house.overview.few_records);
    /** @type {Map<string, HTMLInputElement>} */
    this.inputs = new Map();
    this.previewBox = h('div', { class: 'stack', 'aria-live': 'polite', 'data-testid': 'preview' });
    this.changes = h('ul', { class: 'changes', 'data-testid': 'changes' });
    this.fault = h('p', { class: 'error', role: 'alert', 'data-testid': 'fault' });
    this.conflict = h('div', { class: 'conflict', role: 'alert', hidden: true, 'data-testid': 'conflict' });
    this.reason = h('textarea', { maxlength: 1000, 'data-testid': 'reason', oninput: () => this.buttons() });
    this.apply = button('apply', 'main', () => this.send(), 'Apply');
    this.reset = button('reset', '', () => this.start(), 'Back to what holds');
    this.holds = h('p', { class: 'soft' });
    this.ask = settle(120, () => this.look());
    this.el = this.build();
    this.start();
  }

  build() {
    const presets = Object.keys(this.house.overview.presets).map((name) =>
      button(
        `preset-${name}`,
        '',
        () => this.change(structuredClone(this.house.overview.presets[name] ?? this.draft), true),
        name,
      ),
    );
    const reporters = [0, 1, 2].map((i) => this.number(`min_reporters.${i}`));
    const weights = Object.keys(this.draft.reason_weight).map((key) => this.number(`reason_weight.${key}`));
    const others = settings.filter(([name]) => name in this.draft).map(([name, , unit]) => this.number(name, unit));
    return h(
      'div',
      { class: 'columns' },
      h(
        'div',
        {},
        h('h1', { tabindex: -1 }, 'Thresholds'),
        ranked(
          'first',
          card(
            'Scores of all records',
            h(
              'p',
              { class: 'soft' },
              'Drag a line, or focus it and use the arrow keys. Height grows with the square root; pale bars are fewer than ',
              String(this.house.overview.few_records),
              '.',
            ),
            this.chart.el,
            h('div', { class: 'row' }, h('span', {}, 'Begin from'), ...presets),
          ),
        ),
        card(
          'Numbers',
          h('div', { class: 'numbers' }, ...reporters),
          h('details', {}, h('summary', {}, 'Weight of each reason'), h('div', { class: 'numbers' }, ...weights)),
          h('details', {}, h('summary', {}, 'Everything else'), h('div', { class: 'numbers' }, ...others)),
        ),
      ),
      h(
        'div',
        {},
        ranked('second', card('What would change', this.previewBox)),
        card(
          'Apply',
          this.holds,
          this.conflict,
          this.changes,
          this.fault,
          field('Why', this.reason, 'It stands in the history, with your name.'),
          h('div', { class: 'row' }, this.apply, this.reset),
        ),
      ),
    );
  }

  /** @param {string} path @param {string} [unit] */
  number(path, unit = '') {
    const input = h('input', {
      type: 'number',
      step: 'any',
      min: 0,
      inputmode: 'decimal',
      'data-testid': `set-${path}`,
      oninput: () => this.change(set(this.draft, path, input.value === '' ? Number.NaN : Number(input.value))),
    });
    this.inputs.set(path, input);
    return field(unit ? `${title(path)} (${unit})` : title(path), input);
  }

  /** Drops the draft and begins from what holds. */
  start() {
    this.holding = this.house.overview.holding;
    this.conflict.hidden = true;
    this.draft = structuredClone(this.holding.policy);
    this.change(this.draft, true);
  }

  /** @param {House} house */
  refresh(house) {
    const newer = house.overview.holding.revision !== this.holding.revision;
    if (newer && same(this.draft, this.holding.policy)) this.start();
    else if (newer) this.overtaken(house.overview.holding);
    if (!newer && this.el.isConnected) this.look();
  }

  open() {
    this.look();
  }

  /** @param {Policy} draft @param {boolean} [all] the numbers too, not only the chart */
  change(draft, all = false) {
    this.draft = draft;
    for (const [path, input] of this.inputs) {
      if (all || document.activeElement !== input) input.value = String(get(draft, path));
    }
    if (draft.thresholds.every(Number.isFinite)) {
      this.chart.show(this.histogram, this.holding.policy.thresholds, draft.thresholds);
    }
    this.changes.replaceChildren(...differences(this.holding.policy, draft).map((d) => h('li', {}, d.says)));
    this.fault.textContent = fault(draft);
    const { revision, who, when, reason } = this.holding;
    this.holds.replaceChildren(
      `Revision ${revision} holds`,
      ...(who ? [`, set by ${who}, `, clock(when), `: ${reason}`] : ['.']),
    );
    this.preview = undefined;
    this.previewBox.classList.add('stale');
    this.buttons();
    if (!this.fault.textContent) this.ask(undefined);
  }

  buttons() {
    const changed = !same(this.holding.policy, this.draft);
    const open = !this.conflict.hidden || !this.preview || this.fault.textContent !== '';
    this.apply.disabled = !changed || open || this.reason.value.trim().length < 3;
    this.reset.disabled = !changed && this.conflict.hidden === true;
  }

  /** Asks what the draft would change; only the newest answer counts. */
  async look() {
    const mine = ++this.asked;
    try {
      const preview = await ask('preview', { policy: this.draft });
      if (mine !== this.asked) return;
      this.preview = preview;
      this.previewBox.replaceChildren(...this.table(preview));
      this.previewBox.classList.remove('stale');
      this.histogram = preview.histogram;
      this.chart.show(this.histogram, this.holding.policy.thresholds, this.draft.thresholds);
    } catch (error) {
      if (mine === this.asked) this.fault.textContent = this.house.failed(error);
    }
    this.buttons();
  }

  /** @param {Preview} p @returns {Node[]} */
  table(p) {
    const floor = this.house.overview.few_records;
    const head = h(
      'tr',
      {},
      h('th', { scope: 'col' }, 'now'),
      ...bands.map((b) => h('th', { scope: 'col', class: `band ${b}` }, b)),
    );
    const rows = bands.map((from, i) =>
      h(
        'tr',
        {},
        h('th', { scope: 'row', class: `band ${from}` }, from),
        ...bands.map((to, j) => cell(from, to, j - i, p.bands[i]?.[j] ?? 0, floor)),
      ),
    );
    const touched = p.touched === null ? 'not known: there were too few matches' : `${(p.touched * 100).toFixed(1)} %`;
    return [
      h(
        'p',
        { 'data-testid': 'summary' },
        `Of ${count(p.records, floor)} records ${count(p.changed, floor)} change band: ${count(p.harder, floor)} to a harder one, ${count(p.milder, floor)} to a milder one.`,
      ),
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': 'Records by band, now and afterwards' },
        h(
          'table',
          { class: 'matrix' },
          h('caption', { class: 'unseen' }, 'Rows: the band now. Columns: the band afterwards.'),
          h('thead', {}, head),
          h('tbody', {}, ...rows),
        ),
      ),
      h(
        'p',
        { class: 'soft' },
        `Share of the last day’s calls that would be touched: ${touched}. Every record, as read in the last seconds, was judged by both policies in ${p.took_ms} ms.`,
      ),
    ];
  }

  async send() {
    this.apply.disabled = true;
    try {
      await ask('policy', { policy: this.draft, revision: this.holding.revision, reason: this.reason.value });
      this.reason.value = '';
      await this.house.done('The policy is set. Every node takes it up within seconds.');
      this.start();
    } catch (error) {
      if (error instanceof Refused && error.status === 409 && error.body.holding) this.overtaken(error.body.holding);
      else this.fault.textContent = this.house.failed(error);
    }
    this.buttons();
  }

  /** Another operator was faster: what they changed, and a way on. @param {import('./types.js').Holding} theirs */
  overtaken(theirs) {
    const changes = differences(this.holding.policy, theirs.policy);
    this.conflict.hidden = false;
    this.conflict.replaceChildren(
      h(
        'p',
        {},
        h('strong', {}, `${theirs.who || 'Somebody'} set revision ${theirs.revision} meanwhile`),
        `: ${theirs.reason}`,
      ),
      h('ul', {}, ...(changes.length ? changes.map((c) => h('li', {}, c.says)) : [h('li', {}, 'No number differs.')])),
      h(
        'div',
        { class: 'row' },
        button('take-theirs', '', () => this.takeUp(theirs, false), 'Drop my changes'),
        button('keep-mine', '', () => this.takeUp(theirs, true), 'Put my changes on top'),
      ),
    );
    this.buttons();
  }

  /** @param {import('./types.js').Holding} theirs @param {boolean} mine */
  takeUp(theirs, mine) {
    const changed = new Map(
      leaves(this.draft).filter(([path, value]) => new Map(leaves(this.holding.policy)).get(path) !== value),
    );
    this.house.overview.holding = theirs;
    this.start();
    if (!mine) return;
    let draft = this.draft;
    for (const [path, value] of changed) if (typeof value === 'number') draft = set(draft, path, value);
    this.change(draft, true);
  }
}

/**
 * One number of the matrix.
 * @param {string} from @param {string} to @param {number} steps to a harder band; negative to a milder one
 * @param {import('./types.js').Count} n @param {number} floor
 */
function cell(from, to, steps, n, floor) {
  let style = '';
  if (steps === 0) style = 'stay';
  else if (n !== 0) style = steps > 0 ? 'harder' : 'milder';
  return h('td', { class: style, 'data-cell': `${from}-${to}` }, n === 'few' ? `< ${floor}` : String(n));
}
