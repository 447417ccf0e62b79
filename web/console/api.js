// The way to the server. The token lives in this module's memory alone: closing or loading the page
// forgets it, no cookie carries it, so no other page can act with it.

/** What the server refuses, in its words. */
export class Refused extends Error {
  /** @param {number} status @param {string} says @param {any} body */
  constructor(status, says, body) {
    super(says);
    this.status = status;
    this.body = body;
  }
}

let token = '';

/** @param {string} value "" forgets it */
export function useToken(value) {
  token = value.trim();
}

/**
 * Asks the server; with a body it may change something.
 * @param {string} path below api/
 * @param {object} [body]
 * @returns {Promise<any>}
 */
export async function ask(path, body) {
  const answer = await send(path, body);
  const text = await answer.text();
  /** @type {any} */
  let said = {};
  try {
    said = JSON.parse(text);
  } catch {
    said = { error: text.trim() };
  }
  if (!answer.ok) throw new Refused(answer.status, said.error || `The server answered ${answer.status}.`, said);
  return said;
}

/** @param {string} path @param {object} [body] */
async function send(path, body) {
  /** @type {RequestInit} */
  const init = {
    cache: 'no-store',
    credentials: 'omit',
    headers: { Authorization: `Bearer ${token}`, 'X-Parley-Console': '1' },
  };
  if (body) {
    init.method = 'POST';
    init.body = JSON.stringify(body);
    init.headers = { ...init.headers, 'Content-Type': 'application/json' };
  }
  try {
    return await fetch(`api/${path}`, init);
  } catch {
    throw new Refused(0, 'The server cannot be reached.', {});
  }
}
