// What operators did: the audit trail, newest first.

import { ask } from './api.js';
import { button, card, clock, h } from './dom.js';
import { differences } from './policy.js';

/** @typedef {import('./main.js').House} House */
/** @typedef {import('./types.js').Line} Line */

export class History {
  /** @param {House} house */
  constructor(house) {
    this.house = house;
    this.list = h('div', { 'data-testid': 'history' });
    this.says = h('p', { 'data-testid': 'trail', role: 'status' });
    this.el = h(
      'div',
      { class: 'stack' },
      h('h1', { tabindex: -1 }, 'History'),
      card(
        'What operators did',
        this.says,
        this.list,
        h(
          'div',
          { class: 'row' },
          button('again', '', () => this.look(), 'Check again'),
        ),
      ),
    );
  }

  open() {
    this.look();
  }

  async look() {
    try {
      /** @type {import('./types.js').History} */
      const { lines, whole, says } = await ask('history');
      this.says.className = whole ? 'soft' : 'error';
      this.says.textContent = says;
      this.list.replaceChildren(
        lines.length === 0
          ? h('p', { class: 'soft' }, 'Nothing has been done yet.')
          : h('ol', { class: 'acts' }, ...lines.map(entry)),
      );
    } catch (error) {
      this.says.className = 'error';
      this.says.textContent = this.house.failed(error);
    }
  }
}

/** One act. @param {Line} line */
function entry(line) {
  return h(
    'li',
    {},
    h('p', { class: 'soft' }, `${line.seq}. `, clock(line.when), `, ${line.who}`),
    h('div', {}, ...what(line)),
    h('p', { class: 'why' }, line.reason),
  );
}

/** What a line did, in words. @param {Line} line @returns {Node[]} */
function what(line) {
  switch (line.act) {
    case 'policy':
      return [
        h('strong', {}, `Policy, revision ${line.new?.revision ?? ''}`),
        h(
          'ul',
          { class: 'changes' },
          ...differences(line.old?.policy, line.new?.policy).map((d) => h('li', {}, d.says)),
        ),
      ];
    case 'pause':
      return [h('strong', {}, line.new?.paused ? 'Matching paused' : 'Matching resumed')];
    case 'void':
      return [h('strong', {}, `Reports of ${line.new?.network} taken back: ${line.preview?.reports ?? ''}`)];
    case 'review':
      return [h('strong', {}, `Review: record ${line.new?.verdict}`)];
    case 'token':
      return [h('strong', {}, `Token of ${line.new?.name} ${line.new?.token}`)];
    case 'begin':
      return [h('strong', {}, 'A new trail begins')];
    case 'failed':
      return [h('strong', {}, `Line ${line.new?.line} had no effect: ${line.new?.says}`)];
  }
  return [document.createTextNode(line.act)];
}
