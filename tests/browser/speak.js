// A person who begins to speak, once, as soon as the page listens. The real microphone sets the pace;
// what is in its frames is replaced by `window.words` in order, so a machine that is too busy for the
// browser's microphone, which then loses some of what it hears, takes longer but loses nothing.

const enabled = Object.getOwnPropertyDescriptor(MediaStreamTrack.prototype, "enabled");
let spoken = 0;
Object.defineProperty(MediaStreamTrack.prototype, "enabled", {
  ...enabled,
  set(on) {
    if (on && !this.enabled) spoken = 0;
    enabled.set.call(this, on);
  },
});

const Node = window.AudioWorkletNode;
window.AudioWorkletNode = class extends Node {
  constructor(context, name, options) {
    super(context, name, options);
    if (name !== "microphone") return;
    this.port.addEventListener("message", ({ data }) => {
      data.fill(0).set(window.words.subarray(spoken, spoken + data.length));
      spoken += data.length;
    });
  }
};
