import assert from "node:assert/strict";
import { test } from "node:test";
import { JitterBuffer, RATE_HZ } from "../../../relay/web/doll/sound/jitter.js";

const FRAME = 512;
const HEAD_START_S = 0.6;

const ramp = (from, length = FRAME) => Float32Array.from({ length }, (_, i) => 0.001 * (from + i + 1));
const take = (buffer, count) => Float32Array.from({ length: count }, () => buffer.next());
const seconds = (s) => Math.round(s * RATE_HZ);

test("a reply comes out as it went in, after a short wait", () => {
  const buffer = new JitterBuffer();
  buffer.begin();
  assert.deepEqual(take(buffer, 100), new Float32Array(100));
  for (let i = 0; i < 8; i++) buffer.push(ramp(i * FRAME));
  assert.deepEqual(take(buffer, 8 * FRAME), ramp(0, 8 * FRAME));
  buffer.finish();
  buffer.next();
  assert.equal(buffer.state, "rest");
  assert.equal(buffer.underruns, 0);
  assert.equal(buffer.played, 8 * FRAME);
});

test("a reply shorter than the wait is played when it is complete", () => {
  const buffer = new JitterBuffer();
  buffer.begin();
  buffer.push(ramp(0));
  assert.equal(buffer.next(), 0);
  buffer.finish();
  assert.deepEqual(take(buffer, FRAME), ramp(0));
});

test("running dry counts once, fades out, and waits for more than before", () => {
  const buffer = new JitterBuffer();
  buffer.begin();
  buffer.push(new Float32Array(seconds(0.12)).fill(0.5));
  take(buffer, seconds(0.12));
  const gap = take(buffer, 400);
  assert.equal(buffer.underruns, 1);
  assert.ok(gap[0] < 0.5 && gap[0] > 0.4 && Math.abs(gap[399]) < 0.001, "no click");
  buffer.push(new Float32Array(seconds(0.15)).fill(0.5));
  take(buffer, 10);
  assert.equal(buffer.state, "waiting");
  buffer.push(new Float32Array(seconds(0.06)).fill(0.5));
  assert.equal(buffer.next(), 0.5);
  assert.equal(buffer.underruns, 1);
});

test("what nobody can hold is lost, and counted", () => {
  const buffer = new JitterBuffer();
  buffer.begin();
  for (let i = 0; i < 10; i++) buffer.push(new Float32Array(RATE_HZ));
  assert.equal(buffer.buffered, 8);
  assert.equal(buffer.lost, 2 * RATE_HZ);
});

test("what comes while nothing is played is dropped, and flush is silence", () => {
  const buffer = new JitterBuffer();
  buffer.push(ramp(0));
  assert.equal(buffer.buffered, 0);
  buffer.begin();
  for (let i = 0; i < 8; i++) buffer.push(ramp(0));
  buffer.flush();
  assert.equal(buffer.state, "rest");
  assert.equal(buffer.next(), 0);
});

for (const parts of [-1000, 1000, 0]) {
  test(`ten minutes with a clock that is ${parts} millionths off, and nothing is heard of it`, () => {
    const buffer = new JitterBuffer();
    buffer.begin();
    let sent = 0;
    let most = 0;
    let position = 0; // of the sound card, in samples of the reply
    for (let played = 0; played < 600; played += FRAME / RATE_HZ) {
      const now = played * (1 + parts / 1e6); // by the relay's clock
      while (sent / RATE_HZ < now + HEAD_START_S) {
        buffer.push(new Float32Array(FRAME).fill(0.1));
        sent += FRAME;
      }
      for (position += FRAME * buffer.speed; position >= 1; position -= 1) buffer.next();
      most = Math.max(most, buffer.buffered);
    }
    assert.equal(buffer.underruns, 0);
    assert.equal(buffer.lost, 0);
    assert.ok(most < HEAD_START_S + 0.4, `${most} s of delay`);
  });
}
