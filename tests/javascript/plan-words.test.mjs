// Is a plan said as people would say it, and does each finding come to its field?

import assert from "node:assert/strict";
import { test } from "node:test";

import { countNotes, notesOf, planLine, stageBadge } from "../../javascript/atelier/refine/plan-words.mjs";
import { bytes, duration, setWords, t } from "../../javascript/atelier/words.mjs";

const stage = (name, numbers, why = []) => ({ stage: name, type: "img2img", cached: 0, will_run: 0, waiting: 0, left_out: 0, why, ...numbers });

test("what is there, what will run, and the change that makes it", () => {
  const plan = {
    stages: [stage("base", { cached: 2 }), stage("refine", { will_run: 1 }, ["denoising_strength 0.40 → 0.35"]), stage("large", { will_run: 2 }, ["takes refine, which runs anew"])],
    seconds_left: 41,
  };
  const said = planLine(plan);
  assert.equal(`${said.text}: ${said.reasons}`, "2 cached, 3 will run: denoising_strength 0.40 → 0.35");
  assert.equal(said.time, "about 41 s");
});

test("with nothing to do it says so", () => {
  assert.equal(planLine({ stages: [stage("a", { cached: 52 })] }).text, "All is there: 52 cached");
  assert.equal(planLine({ stages: [stage("a", {})] }).text, "Nothing to run");
});

test("a first run has no reasons, a choice is named", () => {
  const said = planLine({ stages: [stage("a", { will_run: 8 }, ["new"]), stage("b", { waiting: 1 })] });
  assert.deepEqual([said.text, said.reasons], ["8 will run, 1 waits for a choice", ""]);
});

test("many reasons are cut short", () => {
  const said = planLine({ stages: [stage("a", { will_run: 4 }, ["steps 20 → 30", "seed 7 → 8", "cfg_scale 7 → 5", "takes b, which runs anew"])] });
  assert.equal(said.reasons, "steps 20 → 30, seed 7 → 8 and 1 more");
});

test("a stage's badge", () => {
  assert.deepEqual([{ cached: 3 }, { will_run: 2 }, { will_run: 2, cached: 1 }, { waiting: 1 }, { left_out: 1 }].map((numbers) => stageBadge(stage("a", numbers)).text), ["cached", "2 to run", "2 of 3 to run", "waits", "left out"]);
  assert.equal(stageBadge(undefined).text, "");
});

test("findings and refusals come to the field they speak of, however its path is written", () => {
  const findings = [
    { severity: "warning", stage: "a", field: "controlnet[0].model", message: "m" },
    { severity: "error", stage: "a", field: "", message: "n" },
  ];
  const notes = notesOf({ findings }, { detail: "d", stage: "", field: "inputs.product" });
  assert.deepEqual(notes, {
    a: { "controlnet.0.model": [{ severity: "warning", message: "m" }], "": [{ severity: "error", message: "n" }] },
    "": { "inputs.product": [{ severity: "error", message: "d" }] },
  });
});

test("notes are counted over all stages and fields", () => {
  const notes = notesOf({ findings: [{ severity: "error", stage: "a", field: "x", message: "1" }, { severity: "warning", stage: "b", field: "x", message: "2" }] }, null);
  assert.deepEqual(countNotes(notes), { errors: 1, warnings: 1 });
});

test("times and sizes", () => {
  assert.deepEqual([7.6, 61, 3900].map(duration), ["8 s", "1 min", "1 h 5 min"]);
  assert.deepEqual([0, 999, 1400000, 2.5e9].map(bytes), ["0 B", "999 B", "1.4 MB", "2.5 GB"]);
});

test("words are looked up by the English text, values put in after", () => {
  setWords({ "{count} cached": "{count} liegen vor" });
  assert.equal(t("{count} cached", { count: 2 }), "2 liegen vor");
  setWords({});
});
