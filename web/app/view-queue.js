// Waiting: for whom, how long it usually takes, when the search goes further, and the way out.

import { askToNotify, mayAskToNotify } from './alerts.js';
import { attr, button, h, repeat, show, text } from './dom.js';
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
  const plan = widening(ctx);
  const notify = button('notify', 'quiet', () => askToNotify().then(offerNotify), icon('bell'), t('queue.notify'));
  const cancel = button('cancel', '', () => dispatch({ type: 'cancel' }), t('queue.cancel'));
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
    plan.el,
    h('p', { class: 'hint' }, t('queue.background')),
    h('div', { class: 'go' }, cancel, notify),
  );

  /** @type {import('./view.js').State | undefined} */
  let shown;
  /** @param {number} now */
  function tick(now) {
    if (!shown) return;
    const { startedAt, waiting } = shown.queue;
    text(timer, t.clock(now - startedAt));
    show(nobody, now - startedAt > nobodyAfter && waiting === null);
    plan.update(shown, now);
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
      tick(Date.now());
    },
  };
}

/** How the search widens with time, and the switch that refuses it. @param {import('./view.js').Ctx} ctx */
function widening(ctx) {
  const { t, dispatch } = ctx;
  const list = h('ol', { class: 'plan' });
  const toggle = button('widen', 'switch', () => dispatch({ type: 'widen' }), t('queue.widen'));
  attr(toggle, 'role', 'switch');
  return {
    el: h('section', { class: 'widening', 'aria-label': t('queue.plan') }, list, toggle),
    /** @param {import('./view.js').State} state @param {number} now */
    update({ queue, choices }, now) {
      attr(toggle, 'aria-checked', choices.widen ? 'true' : 'false');
      const steps = queue.steps.filter(({ at }) => choices.widen || at <= now);
      const looks = steps.map(({ look }) => look);
      repeat(list, looks, () => h('li', {}));
      steps.forEach(({ at, look }, i) => {
        const item = list.children[i];
        if (!item) return;
        attr(item, 'data-done', at <= now);
        text(item, stepWords(ctx, choices, look, at - now));
      });
    },
  };
}

/** For whom we look. @param {import('./view.js').Ctx} ctx @param {import('./view.js').State} state */
function searched({ t, names }, { choices: { languages, interests } }) {
  const language = names.language(languages[0] ?? '');
  if (interests.length === 0) return t('queue.anything', { language });
  return t('queue.about', { language, topics: names.topics(interests, true) });
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

/** @param {import('./view.js').Ctx} ctx @param {import('./view.js').Choices} choices @param {string} look @param {number} left ms until then */
function stepWords({ t, names }, { languages, interests }, look, left) {
  const params = {
    topics: names.topics(interests, look === 'interests'),
    languages: t.list(languages.slice(1).map(names.language)),
    time: t.seconds(left),
  };
  if (look === 'interests') return left > 0 ? t('queue.step.interests.in', params) : t('queue.step.interests', params);
  if (look === 'anything') return left > 0 ? t('queue.step.anything.in', params) : t('queue.step.anything', params);
  return left > 0 ? t('queue.step.languages.in', params) : t('queue.step.languages', params);
}
