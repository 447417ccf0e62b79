// Home: what this is, what you would like to talk about and in which languages, and what is kept.

import { attr, button, h, h1, p, repeat, show, text } from './dom.js';
import { icon } from './view-stage.js';

const most = 5; // languages or interests of one search

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
  const offline = p('note', t('home.offline'));
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
    h('div', { class: 'hero' }, title, p('lead', t('home.lead'))),
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
    ...catalogue.languages.map(({ tag, name }) => h('option', { value: tag, lang: tag }, name)),
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
function kept({ t }) {
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
  );
}
