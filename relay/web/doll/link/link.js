// The link to the relay: one WebSocket, kept open, and opened again whenever it is lost.

import { Backoff } from "./backoff.js";
import { ending } from "./closing.js";

const HELLO_MS = 10_000;
const HELD_MS = 60_000; // a link that lasted so long was a good one
const HURRY_MS = 500; // between tries in mid-turn
const CHECK_MS = 1_000;
const PATIENCE_MS = { ask: 20_000, dead: 45_000 }; // of silence
const URGENCY_MS = { ask: 2_000, dead: 6_000 }; // the same while an answer is to come
const MOST_WAITING = 65_536; // bytes that wait for the network: two seconds of speech

const HELLO = {
  type: "hello",
  version: 1,
  transport: "websocket",
  features: { report: true, resume: true, token: true },
  audio_params: { format: "pcm", sample_rate: 16_000, channels: 1, frame_duration: 32 },
};

/** They belong to the connection, not to the session. */
const UNCOUNTED = new Set(["hello", "pong", "error"]);

/**
 * @typedef {object} Events
 * @property {(resumed: boolean) => void} onUp the relay has said hello
 * @property {(ending: import("./closing.js").Ending) => void} onDown
 * @property {(message: Record<string, any>) => void} onMessage
 * @property {(samples: Int16Array) => void} onAudio
 */

export class Link {
  /**
   * @param {() => string[]} protocols
   * @param {string | URL} url
   * @param {Events} events
   */
  constructor(url, protocols, events) {
    this._url = url;
    this._protocols = protocols;
    this._events = events;
    this._backoff = new Backoff();
    /** @type {WebSocket | null} */
    this._socket = null;
    this._up = false;
    this._wanted = false;
    this._session = "";
    this._received = 0; // messages of the session: those that the relay counts as well
    this._timer = 0;
    this._sent = this._heard = this._opened = 0;
    this.holding = false; // an answer was cut off: the next hello asks to go on with it
    this.urgent = false; // an answer is to come: a link that is silent is left soon
    this.framesSent = 0; // since the last `listen start`
    this.framesDropped = 0;
    addEventListener("online", () => this._wanted && !this._socket && this._open());
    setInterval(() => this._check(), CHECK_MS);
  }

  /** Connects, and comes back by itself from now on. */
  start() {
    if (this._wanted) return;
    this._wanted = true;
    this._backoff.reset();
    this._open();
  }

  /** Texts while the link is away are dropped. @param {Record<string, unknown>} message */
  send(message) {
    if (!this._up || !this._socket) return;
    this._socket.send(JSON.stringify({ ...message, session_id: this._session }));
    if (message.type === "listen" && message.state === "start") {
      this.framesSent = this.framesDropped = 0;
    }
  }

  /** One frame of the microphone. @param {Int16Array} frame */
  sendAudio(frame) {
    if (!this._up || !this._socket || this._socket.bufferedAmount > MOST_WAITING) {
      this.framesDropped += 1;
      return;
    }
    this.framesSent += 1;
    this._socket.send(frame);
  }

  _open() {
    clearTimeout(this._timer);
    const socket = new WebSocket(this._url, this._protocols());
    socket.binaryType = "arraybuffer";
    this._socket = socket;
    this._opened = this._heard = Date.now();
    socket.onopen = () => {
      const resume = { session_id: this._session, received: this._received };
      socket.send(JSON.stringify(this.holding ? { ...HELLO, resume } : HELLO));
    };
    socket.onmessage = ({ data }) => socket === this._socket && this._take(data);
    socket.onclose = ({ code }) => this._lost(socket, code);
  }

  /** @param {string | ArrayBuffer} data */
  _take(data) {
    this._heard = Date.now();
    if (typeof data !== "string") {
      this._received += 1;
      this._events.onAudio(new Int16Array(data));
      return;
    }
    const message = parse(data);
    if (!UNCOUNTED.has(message?.type)) this._received += 1;
    if (message?.type === "hello") this._greeted(message);
    else if (message?.type === "error") console.warn("relay:", message.code, message.message);
    else if (message) this._events.onMessage(message);
  }

  /** @param {Record<string, any>} hello */
  _greeted(hello) {
    this._session = String(hello.session_id ?? "");
    const resumed = hello.resumed === true;
    if (!resumed) this._received = 0;
    this.holding = false;
    this._up = true;
    this._events.onUp(resumed);
  }

  /** @param {WebSocket} socket @param {number} code */
  _lost(socket, code) {
    if (socket !== this._socket) return;
    this._socket = null;
    this._up = false;
    if (Date.now() - this._opened > HELD_MS) this._backoff.reset();
    const end = ending(code);
    if (end.next === "stop") this._wanted = false;
    this._events.onDown(end);
    if (!this._wanted) return;
    const wait = this.holding ? this._backoff.next(HURRY_MS) : this._backoff.next();
    this._timer = setTimeout(() => this._open(), end.next === "once" ? 0 : wait);
  }

  /** A link may have died without saying so. */
  _check() {
    const socket = this._socket;
    if (!socket) return;
    const silence = Date.now() - this._heard;
    const limits = this.urgent ? URGENCY_MS : PATIENCE_MS;
    if (silence > (this._up ? limits.dead : HELLO_MS)) {
      socket.close();
      this._lost(socket, 1006);
    } else if (this._up && silence > limits.ask && Date.now() - this._sent > limits.ask) {
      this._sent = Date.now();
      socket.send(JSON.stringify({ type: "ping" }));
    }
  }
}

/** @param {string} text @returns {Record<string, any> | null} */
function parse(text) {
  try {
    const message = JSON.parse(text);
    return message && typeof message === "object" ? message : null;
  } catch {
    return null;
  }
}
