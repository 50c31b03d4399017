// What the end of a connection means: docs/protocol.md has the codes.

/**
 * What to do next: come `back` after a while, come back at `once`, or `stop` until a person wants to
 * go on. `text` is a key of the page's texts, or empty if there is nothing to say.
 * @typedef {{next: "back" | "once" | "stop", text: string, forget?: boolean}} Ending
 */

/** @type {Record<number, Ending>} */
const ENDINGS = {
  1008: { next: "stop", text: "refused" },
  1013: { next: "back", text: "full" },
  4002: { next: "stop", text: "outdated" },
  4005: { next: "stop", text: "replaced" },
  4008: { next: "once", text: "" },
  4009: { next: "stop", text: "revoked", forget: true },
};

/** @param {number} code @returns {Ending} */
export function ending(code) {
  return ENDINGS[code] ?? { next: "back", text: "lost" };
}
