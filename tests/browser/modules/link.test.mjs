import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../../../relay/web/doll/link/backoff.js";
import { ending } from "../../../relay/web/doll/link/closing.js";
import { Identity } from "../../../relay/web/doll/link/identity.js";
import { Captions } from "../../../relay/web/doll/captions.js";

test("waits double up to half a minute, as the firmware's do", () => {
  const backoff = new Backoff(() => 0);
  const waits = Array.from({ length: 7 }, () => backoff.next());
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16000, 30000, 30000]);
  assert.equal(new Backoff(() => 1).next(), 500);
});

test("a hurry is short, and leaves the others as they are", () => {
  const backoff = new Backoff(() => 0);
  assert.equal(backoff.next(500), 500);
  assert.equal(backoff.next(), 1000);
  backoff.reset();
  assert.equal(backoff.next(), 1000);
});

test("only what a person must settle keeps it away", () => {
  for (const code of [1001, 1006, 1011, 1013, 4003, 4004, 4006]) assert.equal(ending(code).next, "back");
  for (const code of [1008, 4002, 4005, 4009]) assert.equal(ending(code).next, "stop");
  assert.equal(ending(4008).next, "once");
  assert.ok(ending(4009).forget);
});

const store = (kept = new Map()) => ({
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, value) => kept.set(key, value),
});

test("a browser stays who it is, and its token is no part of any address", () => {
  const storage = store();
  const first = new Identity(storage);
  assert.equal(first.protocols.length, 3);
  assert.ok(first.keep("t0ken"));
  const again = new Identity(storage);
  assert.deepEqual(again.protocols, [...first.protocols.slice(0, 3), "token.t0ken"]);
  assert.match(again.protocols.join(""), /^[A-Za-z0-9._-]+$/);
});

for (const broken of ["", "{", "[]", "null", '{"device":1}', '"x"']) {
  test(`what is kept as ${JSON.stringify(broken)} is replaced`, () => {
    const storage = store(new Map([["doll.identity", broken]]));
    assert.match(new Identity(storage).protocols[1], /^device\.web-[0-9a-f]{12}$/);
  });
}

test("a browser that keeps nothing says so", () => {
  const storage = { getItem: () => null, setItem: () => { throw new Error("full"); } };
  assert.equal(new Identity(storage).keep("t"), false);
});

test("a sentence is shown when its sound is heard, not when it comes", () => {
  const shown = [];
  const captions = new Captions((text) => shown.push(text));
  captions.begin();
  captions.sentence("one");
  captions.received(1000);
  captions.sentence("two");
  captions.played(1);
  assert.deepEqual(shown, ["one"]);
  captions.played(999);
  assert.deepEqual(shown, ["one"]);
  captions.played(1000);
  assert.deepEqual(shown, ["one", "two"]);
});
