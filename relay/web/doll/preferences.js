// What the person has set on this page, kept by the browser if it keeps anything.

const KEY = "doll.preferences";

/** @typedef {{volume: number, handsFree: boolean, language: string}} Preferences */

/** @type {Preferences} */
const DEFAULTS = { volume: 80, handsFree: false, language: "" };

/** @returns {Preferences} */
export function read() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { ...DEFAULTS };
  }
}

/** @param {Partial<Preferences>} changes */
export function change(changes) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...read(), ...changes }));
  } catch {
    // they hold for this visit only
  }
}
