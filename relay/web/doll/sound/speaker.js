// The speaker of the page: replies go in as they come, and events say how they are played.

/**
 * How a reply is played. `played` and `lost` are samples at 16 kHz.
 * @typedef {{reply: number, level: number, playing: boolean, drained: boolean, played: number,
 *   lost: number, underruns: number}} Playback
 */

export class Speaker {
  /**
   * @param {AudioContext} context
   * @param {(playback: Playback) => void} onPlayback about 30 times a second while a reply is
   *   played, and once more when it is over (`drained`)
   */
  constructor(context, onPlayback) {
    this._volume = new GainNode(context);
    this._node = new AudioWorkletNode(context, "speaker", {
      numberOfInputs: 0,
      outputChannelCount: [1],
    });
    this._node.connect(this._volume).connect(context.destination);
    this._reply = 0;
    this._node.port.onmessage = ({ data }) => {
      if (data.reply === this._reply) onPlayback(data);
    };
  }

  /** What has to be loaded into a context first. @param {AudioContext} context */
  static load(context) {
    return context.audioWorklet.addModule(new URL("speaker-worklet.js", import.meta.url));
  }

  /** A reply begins; nothing is heard of another one any more. */
  begin() {
    this._reply += 1;
    this._node.port.postMessage({ do: "begin", reply: this._reply });
  }

  /** More of the reply. @param {Int16Array} samples at 16 kHz */
  play(samples) {
    this._node.port.postMessage({ do: "play", samples }, [samples.buffer]);
  }

  /** That was all of it. */
  finish() {
    this._node.port.postMessage({ do: "finish" });
  }

  /** Silence at once. Nothing more is told about this reply. */
  flush() {
    this._reply += 1;
    this._node.port.postMessage({ do: "flush" });
  }

  /** @param {number} percent 0 to 100; loudness is felt by its square */
  setVolume(percent) {
    this._volume.gain.setTargetAtTime((percent / 100) ** 2, this._volume.context.currentTime, 0.02);
  }
}
