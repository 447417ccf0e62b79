// The histogram of scores with the thresholds as lines that can be dragged, or moved by keys. The
// drawing is as wide as its place in real pixels, so that letters keep their size on a phone.

import { h, props, s } from './dom.js';
import { bars, keyed, limits, moved, reach, round, scoreAt, xOf } from './scale.js';
import { bands } from './types.js';

const height = 300;
const margin = { left: 14, right: 14, top: 84, bottom: 34 };

export class Chart {
  /**
   * @param {(thresholds: number[]) => void} onmove hears every move
   * @param {number} floor below which a number is not told
   */
  constructor(onmove, floor) {
    this.onmove = onmove;
    this.floor = floor;
    /** @type {number[]} */
    this.now = [0.07, 0.12, 0.2];
    /** @type {readonly number[]} */
    this.held = this.now; // what holds on the server
    /** @type {import('./types.js').Histogram} */
    this.histogram = { width: 0.01, bins: [], records: 0 };
    this.max = 0.4;
    this.svg = s('svg', { class: 'chart', role: 'group', 'aria-label': 'Scores of all records, with the thresholds' });
    this.zones = s('g', {});
    this.bars = s('g', { 'aria-hidden': 'true' });
    this.axis = s('g', { class: 'axis', 'aria-hidden': 'true' });
    this.ghosts = s('g', { class: 'ghosts', 'aria-hidden': 'true' });
    this.lines = [0, 1, 2].map((i) => this.line(i));
    this.svg.append(this.zones, this.bars, this.axis, this.ghosts, ...this.lines.map((l) => l.group));
    this.el = h('div', { class: 'plot' }, this.svg);
    new ResizeObserver(() => this.draw()).observe(this.el);
  }

  /** @returns {import('./scale.js').Frame} */
  get frame() {
    const width = Math.max(240, this.el.clientWidth);
    return {
      left: margin.left,
      top: margin.top,
      width: width - margin.left - margin.right,
      height: height - margin.top - margin.bottom,
      max: this.max,
    };
  }

  /** One threshold: a line, a grip, a flag with its name. @param {number} i */
  line(i) {
    const name = bands[/** @type {1 | 2 | 3} */ (i + 1)];
    const rule = s('line', { class: 'rule' });
    const touch = s('rect', { class: 'touch', width: 36 });
    const flag = s('rect', { class: 'flag', rx: 6, height: 22 });
    const label = s('text', { class: 'label', 'text-anchor': 'middle' });
    const group = s(
      'g',
      {
        class: `threshold ${name}`,
        role: 'slider',
        tabindex: 0,
        'aria-orientation': 'horizontal',
        'aria-label': `Threshold of ${name}`,
        'data-testid': `threshold-${name}`,
        onkeydown: (/** @type {KeyboardEvent} */ e) => this.press(e, i),
        onpointerdown: (/** @type {PointerEvent} */ e) => this.grab(e, i, group),
        onpointermove: (/** @type {PointerEvent} */ e) =>
          group.hasPointerCapture(e.pointerId) && this.move(i, this.under(e)),
      },
      touch,
      rule,
      flag,
      label,
    );
    return { group, rule, touch, flag, label, name };
  }

  /** @param {KeyboardEvent} e @param {number} i */
  press(e, i) {
    const to =
      e.altKey || e.ctrlKey || e.metaKey ? undefined : keyed(e.key, this.now[i] ?? 0, limits(this.now, i, this.max));
    if (to === undefined) return;
    e.preventDefault();
    this.move(i, to);
  }

  /** @param {PointerEvent} e @param {number} i @param {SVGGElement} group */
  grab(e, i, group) {
    if (e.button !== 0) return;
    e.preventDefault();
    group.setPointerCapture(e.pointerId);
    group.focus();
    this.move(i, this.under(e));
  }

  /** The score below the pointer. @param {PointerEvent} e */
  under(e) {
    return scoreAt(this.frame, e.clientX - this.svg.getBoundingClientRect().left);
  }

  /** @param {number} i @param {number} score */
  move(i, score) {
    const next = moved(this.now, i, score, this.max);
    if (next.every((n, at) => n === this.now[at])) return;
    this.now = next;
    this.draw();
    this.onmove(next);
  }

  /** @param {import('./types.js').Histogram} histogram @param {readonly number[]} held @param {number[]} now */
  show(histogram, held, now) {
    this.histogram = histogram;
    this.held = held;
    this.now = [...now];
    this.max = Math.max(reach(held), reach(now));
    this.draw();
  }

  draw() {
    const f = this.frame;
    const width = f.width + margin.left + margin.right;
    props(this.svg, { viewBox: `0 0 ${width} ${height}`, width, height });
    this.zones.replaceChildren(...this.areas(f));
    this.bars.replaceChildren(
      ...bars(f, this.histogram, this.floor).map((b) =>
        s(
          'rect',
          { class: b.few ? 'bar few' : 'bar', x: b.x, y: b.y, width: b.width, height: b.height },
          s('title', {}, b.says),
        ),
      ),
    );
    this.axis.replaceChildren(...ticks(f));
    this.ghosts.replaceChildren(
      ...this.held.flatMap((score, i) => (score === this.now[i] ? [] : [vertical(f, score, 'ghost')])),
    );
    for (const [i, l] of this.lines.entries()) this.place(f, l, i);
  }

  /** The bands as areas behind the bars. @param {import('./scale.js').Frame} f */
  areas(f) {
    const edges = [0, ...this.now, f.max];
    return bands.map((band, i) => {
      const from = xOf(f, edges[i] ?? 0);
      const width = Math.max(0, xOf(f, edges[i + 1] ?? f.max) - from);
      return s('rect', { class: `zone ${band}`, x: from, y: f.top, width, height: f.height });
    });
  }

  /** @param {import('./scale.js').Frame} f @param {ReturnType<Chart['line']>} l @param {number} i */
  place(f, l, i) {
    const now = this.now[i] ?? 0;
    const x = xOf(f, now);
    const [low, high] = limits(this.now, i, this.max);
    const y = 6 + i * 26; // each flag has a row of its own, so that none covers another
    const wide = 124;
    const left = Math.min(Math.max(x - wide / 2, 1), f.left + f.width + margin.right - wide - 1);
    props(l.touch, { x: x - 18, y, height: f.top + f.height - y });
    props(l.rule, { x1: x, x2: x, y1: y + 22, y2: f.top + f.height });
    props(l.flag, { x: left, y, width: wide });
    props(l.label, { x: left + wide / 2, y: y + 15.5 });
    l.label.textContent = `${l.name} ${round(now)}`;
    props(l.group, {
      'aria-valuemin': low,
      'aria-valuemax': high,
      'aria-valuenow': now,
      'aria-valuetext': `${l.name} from a score of ${round(now)}`,
    });
  }
}

/** @param {import('./scale.js').Frame} f @param {number} score @param {string} style */
function vertical(f, score, style) {
  const x = xOf(f, score);
  return s('line', { class: style, x1: x, x2: x, y1: f.top, y2: f.top + f.height });
}

/** The axis: a mark each tenth, or half tenth where there is room. @param {import('./scale.js').Frame} f */
function ticks(f) {
  const base = f.top + f.height;
  const gap = f.max > 0.6 || f.width < 360 ? 0.1 : 0.05;
  const all = [s('line', { x1: f.left, x2: f.left + f.width, y1: base, y2: base })];
  /** @type {SVGElement[]} */
  const texts = [];
  for (let score = 0; score <= f.max + 1e-9; score += gap) {
    const x = xOf(f, score);
    const anchor = score === 0 ? 'start' : score >= f.max - 1e-9 ? 'end' : 'middle';
    texts.push(s('line', { x1: x, x2: x, y1: base, y2: base + 5 }));
    texts.push(s('text', { x, y: base + 20, 'text-anchor': anchor }, round(score)));
  }
  return [...all, ...texts];
}
