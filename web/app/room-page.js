// The way into a private room: loaded when somebody wants one, with its words and style, and from then on the page
// is the room's. There is no way back but to load the page again, so that nothing of the room stays in it.

import { clock, Room } from './room.js';
import { unpack } from './room-phrase.js';
import { remembered } from './room-store.js';
import { mountRoom } from './room-view.js';
import { h, nearest, speak } from './view-parts.js';

/** @typedef {'make' | 'phrase' | 'channel' | 'back' | 'help'} What */

/** @param {string} name @returns {Promise<any>} */
async function load(name) {
  const answer = await fetch(new URL(name, import.meta.url));
  if (!answer.ok) throw new Error(`${name}: status ${answer.status}`);
  return answer.json();
}

/** open puts the room in the place of the page.
 * @param {HTMLElement} root @param {{what: What, fragment: string, send: (frame: import('./protocol.js').Outgoing) => void,
 *   notify: (what: 'matched' | 'message') => void}} from fragment: what the link said behind its #
 * @returns {Promise<{hear: (event: any) => void}>} */
export async function open(root, { what, fragment, send, notify }) {
  const locale = nearest(navigator.language);
  const style = h('link', { rel: 'stylesheet', href: new URL('room.css', import.meta.url).href });
  const drawn = new Promise((resolve) => {
    style.onload = style.onerror = resolve;
  });
  document.head.append(style);
  const [words, own, packed] = await Promise.all([
    load(`lang/${locale}.json`),
    load(`lang/room.${locale}.json`),
    load('vendor/words.json'),
    drawn,
  ]);
  const t = speak({ ...words, ...own }, locale);
  const list = unpack(packed.words);
  /** @type {Room | undefined} */
  let room;
  const view = mountRoom(root, {
    t,
    list,
    what,
    fragment,
    base: new URL('room', document.baseURI).href,
    dispatch: (event) => room?.dispatch(event),
    listDevices: async (kind) => (await room?.devices.list(kind)) ?? [],
    choose: (kind, id) => room?.devices.choose(kind, id),
  });
  const back = what === 'back' ? remembered(clock()) : null;
  room = new Room(
    {
      send,
      render: view.render,
      plays: view.plays,
      preview: view.preview,
      notify: (about) => notify(about === 'message' ? 'message' : 'matched'),
    },
    back ?? undefined,
  );
  view.render(room.state);
  return { hear: (event) => room?.hear(event) };
}
