// What this browser remembers. localStorage: the install token (128 random bits, of which the server
// sees a digest), the choices, who was blocked or
// reported. sessionStorage: who was met in the last half hour. A browser that refuses storage forgets
// all of it with the page.

import { encode } from './seal.js';

/** @typedef {import('./app-state.js').Choices} Choices */
/** @typedef {{avoid: string, until: number}} Entry until 0: as long as the install token */
/** @typedef {{token: string, choices: Partial<Choices>, tested: boolean, avoid: Entry[]}} Kept */

const NAME = 'parley';
const MOST = 64;
const MET = 30 * 60000;
const REPORTED = 30 * 86400000;

export class Store {
  #local;
  #session;
  /** @type {Kept} */
  #kept;
  /** @type {Entry[]} */
  #met;

  /** The storages are given as functions, because a browser may throw when one is only named.
   * @param {{local: () => Storage, session: () => Storage, token: () => string}} from */
  constructor({ local, session, token }) {
    this.#local = local;
    this.#session = session;
    const { token: old, choices, tested, avoid } = load(local) ?? {};
    this.#kept = {
      token: typeof old === 'string' && /^[\w-]{22}$/.test(old) ? old : token(),
      choices: readChoices(choices),
      tested: tested === true,
      avoid: readEntries(avoid),
    };
    this.#met = readEntries(load(session));
    this.#save();
  }

  get token() {
    return this.#kept.token;
  }

  get choices() {
    return this.#kept.choices;
  }

  /** Whether a microphone test was passed here before. */
  get tested() {
    return this.#kept.tested;
  }

  /** @param {Choices} choices @param {boolean} tested */
  keep(choices, tested) {
    this.#kept = { ...this.#kept, choices, tested };
    this.#save();
  }

  /** remember takes a token of somebody not to meet for a while, or ever.
   * @param {'met' | 'reported' | 'blocked'} kind @param {string} avoid @param {number} now */
  remember(kind, avoid, now) {
    if (!avoid) return;
    if (kind === 'met') {
      this.#met = add(this.#met, { avoid, until: now + MET }, now);
      save(this.#session, this.#met);
      return;
    }
    this.#kept.avoid = add(this.#kept.avoid, { avoid, until: kind === 'blocked' ? 0 : now + REPORTED }, now);
    this.#save();
  }

  /** avoid lists the tokens for a search.
   * @param {number} now @returns {string[]} */
  avoid(now) {
    return [...this.#met, ...this.#kept.avoid].filter((e) => holds(e, now)).map((e) => e.avoid);
  }

  #save() {
    save(this.#local, this.#kept);
  }
}

/** @param {Entry} entry @param {number} now */
const holds = ({ until }, now) => until === 0 || until > now;

/** add puts an entry at the front; of too many, or past ones, the oldest go.
 * @param {Entry[]} entries @param {Entry} entry @param {number} now */
const add = (entries, entry, now) =>
  [entry, ...entries.filter((e) => e.avoid !== entry.avoid && holds(e, now))].slice(0, MOST);

/** @param {() => Storage} storage @returns {any} */
function load(storage) {
  try {
    return JSON.parse(storage().getItem(NAME) ?? 'null');
  } catch {
    return null;
  }
}

/** @param {() => Storage} storage @param {unknown} value */
function save(storage, value) {
  try {
    storage().setItem(NAME, JSON.stringify(value));
  } catch {
    // Refused or full: it lives as long as the page.
  }
}

/** @param {unknown} value @returns {Entry[]} */
function readEntries(value) {
  if (!Array.isArray(value)) return [];
  return value.filter((e) => typeof e?.avoid === 'string' && Number.isFinite(e?.until)).slice(0, MOST);
}

/** @param {any} value @returns {Partial<Choices>} */
function readChoices(value) {
  const { languages, interests, widen, adult } = value ?? {};
  /** @param {unknown} v @returns {v is string[]} */
  const words = (v) => Array.isArray(v) && v.length <= 5 && v.every((w) => typeof w === 'string');
  return {
    ...(words(languages) && { languages }),
    ...(words(interests) && { interests }),
    ...(typeof widen === 'boolean' && { widen }),
    ...(typeof adult === 'boolean' && { adult }),
  };
}

/** token makes a new install token.
 * @returns {string} */
export const token = () => encode(crypto.getRandomValues(new Uint8Array(16)));

/** digest is what the server is told of a token.
 * @param {string} token @returns {Promise<string>} */
export const digest = async (token) =>
  encode(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))));
