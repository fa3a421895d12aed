// What is taken from the WebUI, and how do LoRAs get into prompts?

import assert from "node:assert/strict";
import { test } from "node:test";
import { inputFor, maskFits, recipeAround, settingsOf, withPicture } from "../../javascript/atelier/host/taking.mjs";
import { lookForNew } from "../../javascript/atelier/host/exchange.mjs";
import { holds, loraWord, toggled } from "../../javascript/atelier/host/networks.mjs";

test("a picture goes into the first empty picture input, else the first", () => {
  const inputs = { name: { type: "text" }, face: { type: "image", default: "abc" }, product: { type: "image" }, area: { type: "mask" } };
  assert.equal(inputFor({ inputs }, {}), "product");
  assert.equal(inputFor({ inputs }, { product: "def" }), "face");
  assert.equal(inputFor({ inputs: { name: { type: "text" } } }, {}), null);
  assert.equal(inputFor(null, {}), null);
});

test("a picture takes the place of all rows that have one each, and leaves other variables", () => {
  const inputs = { product: { type: "image" }, subject: { type: "text" } };
  const rows = [{ product: "aa", subject: "a mug", shown: "drawing" }, { product: "bb", subject: "a watch", shown: "photograph" }];
  assert.equal(inputFor({ inputs, rows }, {}), "product");
  const draft = withPicture({ recipe: { inputs, rows }, inputs: { product: "old" } }, "product", "cc");
  assert.deepEqual([draft.recipe.rows, draft.inputs], [[{ shown: "drawing", product: "cc" }], {}]);
  const some = { recipe: { inputs, rows: [...rows, { subject: "a cup" }] }, inputs: { subject: "x" } };
  assert.deepEqual(withPicture(some, "product", "cc"), { ...some, inputs: { subject: "x", product: "cc" } });
});

test("a mask goes with a picture of its shape, whatever the sizes", () => {
  const picture = { width: 512, height: 768 };
  assert.ok(maskFits({ width: 512, height: 768 }, picture));
  assert.ok(maskFits({ width: 1333, height: 2000 }, picture));
  assert.ok(!maskFits({ width: 768, height: 512 }, picture));
  assert.ok(!maskFits({ width: 512, height: 512 }, picture));
});

test("of a picture's settings, a recipe takes what all stages have", () => {
  const stage = { id: "base", type: "txt2img", prompt: "a cat", steps: 4, hires: { hr_scale: 2 }, denoising_strength: 0.5 };
  assert.deepEqual(settingsOf({ stages: [stage] }), { prompt: "a cat", steps: 4 });
  assert.deepEqual(settingsOf({ stages: [stage, stage] }), {});
  assert.deepEqual(settingsOf(undefined), {});
  const made = recipeAround("ff", { prompt: "a cat" });
  assert.deepEqual(made.inputs, { picture: "ff" });
  assert.equal(made.recipe.stages[0].takes, "picture");
});

test("a LoRA is written at the caret, and taken out at whatever weight", () => {
  const word = loraWord("a.b (c)");
  assert.equal(word, "<lora:a.b (c):0.8>");
  assert.equal(toggled("a cat", word), `a cat ${word}`);
  assert.equal(toggled("", word), word);
  assert.equal(toggled("a cat, night", word, 5), `a cat ${word}, night`);
  assert.equal(toggled("a <lora:a.b (c):1.2> cat", word), "a cat");
  assert.equal(toggled("a <lora:axb (c):1> cat", word), `a <lora:axb (c):1> cat ${word}`);
  assert.ok(holds("x <lora:a.b (c)>", word));
  assert.ok(!holds("x", word));
});

test("new files are looked for by the WebUI's own buttons, those that it has", () => {
  const pressed = [];
  const there = ["txt2img_lora_extra_refresh_internal", "forge_refresh_checkpoint"];
  globalThis.document = { getElementById: (id) => (there.includes(id) ? { dispatchEvent: ({ type }) => pressed.push(`${type} ${id}`) } : null) };
  lookForNew("loras");
  lookForNew("checkpoints");
  delete globalThis.document;
  assert.deepEqual(pressed, there.map((id) => `click ${id}`));
});
