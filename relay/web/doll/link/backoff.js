// How long to wait before the next try, as the doll's firmware does: 1, 2, 4 … 30 s, each shortened
// at random by up to half.

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

export class Backoff {
  /** @param {() => number} random */
  constructor(random = Math.random) {
    this._random = random;
    this._ms = FIRST_MS;
  }

  /**
   * The next wait in milliseconds. Somebody in a hurry waits at most so long, and does not make the
   * waits of others longer.
   * @param {number} most
   */
  next(most = LONGEST_MS) {
    const ms = Math.min(this._ms, most);
    if (ms === this._ms) this._ms = Math.min(2 * this._ms, LONGEST_MS);
    return ms - (ms / 2) * this._random();
  }

  /** It went well: begin anew. */
  reset() {
    this._ms = FIRST_MS;
  }
}
