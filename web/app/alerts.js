// Tells somebody who looks elsewhere: the title, a short sound, a notification if it was allowed.

const tones = {
  matched: [659, 880, 1319], // two voices meet
  ended: [659, 440],
  message: [880],
};
const beat = 0.13; // seconds from tone to tone
const loud = 0.07;

/** Whether asking makes sense: only after a tap, and only if nothing was answered yet. */
export const mayAskToNotify = () => 'Notification' in globalThis && Notification.permission === 'default';

export const askToNotify = () => Notification.requestPermission();

/** @param {{t: import('./i18n.js').T}} page */
export function alerts({ t }) {
  /** @type {AudioContext | undefined} */
  let audio;
  /** @type {Notification | undefined} */
  let note;

  /** @param {keyof typeof tones} what */
  function ring(what) {
    audio ??= new AudioContext();
    const start = audio.currentTime + 0.02;
    for (const [i, pitch] of tones[what].entries()) {
      const tone = new OscillatorNode(audio, { type: 'sine', frequency: pitch });
      const gain = new GainNode(audio, { gain: 0 });
      const at = start + i * beat;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(loud, at + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.0001, at + 0.3);
      tone.connect(gain).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.32);
    }
  }

  /** @param {string} sentence */
  function show(sentence) {
    document.title = sentence;
    if (!('Notification' in globalThis) || Notification.permission !== 'granted') return;
    try {
      note?.close();
      note = new Notification('parley', { body: sentence, tag: 'parley' });
      note.onclick = () => {
        window.focus();
        clear();
      };
    } catch {
      // Chrome on Android allows notifications from a service worker only; the title and the sound remain.
    }
  }

  function clear() {
    document.title = t('app.title');
    note?.close();
    note = undefined;
  }

  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) clear();
  });

  return {
    matched() {
      ring('matched');
      if (document.hidden) show(t('notify.matched'));
    },
    ended() {
      ring('ended');
      if (document.hidden) show(t('notify.ended'));
    },
    message() {
      if (!document.hidden) return;
      ring('message');
      show(t('notify.message'));
    },
    clear,
  };
}
