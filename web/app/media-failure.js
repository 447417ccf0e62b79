// Why there is no microphone, as one of a few codes that each have a way out.

/** @typedef {import('./app-state.js').MicError} MicError */

/** permission is what the browser would answer without asking, or '' where it does not say.
 * @returns {Promise<'' | PermissionState>} */
export async function permission() {
  try {
    /** @type {any} */
    const name = 'microphone';
    const { state } = await navigator.permissions.query({ name });
    return state;
  } catch {
    return '';
  }
}

/** missing tells why this page cannot even ask, or ''.
 * @param {{isSecureContext: boolean, navigator: {mediaDevices?: {getUserMedia?: unknown}}}} page @returns {MicError} */
export function missing(page) {
  if (page.navigator.mediaDevices?.getUserMedia) return '';
  return page.isSecureContext ? 'webview' : 'insecure';
}

/** failure names an error of getUserMedia. before and after are the permission at these times: a
 * browser that remembers a no has not asked at all, one that still would ask was only waved away.
 * @param {string} name @param {string} before @param {string} after @returns {MicError} */
export function failure(name, before, after) {
  switch (name) {
    case 'NotAllowedError':
      if (before === 'denied') return 'blocked';
      return after === 'prompt' ? 'dismissed' : 'denied';
    case 'SecurityError':
      return 'blocked';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'none';
    case 'TypeError':
      return 'insecure';
    default:
      return 'busy'; // NotReadableError, AbortError, and what browsers invent
  }
}
