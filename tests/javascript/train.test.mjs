// Do a preset and what is filled in leave alone what somebody has set, and do mistakes find their fields?

import assert from "node:assert/strict";
import { test } from "node:test";
import { complete, isReady, notesOf, withPreset } from "../../javascript/atelier/train/config.mjs";
import { finishedOf, nameOf } from "../../javascript/atelier/train/finished.mjs";

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

test("the best save is offered where it is another than the last", () => {
  const findings = [
    { event: "file", file: "disc.safetensors" },
    { event: "file", file: "disc-2.safetensors" },
    { event: "save", file: "disc-000150.safetensors", step: 150, kept: 0.9 },
    { event: "save", file: "disc-000300.safetensors", step: 300, kept: 0.8 },
    { event: "finding", kind: "overfit", text: "It went too far." },
    { event: "evaluation", best: "disc-000150.safetensors", step: 150, file: "disc-000150.safetensors" },
  ];
  const config = { output: { lora_folder: "/Lora" }, data: { concepts: [{ trigger: "zk" }] } };
  const made = finishedOf({ findings, config });
  assert.deepEqual([made.last, made.best.file, made.proposed], ["disc-2.safetensors", "disc-000150.safetensors", "disc-000150.safetensors"]);
  assert.deepEqual([made.isThere, made.saves.length, made.findings], [true, 2, ["It went too far."]]);
  const last = finishedOf({ findings: [...findings.slice(0, 5), { event: "evaluation", best: "disc-000300.safetensors", step: 300, file: "" }], config });
  assert.deepEqual([last.best, last.proposed], [null, "disc-000300.safetensors"]);
  const bare = finishedOf({ findings: findings.slice(0, 1), config: { output: { lora_folder: "" } } });
  assert.deepEqual([bare.last, bare.best, bare.isThere, bare.saves, bare.trigger], ["disc.safetensors", null, false, [], ""]);
  assert.equal(nameOf("C:\\Lora\\disc-2.safetensors"), "disc-2");
});
