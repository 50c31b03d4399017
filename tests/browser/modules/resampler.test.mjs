import assert from "node:assert/strict";
import { test } from "node:test";
import { Resampler } from "../../../relay/web/doll/sound/resampler.js";

function resample(samples, from, to) {
  const resampler = new Resampler(from, to);
  const out = [];
  for (const sample of samples) {
    resampler.put(sample);
    while (resampler.ready) out.push(resampler.take());
  }
  return out;
}

const tone = (hz, rate, length) => Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));
const power = (samples) => samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
const decibel = (ratio) => 10 * Math.log10(ratio);

for (const [from, to] of [[48_000, 16_000], [44_100, 16_000], [16_000, 48_000], [16_000, 44_100], [16_000, 16_000]]) {
  test(`speech passes from ${from} to ${to} Hz unchanged`, () => {
    for (const hz of [100, 1000, 3400, 6000]) {
      const out = resample(tone(hz, from, from), from, to).slice(1000, -1000);
      const wanted = tone(hz, to, to).slice(1000, 1000 + out.length);
      const noise = power(out.map((x, i) => x - wanted[i]));
      assert.ok(decibel(power(wanted) / noise) > 60, `${hz} Hz: ${decibel(power(wanted) / noise)} dB`);
    }
  });
}

test("what 16 kHz cannot hold is not folded into the voice", () => {
  for (const hz of [9_000, 12_000, 20_000]) {
    const out = resample(tone(hz, 48_000, 48_000), 48_000, 16_000).slice(1000, -1000);
    assert.ok(decibel(power(out) / 0.5) < -70, `${hz} Hz: ${decibel(power(out) / 0.5)} dB`);
  }
});

test("the number of samples is right, also after an hour", () => {
  const resampler = new Resampler(48_000, 16_000);
  resampler._position = resampler._count = 48_000 * 3600;
  let made = 0;
  for (let i = 0; i < 480_000; i++) {
    resampler.put(0.25);
    while (resampler.ready) {
      const out = resampler.take();
      if (++made > 200) assert.ok(Math.abs(out - 0.25) < 1e-3);
    }
  }
  assert.ok(Math.abs(made - 160_000) < 100, String(made));
});
