// What people see of how their device stands, and what they can do about it: loaded when somebody asks,
// or when the device has to pause.

import { attr, button, h, p, repeat, show, text } from './view-parts.js';

/** @typedef {import('./view.js').Ctx} Ctx */
/** @typedef {import('./view.js').State} State */
/** @typedef {{el: HTMLElement, update: (state: State) => void, tick?: (now: number) => void}} Part */

/** How this device stands, why, for how long, and what can be done. @param {Ctx} ctx @returns {Part} */
export function standing(ctx) {
  const { t, act } = ctx;
  const wait = asking(ctx);
  const band = h('p', { class: 'band', 'data-testid': 'band' });
  const means = p('');
  const why = p('');
  const end = p('hint');
  const ways = h('ul', { class: 'steps' });
  const help = reviews(ctx);
  const known = h('div', { class: 'known' }, band, means, why, end);
  const more = button('to-device', 'quiet', act('panel', { name: 'device' }), t('device.title'));
  return {
    el: h('div', { class: 'account' }, wait.el, known, ways, help.el, more),
    update(state) {
      const { standing: now } = state.device;
      wait.update(state);
      show(known, now !== null);
      if (now) {
        attr(band, 'data-band', now.band);
        text(band, t(`standing.${now.band}`));
        text(means, t(`standing.${now.band}.means`, { time: t.when(now.until) }));
        const reasons = reasonWords(ctx, now.reasons);
        text(why, now.stored.includes('own') ? t('standing.why', { reasons }) : t('standing.alike', { reasons }));
        text(end, t('standing.end', { time: t.when(now.expires) }));
      }
      show(why, Boolean(now?.reasons.length));
      show(end, Boolean(now?.expires));
      const keys = now?.stored.length ? ['wait', 'talk'] : [];
      repeat(ways, keys, (key) => h('li', {}, t(`standing.do.${key}`)));
      show(ways, keys.length > 0);
      help.update(state);
    },
  };
}

/** What is stored of this device and what is not, and how to erase it. @param {Ctx} ctx @returns {Part} */
export function device(ctx) {
  const { t, act } = ctx;
  const wait = asking(ctx);
  const now = h('p', { class: 'note', 'data-testid': 'stored' });
  const erase = erasing(ctx);
  /** @param {string} family @param {string[]} keys */
  const facts = (family, keys) => [
    h('h3', {}, t(`device.${family}`)),
    h('ul', { class: 'steps' }, ...keys.map((key) => h('li', {}, t(`device.${family}.${key}`)))),
  ];
  return {
    el: h(
      'div',
      { class: 'account' },
      h('h3', {}, t('device.now')),
      ...[wait.el, now, erase.el],
      ...facts('here', ['token', 'marks', 'choices']),
      ...facts('sent', ['token', 'digest']),
      ...facts('never', ['address', 'talk', 'who']),
      button('to-standing', 'quiet', act('panel', { name: 'standing' }), t('standing.title')),
    ),
    update(state) {
      const { standing: known } = state.device;
      wait.update(state);
      show(now, known !== null);
      const params = { reasons: reasonWords(ctx, known?.reasons ?? []), time: t.when(known?.expires ?? 0) };
      const words = known ? storedWords(known).map((key) => t(`device.now.${key}`, params)) : [];
      text(now, words.join(' '));
      erase.update(state);
    },
  };
}

/** What is stored, sentence by sentence. @param {import('./view.js').Standing} known */
export function storedWords({ stored, reasons }) {
  if (!stored.length) return ['none'];
  const own = reasons.length > 0 ? 'some' : 'other';
  return [...stored.map((what) => (what === 'own' ? own : what)), 'end'];
}

/** What erasing does, and the second press that does it. @param {Ctx} ctx @returns {Part} */
function erasing({ t, act }) {
  const busy = p('note', t('erase.busy'));
  const first = button('erase-ask', '', act('erase-ask'), t('erase.ask'));
  const yes = button('erase', 'primary danger', act('erase'), t('erase.do'));
  const no = button('erase-not', '', act('erase-not'), t('erase.not'));
  const title = h('h4', { tabindex: -1 }, t('erase.costs'));
  const costs = ['records', 'mark', 'alike', 'new', 'blocks', 'kept'].map((key) =>
    h('li', {}, t(`erase.costs.${key}`)),
  );
  const price = h(
    'div',
    { class: 'price' },
    title,
    h('ul', { class: 'steps' }, ...costs),
    h('div', { class: 'row' }, yes, no),
  );
  let asked = false;
  return {
    el: h('section', { 'aria-label': t('erase.title') }, h('h3', {}, t('erase.title')), busy, first, price),
    update({ device: { sure, asking: under }, call, screen }) {
      const away = call !== null || ['queued', 'matched'].includes(screen);
      show(busy, away);
      show(first, !away && !sure);
      show(price, !away && sure);
      for (const part of [yes, no]) part.disabled = under === 'erase';
      // The focus goes where the next press is, and back.
      if (sure && !asked) title.focus();
      if (!sure && asked) first.focus();
      asked = sure;
    },
  };
}

/** The screen instead of a search while the device has to pause. @param {Ctx} ctx @param {HTMLElement} title @returns {Part} */
export function held(ctx, title) {
  const { t, act } = ctx;
  const body = p('lead', t('held.why'));
  const why = p('');
  const over = p('note', t('held.over'));
  const end = h('p', { class: 'left', 'data-testid': 'until' });
  const left = h('p', { class: 'hint', 'data-testid': 'left' });
  const again = button('find', 'primary', act('find'), t('home.find'));
  const home = button('home', '', act('home'), t('held.home'));
  const help = reviews(ctx);
  const more = h(
    'div',
    { class: 'row' },
    ...['standing', 'device'].map((name) => button(name, 'quiet', act('panel', { name }), t(`${name}.title`))),
  );
  let until = 0;
  /** @param {number} now */
  function tick(now) {
    const done = now >= until;
    for (const part of [over, again]) show(part, done);
    for (const part of [body, end, left, help.el]) show(part, !done);
    text(title, done ? t('held.done') : t('held.title'));
    text(left, t('held.left', { left: span(ctx, until - now) }));
  }
  return {
    el: h(
      'div',
      { class: 'account' },
      body,
      end,
      left,
      why,
      over,
      h('div', { class: 'go' }, again, home),
      help.el,
      more,
    ),
    tick,
    update(state) {
      until = state.held?.until ?? 0;
      const reasons = state.held?.reasons ?? [];
      text(end, t('held.until', { time: t.when(until) }));
      text(why, t('standing.why', { reasons: reasonWords(ctx, reasons) }));
      show(why, reasons.length > 0);
      help.update(state);
      tick(Date.now());
    },
  };
}

/** A one-time code for a review by a person, and the answer. @param {Ctx} ctx */
function reviews({ t, act, dispatch }) {
  const ask = button('review', '', act('review'), t('review.ask'));
  const why = p('hint', t('review.why'));
  const code = h('output', { class: 'code', 'data-testid': 'review-code', 'aria-label': t('review.code') });
  const copied = p('hint');
  const copy = button('review-copy', 'quiet', () => put(), t('review.copy'));
  const keep = p('hint', t('review.keep'));
  const state = h('p', { class: 'note', 'data-testid': 'review-answer' });
  const look = button(
    'review-look',
    '',
    () => dispatch({ type: 'answer', code: String(code.textContent) }),
    t('review.look'),
  );
  const mine = h('div', { class: 'mine-code' }, code, h('div', { class: 'row' }, copy, look), copied, state, keep);
  const other = typing({ t, dispatch });
  const have = p('hint', t('review.have'));
  const trouble = h('p', { class: 'error', role: 'alert' });
  /** What is copied is said, since nobody sees it. */
  function put() {
    navigator.clipboard.writeText(String(code.textContent)).then(
      () => text(copied, t('review.copied')),
      () => text(copied, t('review.by_hand')),
    );
  }
  attr(copied, 'role', 'status');
  return {
    el: h(
      'section',
      { class: 'review', 'aria-label': t('review.title') },
      h('h3', {}, t('review.title')),
      why,
      trouble,
      ask,
      mine,
      have,
      other,
    ),
    /** @param {State} now */
    update({ device, held: pause }) {
      const stored = Boolean(device.standing?.stored.some((what) => what !== 'gave_up')) || pause !== null;
      show(ask, device.code === '' && stored);
      show(why, stored || device.code !== '');
      show(mine, device.code !== '');
      for (const part of [have, other]) show(part, device.code === '');
      if (code.textContent !== device.code) text(copied, '');
      text(code, device.code);
      show(state, device.answer !== '');
      if (device.answer) text(state, t(`review.${device.answer}`));
      for (const part of [ask, look]) part.disabled = device.asking === 'review' || device.asking === 'answer';
      const failed = device.asking === '' && ['bad_state', 'bad_value'].includes(device.trouble);
      show(trouble, failed);
      if (failed) text(trouble, t(`review.${device.trouble}`));
    },
  };
}

/** Where a code of elsewhere can be written. @param {Pick<Ctx, 't' | 'dispatch'>} ctx */
function typing({ t, dispatch }) {
  const typed = h('input', {
    ...{ type: 'text', 'data-testid': 'review-typed', 'aria-label': t('review.code'), placeholder: t('review.code') },
    ...{ maxlength: 128, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' },
  });
  return h(
    'form',
    {
      class: 'row',
      onsubmit: (event) => {
        event.preventDefault();
        dispatch({ type: 'answer', code: typed.value });
        typed.value = '';
      },
    },
    typed,
    h('button', { 'data-testid': 'review-send' }, t('review.look')),
  );
}

/** What to say while there is no answer, or none will come. @param {Ctx} ctx */
function asking({ t, act }) {
  const line = p('hint');
  const again = button('standing-again', 'quiet', act('standing'), t('device.again'));
  const el = h('div', { class: 'asking', role: 'status' }, line, again);
  return {
    el,
    /** @param {State} state */
    update({ device, online }) {
      const waits = device.asking === 'standing' || device.asking === 'erase';
      const refused = device.asking === '' && device.trouble === 'too_many';
      const key = refused ? 'too_many' : !online || device.trouble === 'unavailable' ? 'away' : 'wait';
      show(el, refused || waits);
      show(again, refused);
      text(line, t(`device.asking.${key}`));
    },
  };
}

/** @param {Ctx} ctx @param {string[]} reasons */
const reasonWords = ({ t }, reasons) => t.list(reasons.map((reason) => t(`reason.${reason}`)));

/** A long time in words: hours from an hour and a half on, then days. @param {Ctx} ctx @param {number} ms */
function span({ t }, ms) {
  const hours = Math.ceil(ms / 3600000);
  if (ms < 5400000) return t.seconds(ms);
  return hours < 48 ? t('held.hours', { n: hours }) : t('held.days', { n: Math.ceil(hours / 24) });
}
