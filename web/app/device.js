// The install token: 128 random bits that this browser keeps, and the digest of them that the server
// sees. Clearing the browser's storage makes a new one.

/** @param {Uint8Array} bytes */
const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

/** token makes a new install token.
 * @returns {string} */
export const token = () => base64url(crypto.getRandomValues(new Uint8Array(16)));

/** digest is what the server is told of a token.
 * @param {string} token @returns {Promise<string>} */
export const digest = async (token) =>
  base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))));
