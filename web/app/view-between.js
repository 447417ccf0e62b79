// Between calls: waiting, after a call, and the screens that only a fresh page leaves.

import { askToNotify, mayAskToNotify } from './alerts.js';
import { attr, button, h, h1, p, repeat, show, text } from './dom.js';
import { icon } from './view-stage.js';

const nobodyAfter = 30_000; // somebody who fits would have been found by then

/** For whom we look, how long it usually takes, when the search goes further, and the way out. @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Screen} */
export function queue(ctx) {
  const { t, act, names } = ctx;
  const title = h1(t('queue.title'));
  const whom = p('lead');
  const back = p('note', t('queue.back'));
  const usual = h('p', { 'data-testid': 'estimate' });
  const timer = h('span', { class: 'clock', 'data-testid': 'timer', 'aria-hidden': 'true' });
  const nobody = p('note', t('queue.nobody'));
  const offline = p('note warn', t('queue.offline'));
  const plan = widening(ctx);
  const notify = button('notify', 'quiet', () => askToNotify().then(offer), icon('bell'), t('queue.notify'));
  const offer = () => show(notify, mayAskToNotify());
  const el = h(
    'div',
    { class: 'queue' },
    ...[title, whom, back, h('div', { class: 'waiting' }, timer, usual), offline, nobody, plan.el],
    p('hint', t('queue.background')),
    h('div', { class: 'go' }, button('cancel', '', act('cancel'), t('cancel')), notify),
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
  offer();
  return {
    el,
    title,
    tick,
    update(state) {
      shown = state;
      const { languages, interests } = state.choices;
      const params = { language: names.language(languages[0] ?? ''), topics: names.topics(interests, true) };
      text(whom, interests.length > 0 ? t('queue.about', params) : t('queue.anything', params));
      show(back, state.queue.note === 'back');
      text(usual, estimate(ctx, state.queue));
      show(offline, !state.online);
      tick(Date.now());
    },
  };
}

/** How the search widens with time, and the switch that refuses it. @param {import('./view.js').Ctx} ctx */
function widening({ t, act, names }) {
  const list = h('ol', { class: 'plan' });
  const toggle = button('widen', 'switch', act('widen'), t('queue.widen'));
  attr(toggle, 'role', 'switch');
  return {
    el: h('section', { class: 'widening', 'aria-label': t('queue.plan') }, list, toggle),
    /** @param {import('./view.js').State} state @param {number} now */
    update({ queue, choices: { widen, interests, languages } }, now) {
      attr(toggle, 'aria-checked', widen ? 'true' : 'false');
      const steps = new Map(queue.steps.filter(({ at }) => widen || at <= now).map(({ at, look }) => [look, at]));
      repeat(list, [...steps.keys()], () => h('li', {}));
      [...steps].forEach(([look, at], i) => {
        const item = list.children[i];
        if (!item) return;
        const params = {
          topics: names.topics(interests, look === 'interests'),
          languages: t.list(languages.slice(1).map(names.language)),
          time: t.seconds(at - now),
        };
        attr(item, 'data-done', at <= now);
        text(item, at > now ? t(`queue.step.${look}.in`, params) : t(`queue.step.${look}`, params));
      });
    },
  };
}

/** "Usually 20 to 60 seconds. 8 people are waiting." @param {import('./view.js').Ctx} ctx @param {import('./view.js').Queue} queue */
function estimate({ t }, { wait, waiting }) {
  const others = waiting === null ? '' : t('queue.waiting', { n: waiting });
  if (!wait) return `${t('queue.unknown')} ${others}`;
  const [low, high] = [rough(wait.p50), rough(wait.p90)];
  const from = high < 90_000 ? low / 1000 : t.seconds(low);
  return `${t(low < high ? 'queue.usual' : 'queue.about_time', { from, to: t.seconds(high) })} ${others}`;
}

/** Whole steps, since an estimate to the second would promise too much. @param {number} ms */
function rough(ms) {
  const step = ms < 20_000 ? 5000 : 10_000;
  return Math.max(5000, Math.ceil(ms / step) * step);
}

/** Why it ended, the next one, and for ten minutes the report. @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Screen} */
export function ended({ t, act }) {
  const title = h1();
  const body = p('lead');
  const talked = p('talked');
  const next = p('note');
  const stay = button('stay', 'quiet', act('stay'), t('ended.stay'));
  const again = button('again', 'primary', act('again'), t('ended.again'));
  const home = button('home', '', act('home'), t('ended.home'));
  const heading = h('h2', {}, t('ended.wrong'));
  const until = p('hint');
  const report = button('report', 'quiet', act('panel', { name: 'report' }), icon('flag'), t('report.title'));
  const block = button('block', 'quiet', act('block'), icon('block'), t('report.block'));
  const reported = p('note', t('ended.is_reported'));
  const blocked = p('note', t('ended.is_blocked'));
  const wrong = h(
    'section',
    { class: 'wrong', 'aria-label': t('ended.wrong') },
    ...[heading, until, reported, blocked, h('div', { class: 'row' }, report, block)],
  );
  /** @type {import('./view.js').After} */
  let shown = null;
  /** @param {number} now */
  function tick(now) {
    if (!shown) return;
    const open = shown.canReport && now < shown.until;
    const fresh = open && !shown.reported;
    for (const el of [until, report]) show(el, fresh);
    show(heading, fresh && !shown.blocked);
    show(block, open && !shown.blocked);
    show(wrong, open || shown.reported || shown.blocked);
    for (const el of [next, stay]) show(el, shown.next > 0);
    text(next, t('ended.next', { time: t.seconds(Math.max(0, shown.next - now)) }));
    text(until, t('ended.until', { time: t.time(shown.until) }));
  }
  return {
    el: h('div', { class: 'ended' }, title, body, talked, next, h('div', { class: 'go' }, again, stay, home), wrong),
    title,
    tick,
    update({ after }) {
      shown = after;
      const why = after && t.has(`ended.${after.why}.why`) ? after.why : 'lost';
      text(title, t(`ended.${why}`));
      text(body, t(`ended.${why}.why`));
      text(talked, after?.talked ? t('ended.talked', { time: t.seconds(after.talked) }) : '');
      show(talked, after !== null && after.talked > 0);
      show(reported, after?.reported === true);
      show(blocked, after?.blocked === true);
      tick(Date.now());
    },
  };
}

/** @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Screen} */
export function blocked({ t }) {
  const title = h1();
  const body = p('lead');
  const act = button('reload', 'primary', () => location.reload());
  return {
    el: h('div', { class: 'blocked' }, title, body, h('div', { class: 'go' }, act)),
    title,
    update({ reason }) {
      const code = t.has(`blocked.${reason}.why`) ? reason : 'error';
      text(title, t(`blocked.${code}`));
      text(body, t(`blocked.${code}.why`));
      text(act, code === 'replaced' ? t('blocked.here') : t('blocked.reload'));
    },
  };
}
