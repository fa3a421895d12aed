// Is a run read back as it was? Its recipe with pictures by ids, its place in time, and news of it in the list.

import assert from "node:assert/strict";
import { test } from "node:test";

import { whenText, withNews, workOf } from "../../javascript/atelier/runs/again.mjs";

const ID = "a".repeat(64);
const OTHER = "b".repeat(64);

test("a run's recipe has ids in place of its pictures' names, in inputs, rows and axes", () => {
  const run = {
    recipe: {
      name: "r",
      inputs: { product: { type: "image", default: null }, area: { type: "mask", default: "area.png" }, text: { type: "text", default: "watch.png" } },
      rows: [{ product: "watch.png", text: "watch.png" }, { product: OTHER, text: "" }],
      axes: { area: ["area.png"], text: ["area.png"] },
      stages: [{ id: "base", seed: 7 }],
    },
    values: { text: "a" },
    inputs: { "watch.png": ID, "area.png": OTHER, product: OTHER },
  };
  const { recipe, inputs } = workOf(run);
  assert.deepEqual(recipe.rows, [{ product: ID, text: "watch.png" }, { product: OTHER, text: "" }]);
  assert.deepEqual(recipe.axes, { area: [OTHER], text: ["area.png"] });
  assert.equal(recipe.inputs.area.default, OTHER);
  assert.equal(recipe.inputs.product.default, null);
  assert.equal(recipe.inputs.text.default, "watch.png");
  assert.deepEqual(inputs, { text: "a", product: OTHER });
  assert.deepEqual(recipe.stages, run.recipe.stages);
});

test("today is told by the time, other days by the day, other years by the year", () => {
  const at = (...parts) => new Date(...parts).getTime() / 1000;
  const now = at(2026, 4, 20, 18, 0);
  assert.equal(whenText(at(2026, 4, 20, 9, 5), now, "en-GB"), "09:05");
  assert.match(whenText(at(2026, 4, 19, 9, 5), now, "en-GB"), /19 May.*09:05/);
  assert.match(whenText(at(2025, 4, 19, 9, 5), now, "en-GB"), /2025/);
});

test("news of runs take the place of what was known; new ones come first", () => {
  const run = (id, created, state) => ({ id, created, state });
  const list = [run("b", 2, "running"), run("a", 1, "done")];
  assert.deepEqual(withNews(list, [run("c", 3, "running"), run("b", 2, "done")]), [run("c", 3, "running"), run("b", 2, "done"), run("a", 1, "done")]);
});
