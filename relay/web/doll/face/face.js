// The face: goes over softly from one expression to the next, blinks, and moves its mouth with the
// sound.

import { EXPRESSIONS, STATES } from "./expressions.js";

const SOFT_S = 0.09; // time constant of a change
const BLINK_S = 0.16;
const BLINK_EVERY_S = [2.2, 6.0];
const FEELING_S = 8; // a feeling outlasts its answer by so long
const MOUTH_Y = 288;

/** Numbers of an expression that move softly. */
const SOFT = /** @type {const} */ ([
  "lid", "brow", "lift", "tilt", "width", "curve", "open", "skew", "blush",
]);

export class Face {
  /** @param {SVGElement} svg @param {MediaQueryList} stillness whether the person wants no motion */
  constructor(svg, stillness) {
    this._svg = svg;
    this._stillness = stillness;
    this._parts = find(svg);
    this._state = "asleep";
    this._emotion = "";
    this._emotionUntil = Infinity;
    this._level = 0;
    this._now = { ...STATES.asleep, gaze: [0, 0], level: 0 };
    this._then = 0;
    this._blink = 2;
    this._draw = this._draw.bind(this);
    requestAnimationFrame(this._draw);
  }

  /** @param {string} state "asleep", "away", "idle", "listening", "thinking" or "speaking" */
  setState(state) {
    if (state === this._state) return;
    this._state = state;
    if (state === "thinking") this._emotion = "";
    this._emotionUntil = state === "idle" || state === "listening" ? FEELING_S : Infinity;
  }

  /** One of the protocol's. @param {string} emotion */
  feel(emotion) {
    if (emotion in EXPRESSIONS) this._emotion = emotion;
    this._emotionUntil = Infinity;
  }

  /** What is felt, or the state if nothing is; the name of a text. */
  get look() {
    const quiet = this._state === "asleep" || this._state === "away";
    return !quiet && this._emotion ? `emotion_${this._emotion}` : `state_${this._state}`;
  }

  /** How loud the doll is just now. @param {number} level root mean square, 0 to 1 */
  set level(level) {
    this._level = level;
  }

  get _target() {
    const rests = this._state === "asleep" || this._state === "away" || this._emotionUntil <= 0;
    return (!rests && EXPRESSIONS[this._emotion]) || STATES[this._state] || STATES.idle;
  }

  /** @param {number} ms */
  _draw(ms) {
    const passed = Math.min((ms - this._then) / 1000, 0.1);
    this._then = ms;
    const still = this._stillness.matches;
    const target = this._target;
    const now = this._now;
    const share = still ? 1 : 1 - Math.exp(-passed / SOFT_S);
    for (const key of SOFT) now[key] += (target[key] - now[key]) * share;
    for (const axis of [0, 1]) now.gaze[axis] += (target.gaze[axis] - now.gaze[axis]) * share;
    const level = Math.min(1, this._level * 5);
    now.level += (level - now.level) * (level > now.level ? 0.6 : 0.25);
    this._emotionUntil -= passed;
    this._paint(target, still ? 1 : this._blinking(passed));
    requestAnimationFrame(this._draw);
  }

  /** How far the lids are open: 1, and for a moment less. @param {number} passed seconds */
  _blinking(passed) {
    this._blink -= passed;
    if (this._blink > 0) return 1;
    const phase = -this._blink / BLINK_S;
    if (phase >= 1) {
      const [least, most] = BLINK_EVERY_S;
      this._blink = least + (most - least) * Math.random();
    }
    return 1 - 0.92 * Math.sin(Math.PI * Math.min(phase, 1));
  }

  /** @param {import("./expressions.js").Expression} target @param {number} lids */
  _paint(target, lids) {
    const { parts, now } = { parts: this._parts, now: this._now };
    for (const side of /** @type {const} */ (["left", "right"])) {
      for (const [name, eye] of parts.eyes[side]) show(eye, name === target[side]);
      for (const lid of parts.lids[side]) set(lid, "transform", `scale(1 ${(now.lid * lids).toFixed(3)})`);
      for (const pupil of parts.pupils[side]) {
        set(pupil, "transform", `translate(${now.gaze[0].toFixed(2)} ${now.gaze[1].toFixed(2)})`);
      }
      const sign = side === "left" ? 1 : -1;
      const y = 192 - now.lift - (side === "left" ? now.tilt : 0);
      set(parts.brows[side], "transform", `translate(${200 - sign * 54} ${y.toFixed(2)}) rotate(${(sign * now.brow).toFixed(2)})`);
    }
    set(parts.blush, "opacity", now.blush.toFixed(3));
    for (const [name, extra] of parts.extras) show(extra, name === target.extra);
    this._paintMouth(target);
  }

  /** @param {import("./expressions.js").Expression} target */
  _paintMouth(target) {
    const { parts, now } = { parts: this._parts, now: this._now };
    const still = this._state !== "speaking" || now.level < 0.04;
    const drawn = still ? target.mouth : "";
    for (const [name, mouth] of parts.mouths) show(mouth, name === drawn);
    const open = Math.max(now.open * (this._state === "speaking" ? 0.35 : 1), now.level);
    const width = now.width * (1 - 0.25 * now.level) + 4 * open;
    const left = `${(200 - width).toFixed(1)} ${MOUTH_Y}`;
    const right = `${(200 + width).toFixed(1)} ${(MOUTH_Y - now.skew).toFixed(1)}`;
    const lip = (/** @type {number} */ side, /** @type {number} */ depth) =>
      `${(200 + side * 0.8 * width).toFixed(1)} ${(MOUTH_Y + depth).toFixed(1)}`;
    const upper = 0.67 * now.curve - 12 * open;
    const lower = 0.67 * now.curve + 46 * open;
    const path = `M${left}C${lip(-1, upper)} ${lip(1, upper)} ${right}C${lip(1, lower)} ${lip(-1, lower)} ${left}Z`;
    set(parts.mouth, "d", path);
    set(parts.mouthClip, "d", path);
    set(parts.tongue, "cy", (MOUTH_Y + 0.5 * now.curve + 38 * open).toFixed(1));
    show(parts.mouth, !drawn);
    show(parts.tongue, !drawn && open > 0.2);
  }
}

/** @param {SVGElement} svg */
function find(svg) {
  const one = (/** @type {string} */ id) => /** @type {SVGElement} */ (svg.querySelector(`#${id}`));
  const all = (/** @type {string} */ query) => /** @type {SVGElement[]} */ ([...svg.querySelectorAll(query)]);
  const named = (/** @type {string} */ query, /** @type {string} */ key) =>
    all(query).map((part) => /** @type {const} */ ([part.dataset[key] ?? "", part]));
  const both = (/** @type {(side: string) => any} */ of) => ({ left: of("left"), right: of("right") });
  return {
    eyes: both((side) => named(`#eye-${side} [data-eye]`, "eye")),
    lids: both((side) => all(`#eye-${side} [data-lid]`)),
    pupils: both((side) => all(`#eye-${side} [data-pupil]`)),
    brows: both((side) => one(`brow-${side}`)),
    blush: one("blush"),
    mouth: one("mouth-shape"),
    mouthClip: one("mouth-clip"),
    tongue: one("tongue"),
    mouths: named("[data-mouth]", "mouth"),
    extras: named("[data-extra]", "extra"),
  };
}

/** Writes only what has changed. @param {SVGElement} part @param {string} name @param {string} value */
function set(part, name, value) {
  if (part.getAttribute(name) !== value) part.setAttribute(name, value);
}

/** @param {SVGElement} part @param {boolean} seen */
function show(part, seen) {
  set(part, "visibility", seen ? "visible" : "hidden");
}
