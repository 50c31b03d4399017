// The parts of the doll put together: what the turn decides is done here.

import { Captions } from "./captions.js";
import { Identity } from "./link/identity.js";
import { Link } from "./link/link.js";
import { Microphone, NoMicrophone } from "./sound/microphone.js";
import { Speaker } from "./sound/speaker.js";
import { Turn } from "./turn.js";

const FRAME = 512;
const TICK_MS = 50;

export class Doll {
  /**
   * @param {import("./page.js").Page} page
   * @param {import("./face/face.js").Face} face
   * @param {{volume: number, handsFree: boolean}} preferences
   */
  constructor(page, face, preferences) {
    this._page = page;
    this._face = face;
    this._volume = preferences.volume;
    this._awake = false;
    this._waking = false;
    /** @type {AudioContext | null} */
    this._context = null;
    this._played = { played: 0, lost: 0, underruns: 0 };
    this._identity = new Identity(localStorage);
    this._captions = new Captions((text) => page.said(text));
    this._turn = new Turn(this._parts(), () => performance.now());
    this._turn.handsFree = preferences.handsFree;
    this._link = new Link(
      new URL("../xiaozhi/v1/", location.href.replace(/^http/, "ws")),
      () => this._identity.protocols,
      {
        onUp: (resumed) => this._onUp(resumed),
        onDown: (end) => this._onDown(end),
        onMessage: (message) => this._onMessage(message),
        onAudio: (samples) => this._turn.onAudio(samples),
      },
    );
    setInterval(() => this._tick(), TICK_MS);
    this.show();
  }

  // What a person does

  press() {
    if (this._awake && this._microphone?.isOpen) {
      this._context?.resume();
      this._turn.onPress();
    } else {
      this._wake();
    }
  }

  release() {
    this._turn.onRelease();
  }

  /** The doll shall be quiet, or not listen to what was begun. */
  stop() {
    this._turn.onStopWish();
  }

  /** @param {boolean} on */
  handsFree(on) {
    this._turn.onHandsFree(on);
    this.show();
  }

  /** @param {number} percent */
  setVolume(percent) {
    this._volume = percent;
    this._speaker?.setVolume(percent);
  }

  /** What is seen follows the state; also when the page's language has changed. */
  show() {
    const state = this._awake ? this._turn.state : "asleep";
    this._page.show(state, this._turn.handsFree);
    this._face.setState(state);
    this._page.look(this._face.look);
  }

  /** The first touch: only after that a browser lets a page sound and listen. */
  async _wake() {
    if (this._waking) return;
    this._waking = true;
    try {
      await this._openSound();
      await this._microphone?.open();
      this._page.trouble("");
      this._awake = true;
      this._link.start();
    } catch (error) {
      this._page.trouble(error instanceof NoMicrophone ? error.message : "no_sound");
    } finally {
      this._waking = false;
      this.show();
    }
  }

  async _openSound() {
    if (!isSecureContext) throw new NoMicrophone("mic_insecure"); // no worklets there either
    const context = (this._context ??= new AudioContext({ latencyHint: "interactive" }));
    await context.resume();
    if (this._speaker) return;
    await Promise.all([Speaker.load(context), Microphone.load(context)]);
    this._speaker = new Speaker(context, (playback) => this._onPlayback(playback));
    this._speaker.setVolume(this._volume);
    this._microphone = new Microphone(
      context,
      (frame) => this._turn.onFrame(frame),
      () => this._page.trouble("mic_lost"),
    );
  }

  // What the relay says

  /** @param {boolean} resumed */
  _onUp(resumed) {
    if (!resumed) this._page.pairing("");
    this._page.trouble("");
    this._turn.onUp(resumed);
    this.show();
  }

  /** @param {import("./link/closing.js").Ending} end */
  _onDown(end) {
    const final = end.next === "stop";
    this._turn.onDown(final);
    this._link.holding = this._turn.holding;
    if (end.forget) this._identity.keep("");
    if (final) this._awake = false;
    if (end.next !== "once" && !this._turn.holding) this._page.trouble(end.text);
    this.show();
  }

  /** @param {Record<string, any>} message */
  _onMessage(message) {
    if (message.type === "stt") this._page.heard(String(message.text));
    else if (message.type === "llm") this._feel(String(message.emotion));
    else if (message.type === "alert") this._alert(message);
    else if (message.type === "token") this._keep(String(message.token));
    else if (message.type === "system" && message.command === "reboot") location.reload();
    this._turn.onMessage(message);
    if (message.state === "sentence_start") this._captions.sentence(String(message.text ?? ""));
  }

  /** @param {string} emotion */
  _feel(emotion) {
    this._face.feel(emotion);
    this._page.look(this._face.look);
  }

  /** @param {Record<string, any>} message */
  _alert({ status, message, emotion }) {
    if (status === "pairing") this._page.pairing(String(message));
    else this._page.alert(String(message));
    this._feel(String(emotion));
  }

  /** @param {string} token */
  _keep(token) {
    const kept = this._identity.keep(token);
    if (!kept) this._page.trouble("no_storage");
    this._link.send({ type: "token", state: kept ? "stored" : "failed" });
  }

  // What the turn and the speaker do

  /** @returns {import("./turn.js").Doll} */
  _parts() {
    return {
      send: (message) => this._link.send(message),
      sendAudio: (frame) => this._link.sendAudio(frame),
      listen: (on) => {
        if (this._microphone) this._microphone.listens = on;
      },
      begin: () => {
        this._captions.begin();
        this._played = { played: 0, lost: 0, underruns: 0 };
        this._speaker?.begin();
      },
      play: (samples) => {
        this._captions.received(samples.length);
        this._speaker?.play(samples);
      },
      finish: () => this._speaker?.finish(),
      flush: () => {
        this._face.level = 0;
        this._speaker?.flush();
      },
      account: () => this._report(),
      show: (state, failure) => {
        if (state === "thinking") this._page.said("");
        if (failure) this._page.trouble(failure);
        else if (state !== "away") this._page.trouble("");
        this.show();
      },
    };
  }

  _report() {
    const { played, lost, underruns } = this._played;
    this._link.send({
      type: "report",
      frames_played: Math.round(played / FRAME),
      frames_lost: Math.round(lost / FRAME),
      underruns,
      frames_sent: this._link.framesSent,
      frames_dropped: this._link.framesDropped,
    });
  }

  /** @param {import("./sound/speaker.js").Playback} playback */
  _onPlayback(playback) {
    this._played = playback;
    this._face.level = playback.level;
    this._captions.played(playback.played);
    if (playback.playing) this._turn.onPlaying();
    if (playback.drained) this._turn.onDrained();
  }

  _tick() {
    this._turn.onTick();
    this._link.urgent = this._turn.answering;
    this._link.holding = this._turn.holding;
  }
}
