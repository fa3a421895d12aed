// Do a preset and what is filled in leave alone what somebody has set, and do mistakes find their fields?

import assert from "node:assert/strict";
import { test } from "node:test";
import { complete, isReady, notesOf, withPreset } from "../../javascript/atelier/train/config.mjs";

const PRESETS = [
  { name: "small", config: { network: { rank: 8 }, memory: { base: "nf4" } } },
  { name: "large", config: { network: { rank: 32 } } },
];

test("another preset takes the first one's values away, and nothing else", () => {
  const mine = { name: "watch", network: { dropout: 0.1 } };
  const small = withPreset(mine, PRESETS, "small");
  assert.deepEqual(small, { name: "watch", network: { dropout: 0.1, rank: 8 }, memory: { base: "nf4" } });
  assert.deepEqual(withPreset(small, PRESETS, "large"), { name: "watch", network: { dropout: 0.1, rank: 32 }, memory: {} });
  assert.deepEqual(mine, { name: "watch", network: { dropout: 0.1 } });
});

test("the host's folder and a sample of the trigger are filled in where nothing is said", () => {
  const told = { lora_folder: "/webui/models/Lora" };
  const whole = complete({ data: { concepts: [{ folder: "/x", trigger: "zk watch" }] } }, told);
  assert.equal(whole.output.lora_folder, "/webui/models/Lora");
  assert.deepEqual(whole.run.samples, [{ prompt: "zk watch" }]);
  assert.equal(complete({ output: { lora_folder: "" } }, told).output.lora_folder, "", "nowhere is an answer, too");
  assert.deepEqual(complete({ run: { samples: [] }, data: { concepts: [{ trigger: "x" }] } }, {}).run.samples, []);
});

test("mistakes stand beside the fields that they name", () => {
  const notes = notesOf([
    { event: "mistake", text: "data.concepts[0].folder is missing." },
    { event: "mistake", text: "network.rank is 0; it must be at least 1." },
    { event: "mistake", text: "There is no checkpoint \"x\"." },
    { event: "found", pictures: 3 },
  ]);
  assert.deepEqual(Object.keys(notes), ["data.concepts.0.folder", "network.rank"]);
  assert.equal(notes["network.rank"][0].severity, "error");
});

test("a name, a base model and a folder are enough to begin", () => {
  const whole = { name: "x", model: { checkpoint: "demo" }, data: { concepts: [{ folder: "/x" }] } };
  assert.equal(isReady(whole), true);
  for (const name of Object.keys(whole)) assert.equal(isReady({ ...whole, [name]: undefined }), false);
});
