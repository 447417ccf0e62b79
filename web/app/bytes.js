// Bytes as text that fits anywhere.

/** encode writes bytes as base64url.
 * @param {Uint8Array} bytes @returns {string} */
export function encode(bytes) {
  let binary = '';
  for (const b of bytes) binary += String.fromCharCode(b);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** digest returns the SHA-256 of a text as 43 characters.
 * @param {string} text @returns {Promise<string>} */
export const digest = async (text) =>
  encode(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))));
