// Which files does a merge name, beside which field does a warning stand, and what is tried?

import assert from "node:assert/strict";
import { test } from "node:test";
import { candidates, filesOf, isComplete, isSameMerge, MOST_TRIED, notesOf, onPage, previewRecipe, startOf, stem, tryRecipe } from "../../javascript/atelier/merge/config.mjs";
import { metadataOf, span, strengthsOf, trainingOf } from "../../javascript/atelier/merge/contents.mjs";
import { drawnAlready, keepTried, promptOfTry } from "../../javascript/atelier/merge/tried.mjs";
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
  assert.deepEqual(Object.keys(notesOf(two, { problem: "output.name has '/' in it.", warnings: [] })), ["output.name"]);
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

test("a preview is drawn with the LoRA, or by the checkpoint", () => {
  assert.deepEqual(previewRecipe("loras", "both", "a watch", { steps: 4, checkpoint: "old" }).settings, { seed: 7, steps: 4, checkpoint: "old", prompt: "a watch", loras: [{ name: "both", weight: 1 }] });
  assert.deepEqual(previewRecipe("checkpoints", "baked", "a watch", { checkpoint: "old" }).settings, { seed: 7, checkpoint: "baked", prompt: "a watch" });
});

test("what was drawn when it was tried is the picture of the same merge, whatever it is called", async () => {
  const asked = { loras: [{ file: "a", weight: 0.5 }], method: { kind: "svd" }, base: "", output: { name: "try-1" } };
  const other = { ...asked, method: { kind: "ties" } };
  const kept = { ...asked, output: { name: "mine" } };
  assert.ok(isSameMerge(asked, kept));
  assert.ok(!isSameMerge(other, kept));
  assert.ok(!isSameMerge(undefined, kept));
  assert.ok(!isSameMerge({ file: "a" }, { file: "a" }));
  const api = { get: async (path) => (path === "runs/7/pictures" ? [{ id: "one", item: 1 }, { id: "two", item: 2 }] : []) };
  assert.equal(await drawnAlready(api, kept), "");
  keepTried({ made: [{ asked: other }, { asked }], run: "7", prompt: "a watch" });
  assert.equal(await drawnAlready(api, kept), "two");
  assert.equal(promptOfTry(), "a watch");
  keepTried({ made: [], run: "" });
  assert.equal(promptOfTry(), "a watch");
  assert.equal(await drawnAlready(api, kept), "");
});

test("metadata is told in rows, long values cut and pictures left out", () => {
  const metadata = { ss_steps: "900", ss_max_train_steps: "1000", ss_seed: "None", "modelspec.thumbnail": "data:image/jpeg;base64,AA", a: "x".repeat(500) };
  assert.deepEqual(trainingOf(metadata), [["Steps", "900"]]);
  assert.deepEqual(metadataOf(metadata).map(([key, value]) => [key, value.length]), [["a", 401], ["ss_max_train_steps", 4], ["ss_seed", 4], ["ss_steps", 3]]);
  assert.deepEqual(trainingOf({}), []);
});

test("blocks and layers are shares of the strongest", () => {
  const block = (strength, layers) => ({ strength, largest: Math.max(...Object.values(layers)), ranks: [4, 8], alphas: [1, 1], layers });
  const [one, strongest] = strengthsOf({ IN01: block(2, { a: 1, b: 1.5 }), OUT11: block(4, { c: 3 }) });
  assert.deepEqual([one.name, one.share, one.layers.map(({ name, share }) => [name, share])], ["IN01", 0.5, [["b", 0.5], ["a", 1 / 3]]]);
  assert.equal(strongest.share, 1);
  assert.deepEqual([span([4, 8]), span([1, 1]), span([0.30000001, 0.30000001])], ["4–8", "1", "0.3"]);
  assert.deepEqual(strengthsOf({}), []);
});
