// On the audio thread: what the microphone gives becomes frames of 512 samples at 16 kHz.

import { Resampler } from "./resampler.js";

const RATE_HZ = 16_000;
const FRAME = 512;

class MicrophoneProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this._resampler = new Resampler(sampleRate, RATE_HZ);
    this._frame = new Int16Array(FRAME);
    this._filled = 0;
  }

  /** @param {Float32Array[][]} inputs */
  process([input]) {
    if (input.length > 0) {
      for (const sample of input[0]) {
        this._resampler.put(sample);
        while (this._resampler.ready) this._add(this._resampler.take());
      }
    }
    return true;
  }

  /** @param {number} sample */
  _add(sample) {
    this._frame[this._filled++] = Math.round(32_767 * Math.max(-1, Math.min(1, sample)));
    if (this._filled === FRAME) {
      this.port.postMessage(this._frame, [this._frame.buffer]);
      this._frame = new Int16Array(FRAME);
      this._filled = 0;
    }
  }
}

registerProcessor("microphone", MicrophoneProcessor);
