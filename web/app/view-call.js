// From the match to the last word: matched, connecting, live and reconnecting are one screen, so that
// mute, next and report stay where they are whatever the network does. Then what is after it.

import { attr, button, h, h1, icon, p, repeat, setIcon, show, text, value } from './view-parts.js';

/** @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Screen} */
export function call(ctx) {
  const { t } = ctx;
  const title = h1();
  const body = p('lead');
  const timer = h('p', { class: 'clock', 'data-testid': 'timer', role: 'timer', 'aria-label': t('call.timer') });
  const badges = lineBadges(ctx);
  const hints = h('ul', { class: 'hints', 'data-testid': 'hints' });
  const question = starter(ctx);
  const loud = volume(ctx);
  const bar = controls(ctx);
  const talk = h('div', { class: 'talk' }, timer, title, body, badges.el, hints, question.el, loud.el);
  /** @type {import('./view.js').Call | null} */
  let shown = null;
  /** @param {number} now */
  function tick(now) {
    if (shown?.liveAt) text(timer, t.clock(now - shown.liveAt));
  }
  return {
    el: h('div', { class: 'call' }, talk, bar.el),
    title,
    tick,
    update(state) {
      const { screen, call } = state;
      shown = call;
      const calm = (screen === 'live' || screen === 'reconnecting') && call?.verified !== 'mismatch';
      const [heading, sentence] = words(ctx, state);
      text(title, heading);
      text(body, sentence);
      show(body, sentence !== '');
      for (const el of [timer, badges.el, loud.el]) show(el, calm);
      show(question.el, calm && screen === 'live');
      const trouble = new Map(troubles(state));
      repeat(hints, [...trouble.keys()], (key) => h('li', {}, icon(trouble.get(key) ?? 'warn'), h('span', {}, t(key))));
      if (call) for (const part of [badges, question, loud]) part.update(call);
      bar.update(state);
      tick(Date.now());
    },
  };
}

/** The heading and the sentence below it. @param {import('./view.js').Ctx} ctx @param {import('./view.js').State} state @returns {[string, string]} */
function words({ t, names }, { screen, call, queue }) {
  if (call?.verified === 'mismatch') return [t('alarm.title'), t('alarm.body')];
  if (screen === 'matched' && queue.note) return [t('call.matched'), t(`queue.${queue.note}`)];
  if (screen !== 'live') return [t(`call.${screen}`), t(call?.slow ? `slow.${call.slow}` : `call.${screen}.why`)];
  const topics = names.topics(call?.shared ?? []);
  return [
    topics ? t('call.shared', { topics }) : t('call.language', { language: names.language(call?.language ?? '') }),
    '',
  ];
}

/** What is wrong right now, worst first. @param {import('./view.js').State} state @returns {[string, import('./view-parts.js').Icon][]} */
function troubles({ screen, call, mic, online }) {
  if (!call || screen === 'matched' || call.verified === 'mismatch') return [];
  const silent = mic.error === 'silent';
  /** @type {[boolean, string, import('./view-parts.js').Icon][]} */
  const all = [
    [silent && !call.muted, 'hint.unheard', 'mute'],
    [mic.error !== '' && !silent, 'hint.mic', 'mute'],
    [call.peerAway, 'hint.away', 'warn'],
    [call.peerSilent, 'hint.silent', 'sound'],
    [call.quality === 'weak', 'hint.weak', 'warn'],
    [!online, screen === 'live' ? 'hint.offline' : 'queue.offline', 'warn'],
    [call.direct.theirs && !call.direct.mine, 'hint.direct', 'direct'],
  ];
  return all.filter(([now]) => now).map(([, key, symbol]) => [key, symbol]);
}

/** The two facts about the line: does the other side see your address, and did you check for a listener. @param {import('./view.js').Ctx} ctx */
function lineBadges({ t, act }) {
  const path = badge('path', 'direct');
  const check = badge('verify', 'verify');
  /** @param {string} id @param {string} name */
  function badge(id, name) {
    const symbol = h('span', { class: 'symbol' });
    const label = h('span', {});
    return { el: button(id, 'badge', act('panel', { name }), symbol, label), symbol, label };
  }
  return {
    el: h('div', { class: 'badges' }, path.el, check.el),
    /** @param {import('./view.js').Call} call */
    update({ path: way, verified }) {
      const direct = way === 'direct';
      const done = verified === 'verified';
      text(path.label, direct ? t('path.direct') : t('path.relayed'));
      setIcon(path.symbol, direct ? 'direct' : 'lock');
      attr(path.el, 'data-way', way || 'relayed');
      text(check.label, done ? t('verify.done') : t('verify.open'));
      setIcon(check.symbol, done ? 'verify' : 'shield');
      attr(check.el, 'data-verified', verified);
    },
  };
}

/** A first question for two people who do not know each other, about what they share. @param {import('./view.js').Ctx} ctx */
function starter({ t, names }) {
  const line = p('');
  let at = Math.floor(Math.random() * 4);
  let topics = '';
  const other = button('starter', 'link', () => ask(1), t('starter.other'));
  /** @param {number} step */
  function ask(step) {
    at += step;
    text(line, topics ? t(`starter.topic.${at % 4}`, { topic: topics }) : t(`starter.any.${at % 5}`));
  }
  return {
    el: h('section', { class: 'starter', 'aria-label': t('starter.title') }, line, other),
    /** @param {import('./view.js').Call} call */
    update({ shared }) {
      topics = names.topics(shared.slice(0, 1));
      ask(0);
    },
  };
}

/** How loud you hear the other person. @param {import('./view.js').Ctx} ctx */
function volume({ t, dispatch }) {
  const slider = h('input', {
    ...{ type: 'range', min: 0, max: 1, step: 0.05, 'data-testid': 'volume', 'aria-label': t('call.volume') },
    oninput: () => dispatch({ type: 'volume', value: Number(slider.value) }),
  });
  return {
    el: h('div', { class: 'volume', title: t('call.volume') }, icon('sound'), slider),
    /** @param {import('./view.js').Call} call */
    update: (call) => value(slider, String(call.volume)),
  };
}

/** The bar at the bottom: always the same buttons in the same place. @param {import('./view.js').Ctx} ctx */
function controls({ t, act, dispatch }) {
  const symbol = h('span', { class: 'symbol' });
  const label = h('span', {});
  const mute = button('mute', 'big mute', act('mute'), symbol, label);
  const next = button('next', 'big next', act('next'), ...face('next', 'call.next'));
  const leave = button('leave', 'big leave', act('leave'), ...face('leave', 'call.leave'));
  const cancel = button('cancel', 'big', act('cancel'), ...face('close', 'cancel'));
  const openers = [
    opener('chat', 'chat', 'chat.title'),
    opener('devices', 'sound', 'sound.title'),
    opener('report', 'flag', 'report.title'),
  ];
  const unread = h('span', { class: 'unread' });
  openers[0]?.el.append(unread);
  const side = h('div', { class: 'side' }, ...openers.map(({ el }) => el));
  const main = h('div', { class: 'main' }, mute, next, leave, cancel);
  const el = h('div', { class: 'controls', role: 'group', 'aria-label': t('call.controls') }, side, main);
  // A panel on a phone ends where the bar begins.
  const fit = () => document.documentElement.style.setProperty('--bar', `${el.offsetHeight}px`);
  new ResizeObserver(fit).observe(el);

  /** @param {import('./view-parts.js').Icon} symbol @param {string} label */
  function face(symbol, label) {
    return [icon(symbol), h('span', {}, t(label))];
  }
  /** @param {string} name @param {import('./view-parts.js').Icon} symbol @param {string} label */
  function opener(name, symbol, label) {
    const toggle = () => dispatch({ type: 'panel', name: opened === name ? '' : name });
    return { name, el: button(name, 'small', toggle, ...face(symbol, label)) };
  }

  let opened = '';
  // When the newest line was written that has been seen.
  let read = 0;
  /** @param {import('./view.js').Call['chat']} lines */
  function count(lines) {
    const theirs = lines.filter(({ mine, at }) => !mine && at > read);
    if (opened === 'chat') read = theirs.at(-1)?.at ?? read;
    const n = opened === 'chat' ? 0 : theirs.length;
    show(unread, n > 0);
    text(unread, t('call.unread', { n }));
  }
  /** @param {import('./view.js').State} state */
  function update({ screen, call, panel }) {
    opened = panel;
    for (const part of [mute, next, leave, side]) show(part, screen !== 'matched');
    show(cancel, screen === 'matched');
    // The label says the state, and the accessible name also what pressing does.
    const state = call?.muted ? 'muted' : 'unmuted';
    setIcon(symbol, call?.muted ? 'mute' : 'mic');
    text(label, t(`call.${state}`));
    attr(mute, 'data-on', call?.muted);
    attr(mute, 'aria-label', t(`call.${state}.do`));
    for (const { name, el: part } of openers) attr(part, 'aria-expanded', panel === name ? 'true' : 'false');
    count(call?.chat ?? []);
  }
  return { el, update };
}

/** Why it ended, the next one, and for ten minutes the report. @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Screen} */
export function ended(ctx) {
  const { t, act } = ctx;
  const title = h1();
  const body = p('lead');
  const check = p('note', checkLink(ctx));
  const talked = p('talked');
  const next = p('note');
  const stay = button('stay', 'quiet', act('stay'), t('ended.stay'));
  const again = button('again', 'primary', act('again'), t('ended.again'));
  const home = button('home', '', act('home'), t('ended.home'));
  const heading = h('h2', {}, t('ended.wrong'));
  const until = p('hint');
  const report = button('report', 'quiet', act('panel', { name: 'report' }), icon('flag'), t('report.title'));
  const block = button('block', 'quiet', act('block'), icon('block'), t('report.block'));
  const reported = h('p', { class: 'note', 'data-testid': 'reported' });
  const help = helpers(ctx);
  const blocked = p('note', t('ended.is_blocked'));
  const wrong = h(
    'section',
    { class: 'wrong', 'aria-label': t('ended.wrong') },
    ...[heading, until, blocked, h('div', { class: 'row' }, report, block)],
  );
  /** @type {import('./view.js').After} */
  let shown = null;
  /** @param {number} now */
  function tick(now) {
    if (!shown) return;
    const open = shown.canReport && now < shown.until;
    const fresh = open && !shown.report;
    for (const el of [until, report]) show(el, fresh);
    show(heading, fresh && !shown.blocked);
    show(block, open && !shown.blocked);
    show(wrong, open || shown.blocked);
    for (const el of [next, stay]) show(el, shown.next > 0);
    text(next, t('ended.next', { time: t.seconds(Math.max(0, shown.next - now)) }));
    text(until, t('ended.until', { time: t.time(shown.until) }));
  }
  return {
    el: h(
      'div',
      { class: 'ended' },
      ...[title, body, reported, help.el, check, talked, next],
      h('div', { class: 'go' }, again, stay, home),
      wrong,
    ),
    title,
    tick,
    update({ after }) {
      shown = after;
      const why = after && t.has(`ended.${after.why}.why`) ? after.why : 'lost';
      text(title, t(`ended.${why}`));
      text(body, t(`ended.${why}.why`));
      text(talked, after?.talked ? t('ended.talked', { time: t.seconds(after.talked) }) : '');
      show(check, why === 'no_relay');
      show(talked, after !== null && after.talked > 0);
      help.update(after?.help ?? '');
      show(reported, Boolean(after?.report));
      if (after?.report) text(reported, t(`ended.report.${after.report}`, { time: t.time(after.until) }));
      show(blocked, after?.blocked === true);
      tick(Date.now());
    },
  };
}

/** The way to the page that tries the relay. @param {import('./view.js').Ctx} ctx */
const checkLink = ({ t }) =>
  h('a', { href: 'check', target: '_blank', rel: 'noopener', 'data-testid': 'check' }, t('ended.check'));

/** Whom to turn to, after what is more than a nuisance. @param {import('./view.js').Ctx} ctx */
function helpers({ t, catalogue }) {
  const { contact } = catalogue;
  const list = h('ul', { class: 'steps' });
  const ask = contact ? p('', t('help.contact'), ' ', h('a', { href: contact, rel: 'noopener' }, bare(contact))) : null;
  const el = h(
    'section',
    { class: 'helpers', 'aria-labelledby': 'helpers' },
    h('h2', { id: 'helpers' }, t('help.title')),
    list,
    ask,
  );
  return {
    el,
    /** @param {string} kind '', minor or threat */
    update(kind) {
      show(el, kind !== '');
      repeat(list, kind ? ['danger', 'police', 'care', 'self'] : [], (key) => h('li', {}, t(`help.${kind}.${key}`)));
    },
  };
}

/** @param {string} address */
const bare = (address) => address.replace(/^mailto:|^https:\/\//, '');
