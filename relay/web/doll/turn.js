// The turn: who is speaking, and what a finger, a message or a sound changes about that. Sans-I/O:
// events and the time come in, calls go out to the link, the speaker and the microphone.
//
//     away → idle → listening → thinking → speaking → idle, or listening again hands-free
//
// A press opens the microphone at once. Whether it was a tap (the relay finds the end of what is
// said) or a hold (letting go is the end) is known 300 ms later; what was said until then waits
// here, so nothing is lost.

const HOLD_MS = 300;
const TAIL_MS = 100; // of what is said is still on its way when the finger is lifted
const ABORT_MS = 2_000; // the relay answers an abort with `tts stop`; it may take so long
const LISTEN_MS = 60_000;
const THINK_MS = 60_000;
const STALL_MS = 15_000; // a reply of which nothing more is heard
const AWAY_MS = 15_000; // without a link: then an answer is lost
const MOST_KEPT = 64; // frames that wait for the end of a press: two seconds

/** @typedef {"away" | "idle" | "listening" | "thinking" | "speaking"} State */
/** @typedef {"manual" | "auto" | "realtime"} Mode */

/**
 * What a turn acts on.
 * @typedef {object} Doll
 * @property {(message: Record<string, unknown>) => void} send
 * @property {(frame: Int16Array) => void} sendAudio
 * @property {(on: boolean) => void} listen the microphone's frames are wanted
 * @property {() => void} begin a reply begins to be played
 * @property {(samples: Int16Array) => void} play
 * @property {() => void} finish the reply is complete
 * @property {() => void} flush what is played stops at once
 * @property {() => void} account the reply was played, or cut off: the relay gets a report
 * @property {(state: State, failure: string) => void} show `failure` is a key of the page's texts
 */

export class Turn {
  /** @param {Doll} doll @param {() => number} now milliseconds */
  constructor(doll, now) {
    this._doll = doll;
    this._now = now;
    /** @type {State} */
    this.state = "away";
    /** @type {Mode | null} */
    this._mode = null; // null while a press is undecided
    this._since = now();
    this._pressed = -1; // when; -1 if it is not
    this._lifted = -1; // when the finger was; the last frames are on their way
    /** @type {Int16Array[]} */
    this._kept = [];
    this._aborted = -1; // when; until the relay's `tts stop` all is of the old reply
    this._all = false; // the reply is complete, and is played to its end
    /** @type {State | null} */
    this._held = null; // the state of an answer that waits for the link
    this._linked = false;
    this._lostAt = 0;
    this.handsFree = false;
  }

  /** Whether an answer is to come, or comes. */
  get answering() {
    return this.state === "thinking" || this.state === "speaking";
  }

  /** An answer is kept for a lost link: the next hello asks for the rest of it. */
  get holding() {
    return this._held !== null;
  }

  // Events

  /** @param {boolean} resumed the relay goes on with the answer that was cut off */
  onUp(resumed) {
    const held = this._held;
    this._linked = true;
    this._held = null;
    this._aborted = -1;
    if (held && resumed) this._enter(held);
    else if (held) this._loseAnswer();
    else if (this.state !== "speaking") this._rest();
  }

  /** @param {boolean} final the link does not come back by itself */
  onDown(final) {
    if (!this._linked) return;
    this._linked = false;
    this._lostAt = this._now();
    this._pressed = this._lifted = -1;
    if (this.state === "speaking" && this._all) return; // all of it is here
    if (this.answering && !final) this._held = this.state;
    else if (this.answering) this._loseAnswer();
    else this._rest(this.state === "listening" && !this.handsFree ? "question_lost" : "");
  }

  onPress() {
    if (!this._linked || this._pressed >= 0) return;
    if (this.handsFree) {
      if (this.answering) this._interrupt();
      return;
    }
    if (this.state === "listening") {
      this._cancel();
      return;
    }
    if (this.answering) this._interrupt();
    this._pressed = this._now();
    this._hear(null);
  }

  onRelease() {
    const held = this._pressed >= 0 && this._now() - this._pressed;
    this._pressed = -1;
    if (held === false || this.state !== "listening") return;
    if (this._mode === null) this._tell(held < HOLD_MS ? "auto" : "manual");
    if (this._mode === "manual") this._lifted = this._now();
  }

  /** The doll shall be quiet, or what was begun to be said is not for it. */
  onStopWish() {
    if (this.answering) {
      this._interrupt();
      if (this._mode !== "realtime") this._rest();
    } else if (this.state === "listening" && this._mode !== "realtime") {
      this._pressed = -1;
      this._cancel();
    }
  }

  /** Hands-free is switched on or off. @param {boolean} on */
  onHandsFree(on) {
    if (this.handsFree === on) return;
    this.handsFree = on;
    this._pressed = -1;
    if (this.state === "listening") this._cancel();
    else if (this.state === "idle") this._rest();
    else if (!on && this._mode === "realtime") {
      this._doll.listen(false);
      this._say("stop"); // the answer goes on, and nobody listens after it
      this._mode = "auto";
    }
  }

  /** @param {Record<string, any>} message */
  onMessage(message) {
    if (message.type === "tts") this._onTts(message);
    else if (message.type === "stt" && this._aborted < 0 && this.state === "listening") {
      if (this._mode === "auto") this._doll.listen(false);
      this._enter("thinking");
    }
  }

  /** Audio of the relay. @param {Int16Array} samples */
  onAudio(samples) {
    if (this.state === "speaking" && this._aborted < 0) this._doll.play(samples);
  }

  /** The reply was played to its end. */
  onDrained() {
    if (this.state !== "speaking" || !this._all) return;
    this._doll.account();
    if (this._mode === "realtime") this._enter("listening");
    else this._rest();
  }

  /** The reply is being played. */
  onPlaying() {
    if (this.state === "speaking") this._since = this._now();
  }

  /** A frame of the microphone. @param {Int16Array} frame */
  onFrame(frame) {
    if (this._mode === "realtime") this._doll.sendAudio(frame);
    else if (this.state !== "listening") return;
    else if (this._mode !== null) this._doll.sendAudio(frame);
    else if (this._kept.length < MOST_KEPT) this._kept.push(frame);
  }

  /** Time has passed: call it some twenty times a second. */
  onTick() {
    const now = this._now();
    const age = now - this._since;
    if (this._aborted >= 0 && now - this._aborted > ABORT_MS) this._aborted = -1;
    if (this._held && now - this._lostAt > AWAY_MS) {
      this._loseAnswer();
    } else if (this._lifted >= 0 && now - this._lifted >= TAIL_MS) {
      this._saidAll();
    } else if (this.state === "listening" && this._mode === null && age >= HOLD_MS) {
      this._tell("manual");
    } else if (this.state === "listening" && this._mode !== "realtime" && age > LISTEN_MS) {
      if (this._mode === "manual") this._saidAll();
      else this._cancel();
    } else if (this._linked && this.answering && age > this._patience) {
      this._interrupt();
      this._rest("no_answer");
    }
  }

  // What they change

  get _patience() {
    return this.state === "thinking" ? THINK_MS : STALL_MS;
  }

  /** @param {Record<string, any>} message */
  _onTts(message) {
    if (message.state === "stop") this._onStop(message.interrupted === true);
    else if (this._aborted >= 0) return;
    else if (message.state === "start") {
      // While a finger is down the person speaks: a reply would be an old one.
      if (this.state === "listening" && (this._mode === null || this._mode === "manual")) return;
      if (this.state === "speaking") this._doll.account();
      if (this._mode !== "realtime") this._doll.listen(false);
      this._all = false;
      this._doll.begin();
      this._enter("speaking");
    }
  }

  /** @param {boolean} interrupted somebody spoke: what is still to be played is not wanted */
  _onStop(interrupted) {
    if (this._aborted >= 0) {
      this._aborted = -1;
    } else if (this.state === "speaking" && interrupted) {
      this._doll.flush();
      this._doll.account();
      if (this._mode === "realtime") this._enter("listening");
      else this._rest();
    } else if (this.state === "speaking") {
      this._all = true;
      this._doll.finish();
    } else if (this._mode === "realtime") {
      this._enter("listening");
    } else if (this.state === "thinking" || this._mode === "auto") {
      this._rest();
    }
  }

  /** The finger was lifted: that was the question. */
  _saidAll() {
    this._lifted = -1;
    this._doll.listen(false);
    this._say("stop");
    this._enter("thinking");
  }

  /** The answer that waited for the link will not come. */
  _loseAnswer() {
    const spoke = (this._held ?? this.state) === "speaking";
    this._held = null;
    this._doll.flush();
    if (spoke) this._doll.account();
    this._rest("answer_lost");
  }

  /** Ready for the next turn. @param {string} failure */
  _rest(failure = "") {
    this._kept = [];
    this._mode = null;
    this._lifted = -1;
    if (this._linked && this.handsFree) {
      this._hear("realtime", failure);
      return;
    }
    this._doll.listen(false);
    this._enter(this._linked ? "idle" : "away", failure);
  }

  /** @param {Mode | null} mode */
  _hear(mode, failure = "") {
    this._kept = [];
    this._mode = null;
    this._doll.listen(true);
    this._enter("listening", failure);
    if (mode) this._tell(mode);
  }

  /** @param {Mode} mode */
  _tell(mode) {
    this._mode = mode;
    this._say("start", { mode });
    for (const frame of this._kept) this._doll.sendAudio(frame);
    this._kept = [];
  }

  /** @param {string} state */
  _say(state, more = {}) {
    this._doll.send({ type: "listen", state, ...more });
  }

  /** What was being said is not for the doll after all. */
  _cancel() {
    if (this._mode === "realtime") {
      this._say("stop");
    } else if (this._mode !== null) {
      this._doll.send({ type: "abort", reason: "cancelled" });
      this._aborted = this._now();
    }
    this._rest();
  }

  /** Barge-in: a reply, or the wait for it, is cut short. */
  _interrupt() {
    if (this.state === "speaking") {
      this._doll.flush();
      this._doll.account();
    }
    if (this.state === "thinking" || !this._all) {
      this._doll.send({ type: "abort", reason: "interrupted" });
      this._aborted = this._now();
    }
    this._held = null;
    if (this._mode === "realtime") this._enter("listening");
  }

  /** @param {State} state */
  _enter(state, failure = "") {
    this._since = this._now();
    if (state === "thinking") this._all = false;
    const changed = state !== this.state;
    this.state = state;
    if (changed || failure) this._doll.show(state, failure);
  }
}
