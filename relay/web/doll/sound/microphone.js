// The microphone of the page. The browser cancels the echo of what the page plays, and evens out
// the loudness; what comes out is frames of 512 samples at 16 kHz.

const WISHES = {
  channelCount: 1,
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
};

/** Why there is no microphone: a key of the page's texts. */
export class NoMicrophone extends Error {}

export class Microphone {
  /**
   * @param {AudioContext} context
   * @param {(frame: Int16Array) => void} onFrame
   * @param {() => void} onLost somebody has pulled the plug, or taken the permission back
   */
  constructor(context, onFrame, onLost) {
    this._context = context;
    this._onFrame = onFrame;
    this._onLost = onLost;
    /** @type {MediaStreamTrack | null} */
    this._track = null;
    this._listens = false;
  }

  /** What has to be loaded into a context first. @param {AudioContext} context */
  static load(context) {
    return context.audioWorklet.addModule(new URL("microphone-worklet.js", import.meta.url));
  }

  /** Asks the person, and opens it; does nothing if it is open. Throws NoMicrophone. */
  async open() {
    if (this._track) return;
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: WISHES });
    } catch (error) {
      throw new NoMicrophone(reason(error));
    }
    const [track] = stream.getAudioTracks();
    this._track = track;
    track.enabled = this._listens;
    track.onended = () => {
      this._track = null;
      this._source?.disconnect();
      this._onLost();
    };
    this._source = this._context.createMediaStreamSource(stream);
    this._node = new AudioWorkletNode(this._context, "microphone", { numberOfOutputs: 0 });
    this._node.port.onmessage = ({ data }) => {
      if (this._track?.enabled) this._onFrame(data);
    };
    this._source.connect(this._node);
  }

  get isOpen() {
    return this._track !== null;
  }

  /** While nobody listens the browser itself keeps it mute. @param {boolean} on */
  set listens(on) {
    this._listens = on;
    if (this._track) this._track.enabled = on;
  }
}

/** @param {unknown} error */
function reason(error) {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "mic_denied";
  return name === "NotFoundError" ? "mic_missing" : "mic_busy";
}
