import assert from "node:assert/strict";
import { test } from "node:test";
import { Turn } from "../../../relay/web/doll/turn.js";

/** A turn whose doll writes down what it is told to do. */
function start({ handsFree = false } = {}) {
  const log = [];
  let now = 0;
  const note = (name) => (...given) => log.push([name, ...given]);
  const doll = Object.fromEntries(
    ["send", "sendAudio", "listen", "begin", "play", "finish", "flush", "account", "show"].map((name) => [name, note(name)]),
  );
  const turn = new Turn(doll, () => now);
  turn.handsFree = handsFree;
  return {
    turn,
    log,
    sent: () => log.filter(([name]) => name === "send").map(([, message]) => [message.type, message.state ?? "", message.mode ?? ""].join(" ").trim()),
    did: (name) => log.filter(([what]) => what === name).length,
    failures: () => log.filter(([name, , failure]) => name === "show" && failure).map(([, , failure]) => failure),
    later(ms) {
      for (const end = now + ms; now < end; ) {
        now += 50;
        turn.onTick();
      }
    },
    tts: (state, more = {}) => turn.onMessage({ type: "tts", state, ...more }),
    frame: (n = 1) => Int16Array.of(n),
  };
}

function answered(t) {
  t.tts("start");
  t.turn.onAudio(t.frame());
  t.tts("stop");
  t.turn.onDrained();
}

test("held: the whole of what is said goes out between start and stop", () => {
  const t = start();
  t.turn.onUp(false);
  t.turn.onPress();
  t.turn.onFrame(t.frame(1));
  assert.deepEqual(t.sent(), []); // a tap or a hold? not known yet
  t.later(350);
  t.turn.onFrame(t.frame(2));
  t.turn.onRelease();
  t.turn.onFrame(t.frame(3)); // was on its way
  t.later(150);
  assert.deepEqual(t.sent(), ["listen start manual", "listen stop"]);
  assert.equal(t.did("sendAudio"), 3);
  assert.equal(t.turn.state, "thinking");
  answered(t);
  assert.equal(t.turn.state, "idle");
  assert.equal(t.did("account"), 1);
});

test("tapped: the relay finds the end", () => {
  const t = start();
  t.turn.onUp(false);
  t.turn.onPress();
  t.later(100);
  t.turn.onRelease();
  assert.deepEqual(t.sent(), ["listen start auto"]);
  t.turn.onMessage({ type: "stt", text: "hi" });
  assert.equal(t.turn.state, "thinking");
  answered(t);
  assert.equal(t.turn.state, "idle");
});

test("tapped twice: it was not meant", () => {
  const t = start();
  t.turn.onUp(false);
  for (let i = 0; i < 2; i++) {
    t.turn.onPress();
    t.turn.onRelease();
  }
  assert.deepEqual(t.sent(), ["listen start auto", "abort"]);
  assert.equal(t.turn.state, "idle");
  t.tts("stop");
  assert.equal(t.turn.state, "idle");
});

test("a press interrupts, and nothing of the old reply is heard any more", () => {
  const t = start();
  t.turn.onUp(false);
  t.tts("start");
  t.turn.onAudio(t.frame());
  t.turn.onPress();
  assert.equal(t.turn.state, "listening");
  assert.equal(t.did("flush"), 1);
  t.turn.onAudio(t.frame());
  t.tts("sentence_start");
  t.tts("start"); // an old one
  assert.equal(t.did("play"), 1);
  assert.deepEqual(t.sent(), ["abort"]);
  t.tts("stop", { interrupted: true });
  t.later(350);
  assert.deepEqual(t.sent(), ["abort", "listen start manual"]);
});

test("an answer of which all is here needs no abort", () => {
  const t = start();
  t.turn.onUp(false);
  t.tts("start");
  t.tts("stop");
  t.turn.onPress();
  assert.deepEqual(t.sent(), []);
});

test("hands-free: it listens from the first moment on, and again after each answer", () => {
  const t = start({ handsFree: true });
  t.turn.onUp(false);
  assert.deepEqual(t.sent(), ["listen start realtime"]);
  t.turn.onMessage({ type: "stt", text: "hi" });
  t.tts("start");
  t.turn.onFrame(t.frame()); // it goes on listening
  assert.equal(t.did("sendAudio"), 1);
  t.tts("stop");
  assert.equal(t.turn.state, "speaking");
  t.turn.onDrained();
  assert.equal(t.turn.state, "listening");
  assert.equal(t.sent().length, 1);
});

test("hands-free: a voice that interrupts silences it at once", () => {
  const t = start({ handsFree: true });
  t.turn.onUp(false);
  t.tts("start");
  t.tts("stop", { interrupted: true });
  assert.equal(t.did("flush"), 1);
  assert.equal(t.did("account"), 1);
  assert.equal(t.turn.state, "listening");
});

test("hands-free, switched off during an answer: that goes on, and nobody listens after it", () => {
  const t = start({ handsFree: true });
  t.turn.onUp(false);
  t.tts("start");
  t.turn.onHandsFree(false);
  assert.deepEqual(t.sent().at(-1), "listen stop");
  t.tts("stop");
  t.turn.onDrained();
  assert.equal(t.turn.state, "idle");
});

test("a link lost in mid-answer: the answer waits for it, and goes on", () => {
  const t = start();
  t.turn.onUp(false);
  t.tts("start");
  t.turn.onDown(false);
  assert.ok(t.turn.holding);
  t.later(5000);
  t.turn.onUp(true);
  assert.equal(t.turn.state, "speaking");
  t.turn.onAudio(t.frame());
  assert.equal(t.did("play"), 1);
  assert.deepEqual(t.failures(), []);
});

for (const back of ["too late", "to another session", "never"]) {
  test(`a link lost in mid-answer that comes back ${back}: the answer is lost, and that is said`, () => {
    const t = start();
    t.turn.onUp(false);
    t.tts("start");
    t.turn.onDown(false);
    if (back !== "to another session") t.later(16_000);
    if (back !== "never") t.turn.onUp(false);
    assert.deepEqual(t.failures(), ["answer_lost"]);
    assert.equal(t.turn.state, back === "never" ? "away" : "idle");
    assert.ok(!t.turn.holding);
  });
}

test("a link lost after the last of an answer has come: it is played to its end", () => {
  const t = start();
  t.turn.onUp(false);
  t.tts("start");
  t.tts("stop");
  t.turn.onDown(false);
  assert.equal(t.turn.state, "speaking");
  t.turn.onDrained();
  assert.equal(t.turn.state, "away");
  assert.deepEqual(t.failures(), []);
});

test("a link lost in mid-question: that is said", () => {
  const t = start();
  t.turn.onUp(false);
  t.turn.onPress();
  t.later(350);
  t.turn.onDown(false);
  assert.deepEqual(t.failures(), ["question_lost"]);
});

test("an answer that does not come is not waited for without end", () => {
  const t = start();
  t.turn.onUp(false);
  t.turn.onPress();
  t.later(350);
  t.turn.onRelease();
  t.later(61_000);
  assert.deepEqual(t.failures(), ["no_answer"]);
  assert.equal(t.turn.state, "idle");
});

test("no order of events leads to a state that it does not leave", () => {
  let seed = 7;
  const random = (n) => (seed = (seed * 16_807) % 2_147_483_647) % n;
  const t = start();
  const events = [
    () => t.turn.onUp(random(2) === 0), () => t.turn.onDown(random(5) === 0), () => t.turn.onPress(),
    () => t.turn.onRelease(), () => t.turn.onStopWish(), () => t.turn.onHandsFree(random(2) === 0),
    () => t.tts("start"), () => t.tts("stop"), () => t.tts("stop", { interrupted: true }),
    () => t.turn.onMessage({ type: "stt", text: "" }), () => t.turn.onAudio(t.frame()), () => t.turn.onFrame(t.frame()),
    () => t.turn.onDrained(), () => t.later(50 * random(20)), () => t.turn.onMessage({ type: "tts" }),
  ];
  for (let i = 0; i < 20_000; i++) events[random(events.length)]();
  t.turn.onHandsFree(false);
  t.turn.onRelease();
  t.turn.onUp(false);
  t.later(200_000);
  t.turn.onDrained();
  assert.equal(t.turn.state, "idle");
  t.turn.onPress();
  assert.equal(t.turn.state, "listening");
});
