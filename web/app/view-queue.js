// Waiting: for whom, how long it usually takes, when the search goes further, and the way out.

import { askToNotify, mayAskToNotify } from './alerts.js';
import { attr, h, repeat, show, text } from './dom.js';
import { icon } from './view-icons.js';

const nobodyAfter = 30_000; // somebody who fits would have been found by then

/** @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Screen} */
export function queue(ctx) {
  const { t, dispatch } = ctx;
  const title = h('h1', { tabindex: -1 }, t('queue.title'));
  const whom = h('p', { class: 'lead' });
  const back = h('p', { class: 'note' }, t('queue.back'));
  const usual = h('p', { class: 'usual', 'data-testid': 'estimate' });
  const timer = h('span', { class: 'clock', 'data-testid': 'timer', 'aria-hidden': 'true' });
  const nobody = h('p', { class: 'note' }, t('queue.nobody'));
  const offline = h('p', { class: 'note warn' }, t('queue.offline'));
  const plan = h('ol', { class: 'plan' });
  const widen = h('button', {
    class: 'switch',
    type: 'button',
    role: 'switch',
    'data-testid': 'widen',
    onclick: () => dispatch({ type: 'widen' }),
  });
  widen.append(t('queue.widen'));
  const notify = h(
    'button',
    { class: 'quiet', type: 'button', 'data-testid': 'notify', onclick: () => askToNotify().then(offerNotify) },
    icon('bell'),
    t('queue.notify'),
  );
  const cancel = h(
    'button',
    { type: 'button', 'data-testid': 'cancel', onclick: () => dispatch({ type: 'cancel' }) },
    t('queue.cancel'),
  );
  const offerNotify = () => show(notify, mayAskToNotify());
  const el = h(
    'div',
    { class: 'queue' },
    title,
    whom,
    back,
    h('p', { class: 'waiting' }, timer, usual),
    offline,
    nobody,
    h('section', { class: 'widening', 'aria-label': t('queue.plan') }, plan, widen),
    h('p', { class: 'hint' }, t('queue.background')),
    h('div', { class: 'go' }, cancel, notify),
  );

  /** @type {import('./view.js').State | undefined} */
  let shown;
  /** @param {number} now */
  function tick(now) {
    if (!shown) return;
    const { queue, choices } = shown;
    text(timer, t.clock(now - queue.startedAt));
    show(nobody, now - queue.startedAt > nobodyAfter && queue.waiting === null);
    const steps = choices.widen ? queue.steps : [];
    repeat(
      plan,
      steps.map(({ look }) => look),
      () => h('li', {}),
    );
    steps.forEach(({ at, look }, i) => {
      const item = plan.children[i];
      if (!item) return;
      attr(item, 'data-done', at <= now);
      text(item, stepWords(ctx, shown, look, at - now));
    });
  }
  offerNotify();
  return {
    el,
    title,
    tick,
    update(state) {
      shown = state;
      text(whom, searched(ctx, state));
      show(back, state.queue.note === 'back');
      text(usual, estimate(ctx, state));
      show(offline, !state.online);
      attr(widen, 'aria-checked', state.choices.widen ? 'true' : 'false');
      tick(Date.now());
    },
  };
}

/** "In English, about music or books." @param {import('./view.js').Ctx} ctx @param {import('./view.js').State} state */
function searched({ t, catalogue }, { choices }) {
  const first = choices.languages[0] ?? '';
  const language = catalogue.languages.find(({ tag }) => tag === first)?.name ?? first;
  const topics = t.list(
    choices.interests.map((slug) => t(`interest.${slug}`)),
    true,
  );
  return choices.interests.length === 0 ? t('queue.anything', { language }) : t('queue.about', { language, topics });
}

/** @param {import('./view.js').Ctx} ctx @param {import('./view.js').State} state */
function estimate({ t }, { queue: { wait, waiting } }) {
  const usually = wait ? range(t, rough(wait.p50), rough(wait.p90)) : t('queue.unknown');
  return waiting === null ? usually : `${usually} ${t('queue.waiting', { n: waiting })}`;
}

/** "Usually 20 to 60 seconds." @param {import('./i18n.js').T} t @param {number} low @param {number} high both in seconds */
function range(t, low, high) {
  const to = t.seconds(high * 1000);
  if (low >= high) return t('queue.about_time', { to });
  return t('queue.usual', { from: high < 90 ? low : t.seconds(low * 1000), to });
}

/** Whole steps, since an estimate to the second would promise too much. @param {number} ms */
function rough(ms) {
  const seconds = ms / 1000;
  const step = seconds < 20 ? 5 : 10;
  return Math.max(5, Math.ceil(seconds / step) * step);
}

/** @param {import('./view.js').Ctx} ctx @param {import('./view.js').State | undefined} state @param {string} look @param {number} left */
function stepWords({ t, catalogue }, state, look, left) {
  const choices = state?.choices;
  const topics = t.list((choices?.interests ?? []).map((slug) => t(`interest.${slug}`)));
  const rest = (choices?.languages ?? [])
    .slice(1)
    .map((tag) => catalogue.languages.find((l) => l.tag === tag)?.name ?? tag);
  const params = { topics, languages: t.list(rest), time: t.seconds(left) };
  if (look === 'interests') return left > 0 ? t('queue.step.interests.in', params) : t('queue.step.interests', params);
  if (look === 'anything') return left > 0 ? t('queue.step.anything.in', params) : t('queue.step.anything', params);
  return left > 0 ? t('queue.step.languages.in', params) : t('queue.step.languages', params);
}
