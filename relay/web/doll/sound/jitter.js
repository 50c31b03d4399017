// Between a network that comes in bursts and a speaker that never waits. Sans-I/O: samples go in,
// samples come out, one for each call.

export const RATE_HZ = 16_000;

/** So much is there before it sounds: at first, and at most after it ran dry again and again. */
const START_S = 0.12;
const LONGEST_START_S = 0.48;
const LATER_S = 0.08;

/** The relay sends at most 2 s ahead (`turn.head_start_ms`); what is more than this is lost. */
const CAPACITY_S = 8;

/** The sound card's clock and the relay's are never the same. Nothing is done about it while the
 * buffer holds about what it held in the first second; beyond that everything is played by half a
 * per cent slower or faster, which nobody hears. */
const LOW_S = 0.1;
const MORE_S = 0.3;
const CORRECTION = 0.005;

/** What is left of the last sample, sample by sample, when it runs dry: no click. */
const DECAY = 0.97;

export class JitterBuffer {
  constructor() {
    this._ring = new Float32Array(CAPACITY_S * RATE_HZ);
    this._first = 0;
    this._length = 0;
    this._last = 0;
    /** @type {"rest" | "waiting" | "playing"} */
    this.state = "rest";
    this._finished = true;
    this._start = START_S * RATE_HZ;
    this._usual = 0; // the most that it held in the first second
    this.played = 0; // samples of this reply
    this.lost = 0; // samples of this reply
    this.underruns = 0; // times that it ran dry within this reply
  }

  /** A reply begins. What is left of another one is dropped. */
  begin() {
    this._length = this._usual = this.played = this.lost = this.underruns = 0;
    this._finished = false;
    this.state = "waiting";
  }

  /** @param {Float32Array} samples */
  push(samples) {
    if (this.state === "rest") return;
    const room = Math.min(samples.length, this._ring.length - this._length);
    for (let i = 0; i < room; i++) {
      this._ring[(this._first + this._length + i) % this._ring.length] = samples[i];
    }
    this._length += room;
    this.lost += samples.length - room;
    if (this.played < RATE_HZ) this._usual = Math.max(this._usual, this.buffered);
  }

  /** All of the reply is here: it is played to its end, and then there is rest. */
  finish() {
    this._finished = true;
  }

  /** Silence, at once. */
  flush() {
    this._length = 0;
    this._finished = true;
    this.state = "rest";
  }

  /** Seconds that wait to be played. */
  get buffered() {
    return this._length / RATE_HZ;
  }

  /** How fast to play it, so that it neither runs dry nor over. */
  get speed() {
    if (this.state !== "playing" || this._finished) return 1;
    if (this.buffered < LOW_S) return 1 - CORRECTION;
    return this.buffered > this._usual + MORE_S ? 1 + CORRECTION : 1;
  }

  /** The next sample. */
  next() {
    if (this.state === "waiting" && (this._finished || this._length >= this._start)) {
      this.state = "playing";
    }
    if (this.state !== "playing" || this._length === 0) {
      if (this.state === "playing") this._runDry();
      return (this._last *= DECAY);
    }
    this._last = this._ring[this._first];
    this._first = (this._first + 1) % this._ring.length;
    this._length -= 1;
    this.played += 1;
    return this._last;
  }

  _runDry() {
    if (this._finished) {
      this.state = "rest";
    } else {
      this.underruns += 1;
      this.state = "waiting";
      this._start = Math.min(this._start + LATER_S * RATE_HZ, LONGEST_START_S * RATE_HZ);
    }
  }
}
