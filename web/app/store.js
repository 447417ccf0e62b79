// What this browser remembers, in localStorage: the install token (128 random bits, of which the server
// sees a digest), the age ticket (the server's word for the day when it first saw that token), the choices,
// who was blocked or reported, who was met in the last half hour, and a review code that waits for its
// answer. A browser that refuses storage forgets all of it with the page.

import { encode } from './bytes.js';

/** @typedef {import('./app-state.js').Choices} Choices */
/** @typedef {{avoid: string, until: number}} Entry until 0: as long as the install token */
/** @typedef {{code: string, until: number}} Review */
/** @typedef {{token: string, age: string, review: Review, choices: Partial<Choices>, tested: boolean, avoid: Entry[],
 *    met: Entry[]}} Kept all but choices and tested goes with the token */

const NAME = 'parley';
// The server takes 128 tokens with a search: so many who were met, so many who were reported or blocked.
const MOST = 64;
const MET = 30 * 60000;
const REPORTED = 30 * 86400000;
const REVIEW = 7 * 86400000;

/** @type {Omit<Kept, 'token' | 'choices' | 'tested'>} */
const EMPTY = { age: '', review: { code: '', until: 0 }, avoid: [], met: [] };

export class Store {
  #storage;
  /** @type {Kept} */
  #kept;

  /** The storage is given as a function, because a browser may throw when it is only named.
   * @param {() => Storage} storage @param {() => string} token */
  constructor(storage, token) {
    this.#storage = storage;
    const kept = read(storage);
    this.#kept = { ...kept, token: kept.token || token() };
    save(storage, this.#kept);
  }

  get token() {
    return this.#kept.token;
  }

  /** The age ticket, '' before the first one. */
  get age() {
    return this.#kept.age;
  }

  /** The code of a review that was asked for here, or ''.
   * @param {number} now */
  review(now) {
    this.#merge(now);
    return this.#kept.review.until > now ? this.#kept.review.code : '';
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
    this.#merge(0);
    Object.assign(this.#kept, { choices, tested: tested || this.tested });
    save(this.#storage, this.#kept);
  }

  /** remember takes a token of somebody not to meet for a while, or ever.
   * @param {'met' | 'reported' | 'blocked'} kind @param {string} avoid @param {number} now */
  remember(kind, avoid, now) {
    if (!avoid) return;
    this.#merge(now);
    const until = kind === 'met' ? now + MET : kind === 'reported' ? now + REPORTED : 0;
    const list = kind === 'met' ? 'met' : 'avoid';
    this.#kept[list] = union([{ avoid, until }, ...this.#kept[list]], now);
    save(this.#storage, this.#kept);
  }

  /** keepAge takes the ticket that the server gave. @param {string} age */
  keepAge(age) {
    this.#merge(0);
    this.#kept.age = age;
    save(this.#storage, this.#kept);
  }

  /** keepReview takes the code of a review, until its answer is gone.
   * @param {string} code @param {number} now */
  keepReview(code, now) {
    this.#merge(now);
    this.#kept.review = { code, until: now + REVIEW };
    save(this.#storage, this.#kept);
  }

  /** forget makes this browser a new one, which still has its choices. */
  forget(next = token()) {
    const { choices, tested } = this.#kept;
    this.#kept = { ...EMPTY, token: next, choices, tested };
    save(this.#storage, this.#kept);
  }

  /** avoid lists the tokens for a search.
   * @param {number} now @returns {string[]} */
  avoid(now) {
    this.#merge(now);
    return [...this.#kept.met, ...this.#kept.avoid].map((e) => e.avoid);
  }

  /** merge takes in what other tabs have stored since. One may have erased what this one still knows.
   * @param {number} now */
  #merge(now) {
    const other = read(this.#storage);
    const mine = other.token && other.token !== this.#kept.token ? { ...this.#kept, ...EMPTY } : this.#kept;
    this.#kept = {
      token: other.token || mine.token,
      age: other.age || mine.age,
      review: other.review.until > mine.review.until ? other.review : mine.review,
      choices: { ...mine.choices, ...other.choices },
      tested: mine.tested || other.tested,
      avoid: union([...mine.avoid, ...other.avoid], now),
      met: union([...mine.met, ...other.met], now),
    };
  }
}

/** How long an entry holds. @param {Entry} entry */
const end = ({ until }) => until || Number.MAX_VALUE;

/** union leaves out what is past, and what is said twice. Of too many the first to go are those that
 * end first, so reports go before blocks.
 * @param {Entry[]} entries newest first @param {number} now */
function union(entries, now) {
  const lasting = entries.filter((e) => end(e) > now).sort((a, b) => end(b) - end(a));
  return lasting.filter((e, i) => lasting.findIndex(({ avoid }) => avoid === e.avoid) === i).slice(0, MOST);
}

/** read returns what is stored, as far as it is sound.
 * @param {() => Storage} storage @returns {Kept} */
function read(storage) {
  const { token, age, review, choices, tested, avoid, met } = load(storage) ?? {};
  return {
    token: typeof token === 'string' && /^[\w-]{22}$/.test(token) ? token : '',
    age: typeof age === 'string' && /^[\w.-]{1,512}$/.test(age) ? age : '',
    review: readReview(review),
    choices: readChoices(choices),
    tested: tested === true,
    avoid: readEntries(avoid),
    met: readEntries(met),
  };
}

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

/** @param {any} value @returns {Review} */
function readReview(value) {
  const sound = typeof value?.code === 'string' && value.code.length <= 128 && Number.isFinite(value.until);
  return sound ? { code: value.code, until: value.until } : EMPTY.review;
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
