// The parts of the owner's page that need no page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { standing } from "../../../relay/web/dashboard/views/firmware.js";
import { codes, languageName, lines } from "../../../relay/web/dashboard/views/persona_form.js";
import { current, sorted } from "../../../relay/web/dashboard/views/voices.js";
import { past, phases, together } from "../../../relay/web/dashboard/views/waterfall.js";
import { seconds, t } from "../../../relay/web/dashboard/words.js";

const MOMENTS = { speech_end: 0, endpoint: 620, transcript: 700, first_token: 1100, first_audio: 1300 };

test("a phase ends with its moment, and one that did not happen is left out", () => {
  assert.deepEqual(phases(MOMENTS), [
    { name: "ending", from: 0, to: 620 },
    { name: "hearing", from: 620, to: 700 },
    { name: "thinking", from: 700, to: 1100 },
    { name: "voicing", from: 1100, to: 1300 },
  ]);
  assert.deepEqual(phases({}), []);
});

test("a moment that comes before the one of another phase makes none", () => {
  assert.deepEqual(phases({ endpoint: 600, transcript: 500 }), [{ name: "ending", from: 0, to: 600 }]);
});

test("a turn of the past is shown if anybody knows how it went", () => {
  const course = { timeline_ms: MOMENTS, outcome: "answered", model: "m", fillers: 0 };
  assert.equal(past({ at: 7, course }).model, "m");
  assert.equal(past({ at: 7, course: null }), null);
  assert.equal(past({ at: 7, course: { ...course, timeline_ms: {} } }), null);
});

test("turns of before the start come behind those that were seen, each once", () => {
  const course = { timeline_ms: MOMENTS, outcome: "answered", model: "", fillers: 0 };
  const kept = [{ at: 10, course }, { at: 20, course }, { at: 30, course }];
  const seen = [{ at: 30.4, timeline_ms: MOMENTS }, { at: 40, timeline_ms: MOMENTS }];
  assert.deepEqual(together(seen, kept, 9).map(({ at }) => at), [40, 30.4, 20, 10]);
  assert.deepEqual(together(seen, kept, 3).map(({ at }) => at), [40, 30.4, 20]);
  assert.deepEqual(together([], kept, 9).map(({ at }) => at), [30, 20, 10]);
});

const DOLL = {
  id: "24:6f", state: "idle", update: "current", update_version: "", update_percent: null, update_reason: "",
};

test("what can be done about a doll's firmware is told for each kind of doll", () => {
  const key = (changes, shelf = "0.2.0") => standing({ ...DOLL, ...changes }, shelf).key;
  assert.equal(key({}), "firmware_newest");
  assert.equal(key({}, ""), "firmware_none");
  assert.equal(key({ state: "offline" }), "firmware_away");
  assert.equal(key({ update: "" }), "firmware_stock");
  assert.equal(key({ id: "web-1", update: "" }), "firmware_page");
});

test("an update can be asked for only where that does something", () => {
  const may = (update) => standing({ ...DOLL, update, update_version: "0.2.0" }, "0.2.0").may;
  for (const state of ["available", "offered", "refused", "failed"]) assert.ok(may(state), state);
  for (const state of ["current", "fetching", "installed", "trial", "taken_back", "safe_mode"])
    assert.ok(!may(state), state);
});

const VOICES = [
  { id: "", kind: "usual" }, { id: "low", kind: "provider" }, { id: "high", kind: "provider" },
  { id: "own:jinju", kind: "own" },
];

test("the voice of the moment comes first, then the owner's own", () => {
  const ids = (chosen, persona) =>
    sorted({ voices: VOICES, chosen, persona }).map(({ id }) => id);
  assert.deepEqual(ids("", ""), ["", "own:jinju", "low", "high"]);
  assert.deepEqual(ids("high", ""), ["high", "own:jinju", "", "low"]);
  assert.deepEqual(ids("", "low"), ["low", "own:jinju", "high"]);
});

test("where a voice is gone the one behind it speaks", () => {
  assert.equal(current({ voices: VOICES, chosen: "gone", persona: "low" }), "low");
  assert.equal(current({ voices: VOICES, chosen: "", persona: "gone" }), "");
});

test("lines and languages are read as people type them", () => {
  assert.deepEqual(lines(" 하나 \n\n둘\n"), ["하나", "둘"]);
  assert.deepEqual(codes(" ko, EN en"), ["ko", "en", "en"]);
  assert.equal(languageName("ko"), "Korean");
  assert.equal(languageName("???"), "???");
});

test("a text that is not there is its key, and a time has one decimal while it is short", () => {
  assert.equal(t("nothing"), "nothing");
  assert.equal(seconds(1234), "seconds");
});
