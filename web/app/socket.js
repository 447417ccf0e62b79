// The connection to the server: one session over as many sockets as it takes. What is sent arrives
// once and in order, or the server says that the session is gone. Nothing here knows what it is about.

import * as protocol from './protocol.js';

/** @typedef {import('./protocol.js').Outgoing} Outgoing */
/** @typedef {import('./app-state.js').SocketEvent} SocketEvent */

// ms, the last one again and again.
const BACKOFF = [0, 300, 1200, 2700, 4800, 7000];
// ms until welcome.
const ANSWER = 10000;
// ms: the server pings every 25 s.
const SILENCE = 40000;
const ACK_WITHIN = 1000;
const MOST_RESENT = 5;

/** @param {string} url */
const open = (url) => new WebSocket(url, protocol.SUBPROTOCOL);

export class Socket {
  #shell;
  #numbers = new protocol.Numbers();
  #token = '';
  /** @type {WebSocket | null} */
  #socket = null;
  // Welcome came on this socket.
  #ready = false;
  #attempts = 0;
  #drain = 0;
  #over = false;
  /** @type {Partial<Record<'connect' | 'silence' | 'ack', ReturnType<typeof setTimeout>>>} */
  #timers = {};
  /** @type {WeakMap<Outgoing, number>} how often a frame was sent again to a peer who did not keep up */
  #resent = new WeakMap();

  /** @param {{url: string, who: () => protocol.Who, hear: (event: SocketEvent) => void, make?: (url: string) => WebSocket,
   *    random?: () => number}} from */
  constructor({ url, who, hear, make = open, random = Math.random }) {
    this.#shell = { url, who, hear, make, random };
  }

  /** wake connects at once, if there is no connection: at the beginning, when the network came back,
   * when the page is looked at again. */
  wake() {
    if (this.#socket || this.#over) return;
    this.#attempts = 0;
    this.#connect();
  }

  /** send brings a frame to the server, now or after the next resume.
   * @param {Outgoing} frame */
  send(frame) {
    if (this.#over) return;
    if (this.#numbers.full) this.#giveUp();
    const numbered = this.#numbers.number(frame);
    if (this.#ready) this.#write(numbered);
  }

  /** close ends the session for this page. */
  close() {
    this.#over = true;
    this.#abandon();
  }

  /** giveUp lets the next socket begin a new session: this one will never catch up. */
  #giveUp() {
    this.#token = '';
    this.#numbers.reset();
    if (this.#ready) this.#again();
  }

  #connect() {
    this.#abandon();
    const socket = this.#shell.make(this.#shell.url);
    this.#socket = socket;
    // Whatever an abandoned socket still says is not for us.
    /** @param {(event: any) => void} handle @returns {(event: any) => void} */
    const mine = (handle) => (event) => {
      if (socket === this.#socket) handle(event);
    };
    socket.onopen = mine(() => this.#write(protocol.hello(this.#token, this.#numbers.last, this.#shell.who())));
    socket.onmessage = mine(({ data }) => this.#receive(String(data)));
    socket.onclose = mine(({ code }) => this.#closed(code));
    this.#watch(ANSWER);
  }

  /** abandon forgets the socket, so that a new one can be opened without waiting for its end. */
  #abandon() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#timers = {};
    const socket = this.#socket;
    this.#socket = null;
    this.#ready = false;
    if (socket) socket.close(1000);
  }

  /** watch gives the server so long to say something.
   * @param {number} ms */
  #watch(ms) {
    clearTimeout(this.#timers.silence);
    this.#timers.silence = setTimeout(() => this.#again(), ms);
  }

  /** @param {number} code */
  #closed(code) {
    const how = protocol.closing(code);
    if (how === 'resume') return this.#again();
    this.close();
    this.#shell.hear({ type: 'closed', how });
  }

  /** again connects once more, after a pause that grows. */
  #again() {
    const wasReady = this.#ready;
    this.#abandon();
    const table = BACKOFF[Math.min(this.#attempts, BACKOFF.length - 1)] ?? 0;
    const pause = this.#drain > 0 ? this.#drain * this.#shell.random() : table * (0.7 + 0.6 * this.#shell.random());
    this.#attempts += 1;
    this.#drain = 0;
    this.#timers.connect = setTimeout(() => this.#connect(), pause);
    if (wasReady) this.#shell.hear({ type: 'offline' });
  }

  /** @param {Outgoing} frame */
  #write(frame) {
    this.#socket?.send(JSON.stringify(frame));
  }

  /** @param {string} data */
  #receive(data) {
    const result = protocol.read(data);
    if (this.#ready) this.#watch(SILENCE);
    const number = result.frame ? (result.frame.n ?? 0) : result.n;
    if (number > 0) {
      const verdict = this.#numbers.arrived(number);
      if (verdict === 'gap') return this.#again();
      if (verdict === 'drop') return;
      this.#acknowledge();
    }
    const { frame } = result;
    if (!frame) return console.warn('server:', result.note);
    if (frame.t === 'welcome') return this.#welcome(frame);
    if (!this.#ready) return;
    if (frame.c !== undefined) this.#numbers.acknowledged(frame.c);
    this.#handle(frame);
  }

  /** @param {import('./protocol.js').Welcome} frame */
  #welcome({ token, resumed, c, age }) {
    this.#token = token;
    this.#ready = true;
    this.#attempts = 0;
    this.#watch(SILENCE);
    if (resumed) for (const frame of this.#numbers.again(c)) this.#write(frame);
    else this.#numbers.reset();
    this.#shell.hear({ type: 'welcome', resumed, age });
  }

  /** @param {import('./protocol.js').Frame} frame */
  #handle(frame) {
    if (frame.t === 'ping') {
      this.#write(protocol.pong());
      this.#tell();
    } else if (frame.t === 'drain') this.#drain = Math.max(frame.within_ms, 1);
    else if (frame.t === 'error') this.#refused(frame);
    else if (frame.t !== 'ack') this.#shell.hear({ type: 'frame', frame });
  }

  /** @param {import('./protocol.js').Refusal} error */
  #refused(error) {
    const frame = this.#numbers.frame(error.of);
    if (error.code === 'peer_busy' && frame) {
      const times = (this.#resent.get(frame) ?? 0) + 1;
      this.#resent.set(frame, times);
      if (times <= MOST_RESENT) setTimeout(() => this.send(frame), 1000 * times);
      return;
    }
    this.#shell.hear({ type: 'frame', frame: { ...error, about: frame?.t ?? '' } });
  }

  #acknowledge() {
    if (this.#numbers.ackDue) this.#tell();
    else this.#timers.ack ??= setTimeout(() => this.#tell(), ACK_WITHIN);
  }

  #tell() {
    clearTimeout(this.#timers.ack);
    delete this.#timers.ack;
    if (this.#ready && this.#numbers.ackOpen) this.#write(protocol.ack(this.#numbers.tell()));
  }
}
