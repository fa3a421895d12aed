// Which files does a merge name, beside which field does a warning stand, and what is tried?

import assert from "node:assert/strict";
import { test } from "node:test";
import { candidates, filesOf, isComplete, MOST_TRIED, notesOf, onPage, startOf, stem, tryRecipe } from "../../javascript/atelier/merge/config.mjs";
import { setWords } from "../../javascript/atelier/words.mjs";

const two = { loras: [{ file: "watch", weight: 1 }, { file: "old/beach.safetensors" }] };

test("every file that is named is found, and an empty one is missing", () => {
  assert.deepEqual(filesOf(two).map(({ path }) => path.join(".")), ["loras.0.file", "loras.1.file"]);
  assert.equal(isComplete(two), true);
  for (const command of ["merge", "bake", "extract", "resize", "convert", "inspect"]) assert.equal(isComplete(startOf(command)), false);
  assert.equal(isComplete({ checkpoint: { file: "a" }, loras: [] }), false);
  assert.equal(isComplete({ checkpoint: { file: "a" }, loras: [], mix: { other: { file: "b" } } }), true);
  assert.equal(isComplete({}), false);
});

test("a name is without folder, ending and hash", () => {
  assert.equal(stem("old/beach.safetensors"), "beach");
  assert.equal(stem("sd 1.5.safetensors [6ce0161689]"), "sd 1.5");
  assert.equal(stem("C:\\models\\a.b"), "a.b");
});

test("what is said stands beside the file, the list or the setting that it speaks of", () => {
  const warned = (text) => ({ text, said: text, values: {} });
  const same = warned('The same LoRA is there twice: "watch" and "beach.safetensors".');
  const weights = { text: "The weights add up to 2; over 1.", said: "The weights add up to {total}; over 1.", values: { total: 2 } };
  const notes = notesOf(two, { problem: "method.ranks.rank is 0; it must be at least 1.", warnings: [same, weights, warned("Something else.")] });
  assert.deepEqual(Object.keys(notes).sort(), ["", "loras", "loras.0.file", "loras.1.file", "method.ranks.rank"]);
  assert.equal(notes["method.ranks.rank"][0].severity, "error");
  assert.equal(notes[""][0].message, "Something else.");
  assert.deepEqual(notes.loras, [{ severity: "warning", message: "The weights add up to 2; over 1." }]);
  setWords({ [weights.said]: "Die Gewichte ergeben {total}." });
  assert.deepEqual(notesOf(two, { warnings: [weights] }).loras, [{ severity: "warning", message: "Die Gewichte ergeben 2." }]);
  setWords({});
  assert.deepEqual(notesOf(two, null), {});
  assert.deepEqual(Object.keys(notesOf(two, { problem: "loras[1].weight is 20; at most 10.", warnings: [] })), ["loras.1.weight"]);
});

test("every method is tried with every factor, under names of their own", () => {
  const all = candidates({ ...two, output: { folder: "mine", precision: "fp16" } }, [{ kind: "svd" }, { kind: "ties", density: 0.3 }], [0.5, 1], "try-");
  assert.deepEqual(all.map(({ config }) => config.output.name), ["try-svd-50", "try-svd-100", "try-ties-50", "try-ties-100"]);
  assert.deepEqual(all[0].config.loras.map(({ weight }) => weight), [0.5, 0.5]);
  assert.deepEqual(all[2].config.method, { kind: "ties", density: 0.3 });
  assert.deepEqual(all[0].config.output, { folder: "", precision: "fp16", name: "try-svd-50" });
  assert.equal(candidates(two, [{ kind: "svd" }], Array.from({ length: 40 }, (_, place) => place / 10), "").length, MOST_TRIED);
  assert.deepEqual(candidates(two, [], [1], ""), []);
});

test("what is tried is drawn with one prompt and side by side", () => {
  const recipe = tryRecipe(["try-a", "try-b"], "a watch", { steps: 4 });
  assert.deepEqual(recipe.axes, { lora: ["try-a", "try-b"] });
  assert.deepEqual(recipe.settings, { seed: 7, steps: 4, prompt: "a watch", loras: [{ name: "{lora}", weight: 1 }] });
  assert.deepEqual(recipe.stages.map(({ type }) => type), ["txt2img", "sheet"]);
});

test("the page's folder is below that of the models, and defaults are not set", () => {
  const part = (name, value) => ({ output: { $ref: `#/$defs/${name}`, default: value } });
  const schema = { $defs: { Output: { properties: { folder: { default: ".", description: "old" }, precision: { default: "same" } } }, Svd: { properties: part("Output", { precision: "same" }) } }, properties: part("Output", { folder: ".", precision: "fp16" }) };
  assert.equal(onPage(schema).$defs.Output.properties.folder.default, "");
  assert.deepEqual(onPage(schema).properties.output.default, { precision: "fp16" });
  assert.deepEqual(onPage(schema).$defs.Svd.properties.output.default, {});
  assert.equal(schema.$defs.Output.properties.folder.default, ".");
  assert.deepEqual(onPage({ properties: {} }), { properties: {} });
});
