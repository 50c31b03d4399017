// From one sample rate to another, sample by sample: what a microphone gives at 44.1 or 48 kHz
// becomes the 16 kHz of the wire, and the other way round.

/** Zero crossings of the sinc on each side: more is steeper, and costs more. */
const ZEROS = 16;

/** Table entries for one input sample; between them it is interpolated. */
const PHASES = 256;

/** The pass band as a part of the smaller Nyquist frequency. */
const PASS = 0.92;

/** Kaiser's window with this beta leaves 80 dB of what is outside. */
const BETA = 8;

/**
 * A windowed sinc that is looked up between its samples, so that the ratio of the rates may be any
 * number (J. O. Smith, "Digital Audio Resampling", https://ccrma.stanford.edu/~jos/resample/).
 */
export class Resampler {
  /**
   * @param {number} fromHz
   * @param {number} toHz
   */
  constructor(fromHz, toHz) {
    const cutoff = PASS * Math.min(1, toHz / fromHz);
    this._half = Math.ceil(ZEROS / cutoff);
    this._table = kernel(cutoff, this._half);
    this._ring = new Float32Array(2 ** Math.ceil(Math.log2(2 * this._half + 4)));
    this._step = fromHz / toHz;
    this._count = 0; // input samples so far
    this._position = 0; // of the next output sample, in input samples
    /** Plays faster (above 1) or slower by so much; changed at any time. */
    this.speed = 1;
  }

  /** Whether an output sample can be made of what was put in. */
  get ready() {
    return Math.floor(this._position) + this._half < this._count;
  }

  /** @param {number} sample */
  put(sample) {
    this._ring[this._count & (this._ring.length - 1)] = sample;
    this._count += 1;
  }

  /** The next output sample. Only when `ready`. */
  take() {
    const mask = this._ring.length - 1;
    const middle = Math.floor(this._position);
    let sum = 0;
    for (let i = middle - this._half + 1; i <= middle + this._half; i++) {
      const place = Math.abs(this._position - i) * PHASES;
      const entry = place | 0;
      const left = this._table[entry];
      sum += this._ring[i & mask] * (left + (place - entry) * (this._table[entry + 1] - left));
    }
    this._position += this._step * this.speed;
    this._rebase();
    return sum;
  }

  /** Counters stay small, or hours later they would no longer be exact. */
  _rebase() {
    const turns = this._ring.length * 1024;
    if (this._position > 2 * turns) {
      this._position -= turns;
      this._count -= turns;
    }
  }
}

/**
 * Half of a symmetric kernel: `PHASES` entries for each input sample, and one beyond the end.
 *
 * @param {number} cutoff as a part of the input's Nyquist frequency
 * @param {number} half length in input samples
 */
function kernel(cutoff, half) {
  const table = new Float32Array(half * PHASES + 2);
  for (let i = 0; i < half * PHASES; i++) {
    const x = i / PHASES;
    const angle = Math.PI * cutoff * x;
    const sinc = i === 0 ? 1 : Math.sin(angle) / angle;
    table[i] = (cutoff * sinc * bessel(BETA * Math.sqrt(1 - (x / half) ** 2))) / bessel(BETA);
  }
  return table;
}

/** The modified Bessel function of order 0, by its series. @param {number} x */
function bessel(x) {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > 1e-9 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
