// On the audio thread: plays what the relay sends, and tells how that goes.

import { JitterBuffer, RATE_HZ } from "./jitter.js";
import { Resampler } from "./resampler.js";

/** Every so many blocks of 128 samples: some 30 times a second. */
const TELL_BLOCKS = 12;

class SpeakerProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this._jitter = new JitterBuffer();
    this._resampler = new Resampler(RATE_HZ, sampleRate);
    this._energy = 0;
    this._samples = 0;
    this._blocks = 0;
    this._reply = 0;
    this._silent = true;
    this.port.onmessage = ({ data }) => this._obey(data);
  }

  /** @param {{do: string, reply?: number, samples?: Int16Array}} command */
  _obey(command) {
    if (command.do === "begin") {
      this._reply = command.reply ?? 0;
      this._silent = false;
      this._jitter.begin();
    } else if (command.do === "play" && command.samples) {
      this._jitter.push(Float32Array.from(command.samples, (sample) => sample / 32_768));
    } else if (command.do === "finish") {
      this._jitter.finish();
    } else if (command.do === "flush") {
      this._jitter.flush();
    }
  }

  /**
   * @param {Float32Array[][]} _
   * @param {Float32Array[][]} outputs
   */
  process(_, [[out]]) {
    const resampler = this._resampler;
    resampler.speed = this._jitter.speed;
    for (let i = 0; i < out.length; i++) {
      while (!resampler.ready) resampler.put(this._jitter.next());
      out[i] = resampler.take();
      this._energy += out[i] * out[i];
    }
    this._samples += out.length;
    if (++this._blocks >= TELL_BLOCKS) this._tell();
    return true;
  }

  /** Says nothing while there is nothing to say. */
  _tell() {
    const jitter = this._jitter;
    const rests = jitter.state === "rest";
    if (!this._silent) {
      this.port.postMessage({
        reply: this._reply,
        level: rests ? 0 : Math.sqrt(this._energy / this._samples),
        playing: jitter.state === "playing",
        drained: rests,
        played: jitter.played,
        lost: jitter.lost,
        underruns: jitter.underruns,
      });
    }
    this._silent = rests;
    this._energy = this._samples = this._blocks = 0;
  }
}

registerProcessor("speaker", SpeakerProcessor);
