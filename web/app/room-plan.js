// How much picture a room of so many can have. In a mesh everybody sends to everybody, so the upstream of
// one member carries members - 1 pictures and voices. The plan makes pictures smaller as the room grows,
// smaller again where the line does not carry them, and gives up the picture before the voice. The limit
// is said before it hurts: the need of one member more against what the line was seen to carry.
//
// Pure. The caller measures: availableOutgoingBitrate of getStats is the browser's own estimate, for each
// connection; what really left is the floor of it.

// kbit/s on the wire: Opus of 24 kbit/s at 50 packets a second with RTP, SRTP, UDP and IP around it.
export const VOICE = 46;
// Around each packet of video: about 5 %.
const OVERHEAD = 1.05;
// Of what a line carries, so that voice, text and others in the house have room.
const SHARE = 0.8;
// kbit/s below which a picture is no picture.
const LEAST = 80;
// A line of which nothing is known.
export const UNKNOWN = 0;

/** @typedef {{width: number, height: number, fps: number, kbps: number}} Size of one picture, to one peer */
/** @typedef {{video: Size | null, why: '' | 'line' | 'cpu' | 'off'}} Plan video: null for voice alone */
/** @typedef {{members: number, line: number, sending: boolean, weak: boolean}} Situation members with us; line: kbit/s that it
 *  carries upstream, or UNKNOWN; sending: the camera is on; weak: this browser cannot encode as fast as it should */

/** For a room of so many, how large a picture is to each of the others. Seen in a grid a picture of four is no
 * larger than half a screen. @type {readonly Size[]} */
const LADDER = [
  { width: 1280, height: 720, fps: 30, kbps: 1200 },
  { width: 960, height: 540, fps: 30, kbps: 700 },
  { width: 640, height: 360, fps: 24, kbps: 400 },
  { width: 480, height: 270, fps: 20, kbps: 250 },
  { width: 320, height: 180, fps: 15, kbps: 130 },
  { width: 240, height: 136, fps: 12, kbps: LEAST },
];

/** The step of the ladder that a room of so many begins at. */
const STEP = [0, 0, 0, 1, 2, 2, 3, 3, 4];

/** need says how many kbit/s upstream a room of so many takes.
 * @param {number} members @param {Size | null} video @returns {number} */
export const need = (members, video) =>
  Math.round(Math.max(members - 1, 0) * (VOICE + (video ? video.kbps * OVERHEAD : 0)));

/** plan decides what to send to each of the others.
 * @param {Situation} now @returns {Plan} */
export function plan({ members, line, sending, weak }) {
  if (!sending) return { video: null, why: 'off' };
  const first = (STEP[Math.min(Math.max(members, 2), STEP.length - 1)] ?? 0) + (weak ? 2 : 0);
  const steps = LADDER.slice(Math.min(first, LADDER.length - 1));
  const fits = line === UNKNOWN ? steps[0] : steps.find((video) => need(members, video) <= line * SHARE);
  if (!fits) return { video: null, why: 'line' };
  return { video: fits, why: fits !== steps[0] ? 'line' : weak ? 'cpu' : '' };
}

/** @typedef {{level: '' | 'near' | 'over', needs: number, has: number, members: number}} Advice near: one member more will make
 *  pictures smaller or end them; over: the line does not carry even this. needs and has in kbit/s upstream */

/** advise says what comes before it comes.
 * @param {Situation} now @param {number} capacity @returns {Advice} */
export function advise(now, capacity) {
  const { members, line } = now;
  const here = plan(now);
  const needs = need(members, here.video);
  if (line === UNKNOWN) return { level: '', needs, has: 0, members };
  if (here.why === 'line')
    return { level: 'over', needs: need(members, plan({ ...now, line: UNKNOWN }).video), has: line, members };
  if (members >= capacity) return { level: '', needs, has: line, members };
  const next = plan({ ...now, members: members + 1 });
  const more = need(members + 1, plan({ ...now, members: members + 1, line: UNKNOWN }).video);
  return { level: next.why === 'line' ? 'near' : '', needs: more, has: line, members: members + 1 };
}

/** @typedef {{kbps: number, bad: number, falls: number, fell: number}} Line what is known of a line; bad: since when it carried less
 *  than it should; falls: how often it has just failed to carry a picture, and fell: when it did so last */
/** @typedef {{kbps: number, held: boolean, cpu: boolean}} Sent of one connection: kbps: the browser's estimate, 0 when it has
 *  none; held: the line is what holds the picture back; cpu: the encoder is */

const SMOOTH = 0.25;
const FALL = 2000;
const GROW = 1.01;
// While there is no picture at all nothing tells what the line carries but to send one; half as eagerly after each
// time that it was no use, since every try disturbs the voices.
const RETRY = 0.03;
const MOST_FALLS = 3;
// ms: until then it is the same fall, and from then on another line.
const SAME = 10000;
const CALM = 900000;

/** measure takes a new estimate of the line in: it falls after two seconds, so that one hiccup ends no picture, and
 * rises slowly. A browser that sends little learns little of its line, so while the line holds nothing back it
 * counts as carrying no less than before; and since the estimate of a small picture would keep it small for ever,
 * a little more each time while the plan has made it small, and more while it has ended it. Where nothing is small
 * there is nothing to try, and what was measured stays: one member more may be too many.
 * @param {Line} l @param {number} now @param {readonly Sent[]} sent @param {Plan} plan that they were sent
 *  by @returns {Line} */
export function measure(l, now, sent, { video, why }) {
  const kbps = sent.reduce((sum, one) => sum + one.kbps, 0);
  if (kbps <= 0) return l;
  if (l.kbps === UNKNOWN) return { ...l, kbps, bad: 0 };
  const held = sent.some((one) => one.held);
  const grow = why !== 'line' ? 1 : video ? GROW : 1 + RETRY / 2 ** l.falls;
  const more = Math.max(l.kbps + (kbps - l.kbps) * SMOOTH, held ? 0 : l.kbps * grow);
  if (more >= l.kbps) return { ...l, kbps: more, bad: 0 };
  const bad = l.bad || now;
  if (now - bad < FALL) return { ...l, bad };
  const since = now - l.fell;
  if (!video || since < SAME) return { ...l, kbps, bad };
  return { kbps, bad, falls: since < CALM ? Math.min(l.falls + 1, MOST_FALLS) : 0, fell: now };
}

/** @returns {Line} */
export const line = () => ({ kbps: UNKNOWN, bad: 0, falls: 0, fell: Number.NEGATIVE_INFINITY });

const REST = 30000;

/** strained tells until when this browser shall encode less: for a while after it could not keep up, since with less to
 * do it can, and would be given more at once.
 * @param {number} until @param {number} now @param {readonly Sent[]} sent @returns {number} */
export const strained = (until, now, sent) => (sent.some(({ cpu }) => cpu) ? now + REST : until);
