// The keyboard: one key for each thing one may want quickly, never while somebody types.

/** What Esc pressed twice does. @type {Record<string, string>} */
const exits = { queued: 'cancel', matched: 'cancel', connecting: 'next', live: 'next', reconnecting: 'next' };
const twice = 2000; // ms within which the second Esc counts

/**
 * @param {{dispatch: (action: any) => void, state: () => import('./view.js').State | undefined, hint: (key: string) => void}} page
 */
export function keyboard({ dispatch, state, hint }) {
  let single = true;
  let escaped = -twice;

  /** @param {string} name */
  const panel = (name) => dispatch({ type: 'panel', name: state()?.panel === name ? '' : name });
  /** @type {Record<string, () => void>} */
  const inCall = {
    m: () => dispatch({ type: 'mute' }),
    n: () => dispatch({ type: 'next' }),
    r: () => panel('report'),
    v: () => panel('verify'),
    c: () => panel('chat'),
  };

  /** Out of whatever this is: first the panel, then, pressed twice, the search or the call. @param {number} now */
  function out(now) {
    const where = state();
    const action = where ? exits[where.screen] : undefined;
    const again = now - escaped < twice;
    escaped = -twice;
    if (where?.panel) dispatch({ type: 'panel', name: '' });
    else if (action && again) dispatch({ type: action });
    else if (action) {
      escaped = now;
      hint(`keys.again.${action}`);
    }
  }

  /** @param {string} key @returns {(() => void) | undefined} */
  function meaning(key) {
    const screen = state()?.screen ?? '';
    if (key === '?') return () => panel('keys');
    if (screen === 'ended') return key === 'r' ? inCall.r : undefined;
    return exits[screen] === 'next' ? inCall[key] : undefined;
  }

  /** @param {KeyboardEvent} event */
  function pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat) return;
    if (event.key === 'Escape') return out(event.timeStamp);
    const act = single && !typing(event.target) ? meaning(event.key.toLowerCase()) : undefined;
    if (!act) return;
    event.preventDefault();
    act();
  }

  document.addEventListener('keydown', pressed);
  return {
    /** Single keys can be switched off, since speech input and some switches type by themselves. @param {boolean} on */
    use: (on) => {
      single = on;
    },
  };
}

/** @param {EventTarget | null} target */
function typing(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'range', 'button'].includes(target.type);
  return target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
