// The official web SDK, in each of its versions, whole: every public method, property and event, each with a real server
// behind it. What is said of them in docs/compatibility.md is held to what the suites have really used.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";

import { documented, surface } from "./surface.mjs";
import { versions } from "./versions.mjs";

const suites = new URL("./suites/", import.meta.url);
for (const file of readdirSync(suites).filter((name) => name.endsWith(".mjs")).sort()) {
  await import(new URL(file, suites));
}

const WORDS = ["same", "choice", "differs", "not yet", "untested", "—"];
const keyOf = ({ name, what, member }) => (what === "events" ? `${name}:${member}` : `${name}.${member}`);

test("the page has every member of every version, and a word for each", () => {
  const rows = documented();
  const keys = rows.map(keyOf);
  assert.deepEqual(keys.filter((key, at) => keys.indexOf(key) !== at), [], "told twice");
  for (const row of rows) {
    for (const { version } of versions) assert.ok(WORDS.includes(row.cells[version]), `${keyOf(row)} of ${version}`);
  }
  for (const { version, sdk, typings } of versions) {
    const there = Object.entries(surface(sdk, typings)).flatMap(([name, members]) =>
      Object.entries(members).flatMap(([what, list]) => list.map((member) => keyOf({ name, what, member }))));
    const told = rows.filter(({ cells }) => cells[version] !== "—").map(keyOf);
    assert.deepEqual(told.toSorted(), there.toSorted(), version);
  }
});

test("what the page says of a member was tried with it", () => {
  for (const { version, recorder } of versions) {
    const held = documented().filter(({ cells }) => ["same", "choice", "differs"].includes(cells[version])).map(keyOf);
    assert.deepEqual(held.filter((key) => !recorder.used.has(key)), [], `never used with ${version}`);
  }
});

test("nothing is untested", () => {
  for (const { version, recorder } of versions) {
    const untested = documented().filter(({ cells }) => cells[version] === "untested").map(keyOf);
    const meanwhile = untested.filter((key) => recorder.used.has(key));
    assert.equal(untested.length, 0, `of ${version}, of which these were used: ${meanwhile.join(", ")}`);
  }
});
