// Before the page's own scripts: whatever is connected to the loudspeaker is also recorded, and so
// are the samples that the speaker worklet is told to play.

const connect = AudioNode.prototype.connect;
window.heard = { rate: 0, blocks: [] };
AudioNode.prototype.connect = function (target, ...more) {
  if (target instanceof AudioDestinationNode) {
    window.heard.rate = this.context.sampleRate;
    this.context.audioWorklet.addModule("/doll/recorder.js").then(() => {
      const recorder = new AudioWorkletNode(this.context, "recorder", { numberOfOutputs: 0 });
      recorder.port.onmessage = ({ data }) => window.heard.blocks.push(data);
      connect.call(this, recorder);
    });
  }
  return connect.call(this, target, ...more);
};

const post = MessagePort.prototype.postMessage;
window.given = [];
MessagePort.prototype.postMessage = function (message, ...more) {
  if (message?.do === "play") window.given.push(message.samples.slice());
  return post.call(this, message, ...more);
};
