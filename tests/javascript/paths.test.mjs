// Are places in values read and changed without touching the rest? Also the small words around recipes and free fields.

import assert from "node:assert/strict";
import { test } from "node:test";

import { matching } from "../../javascript/atelier/fields/combobox.mjs";
import { readFree, writeFree } from "../../javascript/atelier/fields/free.mjs";
import { hasSlider, stepOf } from "../../javascript/atelier/fields/plain.mjs";
import { getAt, moved, pathOf, same, setAt } from "../../javascript/atelier/paths.mjs";
import { fileName, nextName, withValues } from "../../javascript/atelier/refine/recipe-bar.mjs";
import { seedLock, withSeedsOf } from "../../javascript/atelier/refine/seeds.mjs";

test("a place is set in a copy, the rest is shared", () => {
  const value = { a: { b: [1, 2] }, c: {} };
  const next = setAt(value, ["a", "b", 1], 3);
  assert.deepEqual(next, { a: { b: [1, 3] }, c: {} });
  assert.equal(next.c, value.c);
  assert.deepEqual(value.a.b, [1, 2]);
  assert.deepEqual(setAt({}, ["x", 0, "y"], 1), { x: [{ y: 1 }] });
  assert.deepEqual(setAt({ a: 1, b: 2 }, ["a"], undefined), { b: 2 });
  assert.equal(getAt(value, ["a", "z", "q"]), undefined);
});

test("paths of the server", () => {
  assert.deepEqual(pathOf("controlnet[0].model"), ["controlnet", 0, "model"]);
  assert.deepEqual(pathOf("controlnet.0.model"), ["controlnet", 0, "model"]);
  assert.deepEqual(pathOf(undefined), []);
});

test("lists are put in another order, equal values found", () => {
  assert.deepEqual(moved(["a", "b", "c"], 0, 2), ["b", "c", "a"]);
  assert.equal(same({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }), true);
  assert.equal(same({ a: 1 }, { a: 1, b: undefined }), false);
});

test("suggestions hold every word, those that begin with it first", () => {
  assert.deepEqual(matching(["DPM++ 2M", "Euler a", "Euler", "LMS euler"], "eul"), ["Euler a", "Euler", "LMS euler"]);
  assert.deepEqual(matching(["DPM++ 2M SDE", "DPM++ SDE"], "sde 2m"), ["DPM++ 2M SDE"]);
});

test("free values are JSON where they are, texts where not", () => {
  for (const value of [1, true, "a text", "{variable}", [1, "b"], { a: null }, "12"]) assert.deepEqual(readFree(writeFree(value)).value, value);
  assert.ok(readFree('{"a": ').problem);
  assert.equal(readFree(" ").value, undefined);
});

test("sliders are for short ranges", () => {
  assert.equal(hasSlider({ type: "number", minimum: 0, maximum: 1, step: 0.01 }), true);
  assert.equal(hasSlider({ type: "integer", minimum: 0, maximum: 16384, step: 8 }), false);
  assert.equal(hasSlider({ type: "integer", minimum: 1 }), false);
  assert.deepEqual([stepOf({ type: "integer" }), stepOf({ type: "number", minimum: 0, maximum: 1 }), stepOf({ type: "number" })], [1, 0.01, 0.1]);
});

test("names to save under", () => {
  assert.deepEqual(["product-shots", "product-shots-2", "a"].map(nextName), ["product-shots-2", "product-shots-3", "a-2"]);
  assert.deepEqual([fileName("One watch, in 3 places!"), fileName("日本")], ["one-watch-in-3-places", "my-recipe"]);
  const recipe = { inputs: { a: { type: "text", default: "x" }, b: { type: "text" } } };
  assert.equal(withValues({ recipe, inputs: { a: "y" } }).inputs.a.default, "y");
});

test("seeds that were drawn are kept, and let go", () => {
  const recipe = { stages: [{ id: "a" }, { id: "b", seed: 5 }, { id: "c" }] };
  const kept = withSeedsOf(recipe, { stages: [{ id: "a", seed: 77 }, { id: "b", seed: 5 }, { id: "c" }] });
  assert.deepEqual(kept.stages.map((stage) => stage.seed), [77, 5, undefined]);
  const edits = [];
  const store = { edit: (path, value) => edits.push([path.join("."), value]) };
  seedLock(store, recipe, { stage: "a", seed: 9 }).toggle();
  const locked = seedLock(store, recipe, { stage: "b", seed: 5 });
  locked.toggle();
  assert.equal(locked.isLocked, true);
  assert.deepEqual(edits, [["recipe.stages.0.seed", 9], ["recipe.stages.1.seed", -1]]);
  assert.equal(seedLock(store, recipe, { stage: "gone", seed: 1 }), null);
});
