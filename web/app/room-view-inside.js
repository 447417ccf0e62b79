// The inside of a room: who is there, what they say and show, who stands at the door, the lock, and the link.

import { clock } from './room.js';
import { fragment } from './room-phrase.js';
import { MOST_MEMBERS, ours } from './room-state.js';
import { guessLeft, lockLeft } from './room-step.js';
import { help, ownPicture, round } from './room-view-media.js';
import { attr, button, h, h1, icon, p, repeat, show, text } from './view-parts.js';

/** @typedef {import('./room-view.js').Ctx} Ctx */
/** @typedef {import('./room-state.js').State} State */
/** @typedef {import('./room-state.js').Peer} Peer */

// Of our own picture among those of the others; no member has an empty name.
const MINE = '';

/** @param {Ctx} ctx @returns {import('./room-view-forms.js').Screen & {plays: (id: string, stream: MediaStream) => void, picture: HTMLVideoElement,
 *   tick: (now: number) => void}} */
export function inside(ctx) {
  const { t } = ctx;
  const title = h1();
  const grid = h('div', { class: 'peers', 'data-testid': 'peers', role: 'list' });
  const mine = ownPicture(ctx);
  const me = h('div', { class: 'me', role: 'listitem' }, mine, p('who', t('chat.you')));
  const hints = h('ul', { class: 'hints' });
  const door = knocking(ctx);
  const invite = share(ctx);
  const lock = locking(ctx);
  const bar = controls(ctx);
  const talk = chat(ctx);
  const news = h('div', { class: 'news' }, door.el, hints);
  const beside = h('div', { class: 'beside' }, talk.el, lock.el, invite.el, help(ctx));
  const el = h('div', { class: 'room' }, title, news, grid, beside, bar.el);
  /** @type {Map<string, ReturnType<typeof member>>} */
  const shown = new Map();
  /** @type {Map<string, MediaStream>} */
  const streams = new Map();

  /** @param {string} id */
  function make(id) {
    if (id === MINE) return me;
    const made = member(ctx);
    shown.set(id, made);
    const stream = streams.get(id);
    if (stream) made.plays(stream);
    return made.el;
  }

  return {
    el,
    title,
    picture: mine,
    plays(id, stream) {
      streams.set(id, stream);
      shown.get(id)?.plays(stream);
    },
    tick: lock.tick,
    update(state) {
      const here = ours(state);
      text(title, t(here.length === 0 ? `inside.alone.${state.kind}` : 'inside.title', { n: here.length + 1 }));
      repeat(grid, [...here.map(({ id }) => id), MINE], make);
      for (const one of here) shown.get(one.id)?.update(one);
      for (const id of [...shown.keys()]) if (!here.some((one) => one.id === id)) shown.delete(id);
      const shows = state.media.camera.phase === 'on';
      attr(el, 'data-alone', here.length === 0);
      attr(grid, 'data-count', here.length);
      attr(grid, 'data-tiles', here.length + Number(shows));
      show(me, shows);
      const now = clock();
      const keys = hintsOf(state, now);
      repeat(hints, keys, (key) => h('li', { 'data-testid': `hint-${key.split('.').at(-1)}` }));
      for (const [i, key] of keys.entries())
        text(/** @type {Node} */ (hints.children[i]), sentence(key, state, now, t));
      for (const part of [door, invite, lock, bar, talk]) part.update(state);
    },
  };
}

/** What is worth a word now. @param {State} s @param {number} now @returns {string[]} */
export function hintsOf(s, now) {
  const others = s.peers.some((one) => one.phase === 'other');
  const held = s.peers.some((one) => one.phase === 'held');
  const keys = [
    !s.online && 'hint.offline',
    s.full && 'hint.full',
    s.kind === 'channel' && others && ours(s).length === 0 && 'hint.others',
    s.kind === 'link' && others && 'hint.strangers',
    s.locked && held && 'hint.held',
    guessLeft(s, now) > 0 && 'hint.guesses',
    s.advice?.level && `hint.line.${s.advice.level}`,
    s.picture?.why === 'line' && s.picture.video === null && 'hint.voice',
    s.hidden && 'hint.hidden',
  ];
  return /** @type {string[]} */ (keys.filter(Boolean));
}

/** @param {string} key @param {State} s @param {number} now @param {import('./view-parts.js').T} t */
function sentence(key, s, now, t) {
  const { advice } = s;
  const mbit = (/** @type {number | undefined} */ kbps) => ((kbps ?? 0) / 1000).toFixed(1);
  return t(key, {
    members: advice?.members ?? 0,
    needs: mbit(advice?.needs),
    has: mbit(advice?.has),
    most: MOST_MEMBERS,
    left: t.seconds(guessLeft(s, now)),
  });
}

/** One other member. @param {Ctx} ctx */
function member({ t }) {
  const sound = h('audio', { autoplay: true, 'data-testid': 'peer-audio' });
  const picture = h('video', {
    autoplay: true,
    playsinline: true,
    muted: true,
    'data-testid': 'peer-video',
    hidden: true,
  });
  picture.muted = true;
  const name = h('h2', {});
  const how = p('hint');
  const string = h('details', { class: 'string' }, h('summary', {}, t('peer.string')), p('hint', t('peer.string.why')));
  const digits = h('p', { class: 'digits', 'data-testid': 'sas' });
  string.append(digits);
  const el = h(
    'article',
    { 'data-testid': 'peer', role: 'listitem' },
    picture,
    h('div', { class: 'who' }, name, how, string),
    sound,
  );
  return {
    el,
    /** @param {MediaStream} stream */
    plays(stream) {
      if (sound.srcObject !== stream) sound.srcObject = stream;
      if (picture.srcObject !== stream) picture.srcObject = stream;
      for (const media of [sound, picture]) media.play().catch(() => {});
    },
    /** @param {Peer} one */
    update(one) {
      attr(el, 'data-phase', one.phase);
      attr(el, 'data-path', one.path || undefined);
      attr(el, 'data-number', one.number);
      text(name, t('peer.name', { n: one.number }));
      const words = [
        t(`peer.${one.phase}`),
        t(one.mic ? 'peer.mic' : 'peer.no_mic'),
        one.path ? t(`peer.${one.path}`) : '',
        one.phase === 'live' && one.weak ? t('peer.weak') : '',
      ];
      text(how, words.filter(Boolean).join(' '));
      show(picture, one.camera && one.video);
      text(digits, one.sas?.digits ?? '');
      show(string, one.sas !== null);
    },
  };
}

/** Who stands at the door. @param {Ctx} ctx */
function knocking({ t, dispatch }) {
  const list = h('div', {});
  const make = (/** @type {string} */ id) =>
    h(
      'div',
      { class: 'note knock', 'data-testid': 'knock-here' },
      p('', icon('bell'), t('knock.here')),
      button('admit', 'primary', () => dispatch({ type: 'admit', member: id, yes: true }), t('knock.yes')),
      button('turn-away', '', () => dispatch({ type: 'admit', member: id, yes: false }), t('knock.no')),
    );
  return { el: list, update: (/** @type {State} */ s) => repeat(list, s.knocks, make) };
}

/** A code for cameras, drawn when somebody wants it. @param {import('./view-parts.js').T} t @param {() => string} link */
function drawn(t, link) {
  const picture = h('div', { class: 'qr', 'data-testid': 'qr' });
  const code = h('details', { ontoggle: () => draw() }, h('summary', {}, t('share.code')), picture);
  async function draw() {
    if (!code.open || picture.firstChild) return;
    const { code: encoded } = await import('./room-qr.js');
    const { size, path } = encoded(link());
    const ns = 'http://www.w3.org/2000/svg';
    const svg = document.createElementNS(ns, 'svg');
    attr(svg, 'viewBox', `0 0 ${size} ${size}`);
    attr(svg, 'role', 'img');
    attr(svg, 'aria-label', t('share.code'));
    const dark = document.createElementNS(ns, 'path');
    attr(dark, 'd', path);
    svg.append(dark);
    picture.append(svg);
  }
  return code;
}

/** The link, its words and its code, for as long as somebody may still come. @param {Ctx} ctx */
function share({ t, base, dispatch }) {
  const link = h('output', { class: 'linked', 'data-testid': 'link' });
  const said = h('p', { class: 'spoken', 'data-testid': 'spoken' });
  const copied = h('span', { role: 'status' });
  const copy = button(
    'copy-link',
    'primary',
    async () => {
      await navigator.clipboard.writeText(link.value).then(
        () => text(copied, t('share.copied')),
        () => text(copied, t('share.not_copied')),
      );
    },
    t('share.copy'),
  );
  const send = button(
    'share-link',
    '',
    () => void navigator.share({ url: link.value }).catch(() => {}),
    t('share.send'),
  );
  const knock = h('button', {
    ...{ type: 'button', class: 'switch', role: 'switch', 'data-testid': 'knock-switch' },
    onclick: () => dispatch({ type: 'door', knock: knock.getAttribute('aria-checked') !== 'true' }),
  });
  text(knock, t('make.knock'));
  const el = h(
    'details',
    { class: 'note share', open: true },
    h('summary', {}, t('share.title')),
    p('hint', t('share.why')),
    h('p', {}, link),
    h('div', { class: 'row' }, copy, 'share' in navigator && send, copied),
    h('h3', {}, t('share.spoken')),
    said,
    drawn(t, () => link.value),
    knock,
  );
  let alone = true;
  return {
    el,
    /** @param {State} s */
    update(s) {
      const was = alone;
      alone = ours(s).length === 0;
      // Who has company has other things before them, unless they are just at this.
      if (alone !== was && !el.contains(document.activeElement)) el.open = alone;
      const open = s.kind === 'link' && s.words.length > 0;
      show(el, open && ours(s).length + 1 < s.capacity);
      if (!open) return;
      const url = `${base}#${fragment(s.words)}`;
      if (link.value !== url) link.value = url;
      text(said, s.words.join(' '));
      attr(knock, 'aria-checked', String(s.knock));
    },
  };
}

/** The lock of a channel. @param {Ctx} ctx */
function locking({ t, dispatch }) {
  const state = h('p', { 'data-testid': 'locked', role: 'status' });
  const left = h('span', { class: 'clock', 'aria-hidden': 'true' });
  const allow = button('allow-joining', '', () => dispatch({ type: 'allow' }), icon('lock'), t('lock.allow'));
  const el = h('section', { class: 'note lock' }, state, left, allow);
  /** @type {State | undefined} */
  let shown;
  const tick = (/** @type {number} */ now) => {
    const ms = shown ? lockLeft(shown, now) : 0;
    text(left, ms > 0 ? t('lock.left', { time: t.clock(ms) }) : '');
  };
  return {
    el,
    tick,
    /** @param {State} s */
    update(s) {
      shown = s;
      show(el, s.kind === 'channel');
      attr(state, 'data-locked', String(s.locked));
      text(state, t(s.locked ? 'lock.locked' : 'lock.open'));
    },
  };
}

/** The buttons at the foot. @param {Ctx} ctx */
function controls({ t, dispatch, leave }) {
  /** @type {State | undefined} */
  let s;
  const turn = (/** @type {'mic' | 'camera'} */ kind) =>
    dispatch({ type: 'device', kind, on: s?.media[kind].phase === 'off' });
  const voice = () => (s?.media.mic.phase === 'on' ? dispatch({ type: 'mute' }) : turn('mic'));
  const mute = round('mute', 'mic', voice);
  const video = round('video', 'camera', () => turn('camera'));
  const micOff = round('mic-off', 'mute', () => turn('mic'));
  const hide = round('hide-address', 'shield', () => dispatch({ type: 'hide', on: !s?.hidden }));
  const end = round('leave', 'leave', leave);
  end.update(t('bar.leave'));
  const trouble = h('p', { class: 'note warn', role: 'alert', hidden: true });
  attr(mute.el, 'aria-keyshortcuts', 'm');
  attr(video.el, 'aria-keyshortcuts', 'v');
  const buttons = [mute, micOff, video, hide, end].map(({ el }) => el);
  const el = h(
    'div',
    { class: 'room-bar' },
    trouble,
    h('div', { class: 'row', role: 'group', 'aria-label': t('bar.title') }, ...buttons),
  );
  return {
    el,
    /** @param {State} state */
    update(state) {
      s = state;
      const { mic, camera, muted } = state.media;
      mute.update(
        t(mic.phase !== 'on' ? 'bar.mic_on' : muted ? 'bar.unmute' : 'bar.mute'),
        mic.phase === 'on' && muted,
      );
      micOff.update(t('bar.mic_off'));
      // It goes with the microphone; what turns that on again is beside it.
      if (mic.phase !== 'on' && document.activeElement === micOff.el) mute.el.focus();
      show(micOff.el, mic.phase === 'on');
      video.update(t(camera.phase === 'on' ? 'bar.camera_off' : 'bar.camera_on'), camera.phase === 'on');
      hide.update(t('hide.title'), state.hidden);
      const error = mic.error || camera.error;
      text(trouble, error ? t(`device.fail.${error}`) : '');
      show(trouble, error !== '');
    },
  };
}

/** Text with all. @param {Ctx} ctx */
function chat({ t, dispatch }) {
  const log = h('div', { class: 'log', role: 'log', 'data-testid': 'chat-log', 'aria-label': t('chat.title') });
  const input = h('input', {
    type: 'text',
    maxlength: 2000,
    autocomplete: 'off',
    'data-testid': 'chat-input',
    'aria-label': t('chat.write'),
    placeholder: t('chat.write'),
  });
  const send = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (input.value.trim()) dispatch({ type: 'text', text: input.value });
    input.value = '';
  };
  const form = h(
    'form',
    { class: 'row', onsubmit: send },
    input,
    h('button', { type: 'submit', 'data-testid': 'chat-send' }, t('chat.send')),
  );
  const el = h('section', { class: 'chat', 'aria-label': t('chat.title') }, log, form);
  /** @type {import('./room-state.js').Line[]} */
  let drawn = [];
  return {
    el,
    /** @param {State} s */
    update(s) {
      const lines = s.chat;
      show(el, ours(s).length > 0 || lines.length > 0);
      if (lines === drawn) return;
      const fresh = lines.filter((line) => !drawn.includes(line));
      drawn = lines;
      for (const { from, text: words, at } of fresh) {
        const who = from === 0 ? t('chat.you') : t('peer.name', { n: from });
        log.append(
          p(from === 0 ? 'mine' : 'theirs', h('span', { class: 'hint' }, `${who}, ${t.time(at)}`), h('br', {}), words),
        );
      }
      log.scrollTop = log.scrollHeight;
    },
  };
}
