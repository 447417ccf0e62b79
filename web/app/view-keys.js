// The keyboard: one key for each thing one may want quickly, never while somebody types.

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

  /** @param {string} screen @param {number} now */
  function escape(screen, now) {
    const out = screen === 'queued' || screen === 'matched' ? 'cancel' : calling(screen) ? 'next' : '';
    if (state()?.panel) dispatch({ type: 'panel', name: '' });
    else if (out && now - escaped < twice) dispatch({ type: out });
    else if (out) {
      escaped = now;
      hint(out === 'next' ? 'keys.again.next' : 'keys.again.cancel');
      return;
    }
    escaped = -twice;
  }

  /** @param {KeyboardEvent} event */
  function pressed(event) {
    const screen = state()?.screen ?? '';
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat) return;
    if (event.key === 'Escape') escape(screen, event.timeStamp);
    else if (!single || typing(event.target)) return;
    else if (event.key === '?') panel('keys');
    else if (screen === 'ended' && event.key.toLowerCase() === 'r') panel('report');
    else if (calling(screen)) inCall[event.key.toLowerCase()]?.();
    else return;
    event.preventDefault();
  }

  document.addEventListener('keydown', pressed);
  return {
    /** Single keys can be switched off, since speech input and some switches type by themselves. @param {boolean} on */
    use: (on) => {
      single = on;
    },
  };
}

/** @param {string} screen */
const calling = (screen) => ['connecting', 'live', 'reconnecting'].includes(screen);

/** @param {EventTarget | null} target */
function typing(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'range', 'button'].includes(target.type);
  return target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
