// How each emotion of the protocol looks: a few numbers and names for each face.

/**
 * @typedef {object} Expression
 * @property {string} left which drawing of the eye; `right` the other one
 * @property {string} right
 * @property {number} lid how far the eyes are open, 0 to 1.2
 * @property {[number, number]} gaze where they look, in pixels
 * @property {number} brow angle in degrees: above 0 is angry, below it is sad
 * @property {number} lift of the brows, in pixels
 * @property {number} tilt of the brows against each other, in pixels
 * @property {number} width half of the mouth's, in pixels
 * @property {number} curve of the mouth: above 0 it smiles
 * @property {number} open of the mouth, 0 to 1
 * @property {number} skew of the mouth: one corner is higher
 * @property {string} mouth a drawing in place of the mouth that opens, while nothing is said
 * @property {number} blush 0 to 1
 * @property {string} extra what is drawn beside the face
 */

/** @type {Expression} */
const CALM = {
  left: "open",
  right: "open",
  lid: 1,
  gaze: [0, 0],
  brow: 2,
  lift: 0,
  tilt: 0,
  width: 20,
  curve: 7,
  open: 0,
  skew: 0,
  mouth: "",
  blush: 0.45,
  extra: "",
};

/** @param {string} eye @param {Partial<Expression>} more @returns {Expression} */
const with_ = (eye, more) => ({ ...CALM, left: eye, right: eye, ...more });

/** By the names of `relay/llm/emotions.py`. @type {Record<string, Expression>} */
export const EXPRESSIONS = {
  neutral: CALM,
  happy: with_("open", { brow: -3, lift: 4, width: 30, curve: 20, open: 0.18, blush: 0.75 }),
  laughing: with_("arc", { lift: 6, width: 36, curve: 16, open: 0.75, blush: 0.8 }),
  funny: with_("arc", { lift: 6, width: 38, curve: 18, open: 0.9, blush: 0.8, extra: "joy" }),
  sad: with_("open", { lid: 0.86, gaze: [0, 4], brow: -16, lift: 2, curve: -13, blush: 0.3, extra: "tear" }),
  angry: with_("open", { lid: 0.9, brow: 20, lift: -6, width: 22, curve: -11, blush: 0.8, extra: "anger" }),
  crying: with_("closed", { brow: -18, lift: 4, width: 24, curve: -16, open: 0.3, blush: 0.7, extra: "tears" }),
  loving: with_("heart", { brow: -6, lift: 8, width: 30, curve: 18, open: 0.3, blush: 1, extra: "hearts" }),
  embarrassed: with_("open", { lid: 0.92, gaze: [-7, 5], brow: -12, lift: 2, mouth: "wave", blush: 1, extra: "sweat" }),
  surprised: with_("wide", { lift: 14, width: 12, curve: 3, open: 0.55, extra: "surprise" }),
  shocked: with_("wide", { lid: 1.15, brow: -8, lift: 16, width: 20, curve: -2, open: 1, blush: 0.1, extra: "sweat" }),
  thinking: with_("open", { gaze: [6, -9], brow: 6, lift: 4, tilt: 7, width: 13, curve: -3, skew: 4, extra: "dots" }),
  winking: with_("open", { right: "arc", brow: -2, lift: 5, width: 28, curve: 18, open: 0.15, skew: 5, blush: 0.7, extra: "sparkle" }),
  cool: with_("open", { brow: 6, width: 26, curve: 12, skew: 8, extra: "glasses" }),
  relaxed: with_("closed", { brow: -4, lift: 3, width: 22, curve: 12, blush: 0.65 }),
  delicious: with_("arc", { lift: 4, mouth: "tongue", width: 28, curve: 14, blush: 0.9, extra: "drool" }),
  kissy: with_("open", { right: "arc", lift: 4, mouth: "kiss", width: 12, blush: 0.9, extra: "hearts" }),
  confident: with_("open", { lid: 0.68, brow: 12, lift: 2, width: 26, curve: 12, skew: 9, extra: "sparkle" }),
  sleepy: with_("open", { lid: 0.45, gaze: [0, 3], brow: -6, lift: 2, width: 12, curve: 2, open: 0.25, extra: "zzz" }),
  silly: with_("open", { right: "arc", lift: 7, tilt: 5, mouth: "tongue", width: 28, curve: 14, blush: 0.8 }),
  confused: with_("open", { gaze: [0, -9], brow: -8, lift: 4, tilt: 8, mouth: "wave", width: 18, curve: -4, extra: "question" }),
};

/** What it looks like where no feeling says otherwise. @type {Record<string, Expression>} */
export const STATES = {
  asleep: with_("closed", { brow: -2, width: 12, curve: 5, extra: "zzz" }),
  away: with_("closed", { brow: -10, width: 14, curve: -4, blush: 0.25 }),
  idle: CALM,
  listening: with_("open", { lid: 1.06, brow: -2, lift: 6, width: 16, curve: 8 }),
  thinking: EXPRESSIONS.thinking,
  speaking: CALM,
};
