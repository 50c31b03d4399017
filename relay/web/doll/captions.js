// What the doll says, shown when it is heard: the text of a sentence comes before its sound, which
// comes before it is played.

export class Captions {
  /** @param {(text: string) => void} show */
  constructor(show) {
    this._show = show;
    /** @type {{at: number, text: string}[]} */
    this._waiting = [];
    this._received = 0; // samples of this reply
  }

  /** A reply begins. */
  begin() {
    this._waiting = [];
    this._received = 0;
  }

  /** @param {number} samples so many more have come */
  received(samples) {
    this._received += samples;
  }

  /** @param {string} text of the sentence that comes next */
  sentence(text) {
    this._waiting.push({ at: this._received, text });
  }

  /** @param {number} samples of the reply have been played */
  played(samples) {
    while (this._waiting.length > 0 && this._waiting[0].at <= samples) {
      this._show(this._waiting[0].text);
      this._waiting.shift();
    }
  }
}
