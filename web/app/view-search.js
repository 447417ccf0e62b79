// The search: on the first screen what this is, what you would like to talk about, in which languages,
// and what is kept; then the wait in the queue.

import { askToNotify, limited, mayAskToNotify, slow } from './view-access.js';
import { attr, button, h, h1, icon, p, repeat, show, text } from './view-parts.js';

// Languages or interests of one search.
const most = 5;
// Somebody who fits would have been found by then. How many wait is not told below five.
const fewAfter = 30_000;

/** @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Screen} */
export function home(ctx) {
  const { t, dispatch } = ctx;
  const title = h1(t('home.title'));
  const speak = languages(ctx);
  const about = interests(ctx);
  const adult = h('input', {
    type: 'checkbox',
    id: 'adult',
    'data-testid': 'adult',
    'aria-describedby': 'adult-why adult-missing',
    onchange: () => {
      show(missing, false);
      ctx.choose({ adult: adult.checked });
    },
  });
  const missing = h('p', { class: 'error', id: 'adult-missing', role: 'alert', hidden: true }, t('home.adult.missing'));
  // Without https the way ends at the microphone: better to know before.
  const offline = p(
    isSecureContext ? 'note' : 'note warn',
    isSecureContext ? t('home.offline') : `${t('mic.fail.insecure.why')} ${t('mic.do.https')}`,
  );
  const find = () => {
    show(missing, !adult.checked);
    if (!adult.checked) adult.focus();
    else if (ctx.choices().languages.length === 0) speak.add.focus();
    else dispatch({ type: 'find' });
  };
  const go = h('div', { class: 'go' }, button('find', 'primary', find, t('home.find')), offline);
  const el = h(
    'div',
    { class: 'home' },
    h('div', { class: 'hero' }, title, p('lead', t('home.lead')), changed(ctx)),
    speak.el,
    about.el,
    h(
      'div',
      { class: 'adult' },
      h('label', { class: 'check', for: 'adult' }, adult, t('home.adult')),
      h('p', { class: 'hint', id: 'adult-why' }, t('home.adult.why')),
      missing,
    ),
    go,
    h(
      'section',
      { 'aria-labelledby': 'private' },
      h('h2', { id: 'private' }, t('home.private')),
      h(
        'div',
        { class: 'row' },
        button('create-link', '', () => ctx.room('make'), t('home.private.link')),
        button('join-channel', '', () => ctx.room('channel'), t('home.private.channel')),
        button('join-phrase', '', () => ctx.room('phrase'), t('home.private.phrase')),
      ),
    ),
    kept(ctx),
  );
  return {
    el,
    title,
    update(state) {
      speak.update(state.choices);
      about.update(state.choices);
      if (adult.checked !== state.choices.adult) adult.checked = state.choices.adult;
      show(offline, !state.online);
      attr(go, 'data-ready', state.choices.adult);
    },
  };
}

/** For 30 days, and before it happens: that somebody else begins or ends to touch data here. @param {import('./view.js').Ctx} ctx */
function changed({ t, catalogue }) {
  if (!catalogue.changed) return null;
  const date = new Intl.DateTimeFormat(t.locale, { dateStyle: 'long', timeZone: 'UTC' });
  const says = t('home.changed', { date: date.format(Date.parse(catalogue.changed)) });
  return p(
    'hint',
    h('a', { href: 'privacy/processors', target: '_blank', rel: 'noopener', 'data-testid': 'changed' }, says),
  );
}

/** The languages in order of preference. @param {import('./view.js').Ctx} ctx */
function languages({ t, names, catalogue, choices, choose }) {
  const chips = h('span', { class: 'chips' });
  const add = h(
    'select',
    {
      'data-testid': 'language',
      'aria-label': t('home.language.add'),
      onchange: () => {
        choose({ languages: [...choices().languages, add.value] });
        add.value = '';
      },
    },
    h('option', { value: '' }, t('home.language.add')),
    ...catalogue.languages.map(({ tag }) => h('option', { value: tag, lang: tag }, names.language(tag))),
  );
  const hint = p('hint');

  /** @param {string} tag */
  function chip(tag) {
    const name = names.language(tag);
    const without = () => choices().languages.filter((other) => other !== tag);
    const drop = () => {
      choose({ languages: without() });
      add.focus();
    };
    const remove = button(`remove-${tag}`, 'remove', drop, icon('close'));
    attr(remove, 'aria-label', t('home.language.remove', { name }));
    return h(
      'span',
      { class: 'chip on', 'data-testid': `language-${tag}` },
      button(`first-${tag}`, '', () => choose({ languages: [tag, ...without()] }), h('span', { lang: tag }, name)),
      remove,
    );
  }

  const el = h(
    'section',
    { 'aria-labelledby': 'speak' },
    h('h2', { id: 'speak' }, t('home.speak')),
    h('div', { class: 'chips' }, chips, add),
    hint,
  );
  /** @param {import('./view.js').Choices} chosen */
  function update({ languages: tags }) {
    repeat(chips, tags, chip);
    [...chips.children].forEach((child, i) => {
      const [raise, remove] = child.querySelectorAll('button');
      const name = names.language(tags[i] ?? '');
      const does = i === 0 ? t('home.language.first', { name }) : t('home.language.raise', { name });
      if (raise) attr(raise, 'aria-label', does);
      if (remove) show(remove, tags.length > 1);
    });
    // Safari shows hidden options, so they are also disabled.
    for (const option of add.options)
      for (const how of ['hidden', 'disabled']) attr(option, how, tags.includes(option.value));
    show(add, tags.length < most);
    text(hint, tags.length === 0 ? t('home.language.none') : t('home.language.order'));
    attr(hint, 'class', tags.length === 0 ? 'error' : 'hint');
    show(hint, tags.length !== 1);
  }
  return { el, add, update };
}

/** The interests, or anything. @param {import('./view.js').Ctx} ctx */
function interests({ t, catalogue, choices, choose }) {
  const full = h('p', { class: 'hint', id: 'interests-hint' }, t('home.interests.hint', { n: most }));
  const any = button('anything', 'chip', () => choose({ interests: [] }), t('home.anything'));
  const each = catalogue.interests.map((slug) => ({
    slug,
    el: button(`interest-${slug}`, 'chip', () => toggle(slug), t(`interest.${slug}`)),
  }));

  /** @param {string} slug */
  function toggle(slug) {
    const chosen = choices().interests;
    if (chosen.includes(slug)) choose({ interests: chosen.filter((other) => other !== slug) });
    else if (chosen.length < most) choose({ interests: [...chosen, slug] });
  }
  const el = h(
    'section',
    { 'aria-labelledby': 'about', 'aria-describedby': 'interests-hint' },
    h('h2', { id: 'about' }, t('home.about')),
    h('div', { class: 'chips' }, any, ...each.map((interest) => interest.el)),
    full,
  );
  /** @param {import('./view.js').Choices} chosen */
  function update({ interests: chosen }) {
    attr(any, 'aria-pressed', chosen.length === 0 ? 'true' : 'false');
    for (const { slug, el } of each) {
      const on = chosen.includes(slug);
      attr(el, 'aria-pressed', on ? 'true' : 'false');
      attr(el, 'aria-disabled', !on && chosen.length >= most ? 'true' : undefined);
    }
  }
  return { el, update };
}

/** What is kept, in three lines, and what cannot be prevented. @param {import('./view.js').Ctx} ctx */
function kept({ t, act }) {
  return h(
    'section',
    { class: 'kept', 'aria-labelledby': 'kept' },
    h('h2', { id: 'kept' }, t('home.kept')),
    h(
      'ul',
      {},
      h('li', {}, icon('sound'), h('span', {}, t('home.kept.voice'))),
      h('li', {}, icon('lock'), h('span', {}, t('home.kept.address'))),
      h('li', {}, icon('flag'), h('span', {}, t('home.kept.after'))),
    ),
    h(
      'p',
      { class: 'hint' },
      t('home.kept.limits'),
      ' ',
      h('a', { href: 'privacy', target: '_blank', rel: 'noopener', 'data-testid': 'privacy' }, t('home.privacy')),
    ),
    h(
      'div',
      { class: 'row' },
      ...['standing', 'device'].map((name) => button(name, '', act('panel', { name }), t(`${name}.title`))),
    ),
  );
}

/** For whom we look, how long it usually takes, when the search goes further, and the way out. @param {import('./view.js').Ctx} ctx @returns {import('./view.js').Screen} */
export function queue(ctx) {
  const { t, act, names } = ctx;
  const title = h1(t('queue.title'));
  const whom = p('lead');
  const note = p('note');
  const usual = h('p', { 'data-testid': 'estimate' });
  const timer = h('span', { class: 'clock', 'data-testid': 'timer', 'aria-hidden': 'true' });
  const few = p('note', t('queue.few'));
  const why = button('standing', 'link', act('panel', { name: 'standing' }), t('queue.limited.why'));
  const less = h('p', { class: 'note', 'data-testid': 'limited' }, t('queue.limited'), ' ', why);
  const offline = p('note warn', t('queue.offline'));
  const plan = widening(ctx);
  const behind = p('hint', t('queue.background'));
  const notify = button('notify', 'quiet', () => askToNotify().then(offer), icon('bell'), t('queue.notify'));
  const offer = () => show(notify, mayAskToNotify() && !shown?.queue.puzzle);
  const el = h(
    'div',
    { class: 'queue' },
    ...[title, whom, note, h('div', { class: 'waiting' }, timer, usual), offline, few, less, plan.el, behind],
    h('div', { class: 'go' }, button('cancel', '', act('cancel'), t('cancel')), notify),
  );

  /** @type {import('./view.js').State | undefined} */
  let shown;
  /** @param {number} now */
  function tick(now) {
    if (!shown) return;
    const { startedAt, waiting, puzzle } = shown.queue;
    text(timer, t.clock(now - startedAt));
    show(few, !puzzle && now - startedAt > fewAfter && waiting === null && !limited(shown));
    if (puzzle) text(usual, effort(ctx, puzzle, now));
    plan.update(shown, now);
  }
  return {
    el,
    title,
    tick,
    update(state) {
      shown = state;
      const { languages, interests } = state.choices;
      const { puzzle } = state.queue;
      const params = { language: names.language(languages[0] ?? ''), topics: names.topics(interests, true) };
      text(title, puzzle ? t('puzzle.title') : t('queue.title'));
      if (puzzle) text(whom, t('puzzle.why'));
      else text(whom, interests.length > 0 ? t('queue.about', params) : t('queue.anything', params));
      show(note, state.queue.note !== '');
      if (state.queue.note) text(note, t(`queue.${state.queue.note}`));
      text(usual, estimate(ctx, state.queue));
      show(less, !puzzle && limited(state));
      for (const part of [plan.el, behind]) show(part, !puzzle);
      offer();
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
      const steps = new Map(
        queue.steps
          .filter(({ at, look }) => (widen || at <= now) && (look !== 'anything' || interests.length > 0))
          .map(({ at, look }) => [look, at]),
      );
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

/** How far the work is, in words: nobody knows which try will be the good one.
 * @param {import('./view.js').Ctx} ctx @param {{since: number, takes: number}} puzzle @param {number} now */
function effort({ t }, { since, takes }, now) {
  const share = (now - since) / takes;
  if (takes <= slow && now - since <= slow) return t('puzzle.moment');
  if (takes > 0 && share < 0.5) return t('puzzle.takes', { time: t.seconds(takes) });
  return takes > 0 && share < 1 ? t('puzzle.half') : t('puzzle.luck');
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
