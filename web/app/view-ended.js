// After a call, and the screens where nothing goes on by itself.

import { button, h, show, text } from './dom.js';
import { icon } from './view-icons.js';

/** @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Screen} */
export function ended(ctx) {
  const { t, dispatch } = ctx;
  const title = h('h1', { tabindex: -1 });
  const body = h('p', { class: 'lead' });
  const talked = h('p', { class: 'talked' });
  const again = button('again', 'primary', () => dispatch({ type: 'again' }), t('ended.again'));
  const home = button('home', '', () => dispatch({ type: 'home' }), t('ended.home'));
  const heading = h('h2', {}, t('ended.wrong'));
  const until = h('p', { class: 'hint' });
  const report = button(
    'report',
    'quiet',
    () => dispatch({ type: 'panel', name: 'report' }),
    icon('flag'),
    t('ended.report'),
  );
  const block = button('block', 'quiet', () => dispatch({ type: 'block' }), icon('block'), t('ended.block'));
  const reported = h('p', { class: 'note' }, t('ended.is_reported'));
  const blocked = h('p', { class: 'note' }, t('ended.is_blocked'));
  const wrong = h(
    'section',
    { class: 'wrong', 'aria-label': t('ended.wrong') },
    heading,
    until,
    reported,
    blocked,
    h('div', { class: 'row' }, report, block),
  );
  const el = h('div', { class: 'ended' }, title, body, talked, h('div', { class: 'go' }, again, home), wrong);
  /** @type {import('./view.js').After} */
  let shown = null;
  /** @param {number} now */
  function tick(now) {
    const open = shown?.canReport === true && now < shown.until;
    const done = shown?.reported || shown?.blocked;
    show(wrong, open || done === true);
    show(heading, open && !done);
    show(until, open && !shown?.reported);
    show(report, open && !shown?.reported);
    show(block, open && !shown?.blocked);
    if (shown) text(until, t('ended.until', { time: t.time(shown.until) }));
  }
  return {
    el,
    title,
    tick,
    update({ after }) {
      shown = after;
      const why = after && t.has(`ended.${after.why}.why`) ? after.why : 'lost';
      text(title, t(`ended.${why}`));
      text(body, t(`ended.${why}.why`));
      text(talked, after && after.talked > 0 ? t('ended.talked', { time: t.seconds(after.talked) }) : '');
      show(reported, after?.reported === true);
      show(blocked, after?.blocked === true);
      tick(Date.now());
    },
  };
}

/** Screens that only a fresh page leaves. @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Screen} */
export function blocked({ t }) {
  const title = h('h1', { tabindex: -1 });
  const body = h('p', { class: 'lead' });
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
