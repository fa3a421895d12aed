// Do references follow when stages are added, moved, copied, renamed and taken away?

import assert from "node:assert/strict";
import { test } from "node:test";

import { freeName, rowValues, sourcesAt, stageTypes, takesPictures, variablesOf, withCopy, withMoved, withName, withoutStage, withStage } from "../../javascript/atelier/refine/stage-edits.mjs";

const TAKES = { "x-source": "picture", default: [], anyOf: [{ type: "array", items: { type: "string" } }, { type: "string" }] };
const ROOT = {
  properties: { stages: { items: { oneOf: [{ $ref: "#/$defs/Draw" }, { $ref: "#/$defs/Redraw" }] } } },
  $defs: {
    Draw: { type: "object", description: "Draws.", properties: { id: { type: "string" }, type: { const: "txt2img" }, takes: { type: "array", maxItems: 0, default: [] }, prompt: { type: "string", default: "" } }, required: ["id", "type"] },
    Unit: { type: "object", properties: { image: { type: "string", default: "", "x-source": "picture" }, model: { type: "string" } } },
    Mask: { type: "object", properties: { kind: { enum: ["upload"] }, of: { type: "string", "x-source": "picture" } }, required: ["kind"] },
    Redraw: {
      type: "object",
      properties: {
        id: { type: "string" }, type: { const: "inpaint" }, takes: TAKES, prompt: { type: "string" },
        mask: { "x-source": "mask", anyOf: [{ type: "string" }, { $ref: "#/$defs/Mask" }, { type: "array", items: { $ref: "#/$defs/Mask" } }] },
        controlnet: { anyOf: [{ type: "array", items: { anyOf: [{ $ref: "#/$defs/Unit" }, { $ref: "#/$defs/Variable" }] } }, { $ref: "#/$defs/Variable" }] },
      },
      required: ["id", "type"],
    },
    Variable: { type: "string" },
  },
};
const RECIPE = {
  name: "r",
  inputs: { product: { type: "image" }, place: { type: "text" } },
  rows: [{ place: "base", "stages.base.steps": 3 }],
  axes: { "stages.redo.steps": [1], mood: ["a", "b"] },
  stages: [
    { id: "base", type: "txt2img", prompt: "base {place}" },
    { id: "redo", type: "inpaint", takes: "base", prompt: "base", mask: { kind: "upload", of: "base" }, controlnet: [{ image: "base", model: "base" }] },
    { id: "last", type: "inpaint", takes: ["redo", "product"], mask: "base" },
  ],
};

test("types come from the schema, with what they take", () => {
  assert.deepEqual(stageTypes(ROOT).map(({ type, about }) => [type, about]), [["txt2img", "Draws."], ["inpaint", ""]]);
  assert.deepEqual(stageTypes(ROOT).map(({ schema }) => takesPictures(ROOT, schema)), [false, true]);
});

test("a new stage takes the pictures of the one before it, if it takes any", () => {
  const grown = withStage(ROOT, RECIPE, "inpaint", 3);
  assert.deepEqual(grown.stages[3], { id: "inpaint", type: "inpaint", takes: ["last"] });
  assert.equal("takes" in withStage(ROOT, RECIPE, "txt2img", 3).stages[3], false);
  assert.deepEqual(withStage(ROOT, { ...RECIPE, stages: [] }, "inpaint", 0).stages[0].takes, ["product"]);
});

test("names are free ones", () => {
  assert.equal(freeName(RECIPE, "base"), "base-2");
  assert.equal(freeName(RECIPE, "product"), "product-2");
  assert.equal(freeName({ stages: [{ id: "a-2" }, { id: "a" }] }, "a-2"), "a-3");
  assert.deepEqual(withCopy(RECIPE, 0).stages.map((stage) => stage.id), ["base", "base-2", "redo", "last"]);
});

test("another name follows wherever the stage is named, and nowhere else", () => {
  const named = withName(ROOT, RECIPE, "base", "first");
  assert.deepEqual(named.stages[1], { id: "redo", type: "inpaint", takes: "first", prompt: "base", mask: { kind: "upload", of: "first" }, controlnet: [{ image: "first", model: "base" }] });
  assert.equal(named.stages[2].mask, "first");
  assert.deepEqual(named.rows, [{ place: "base", "stages.first.steps": 3 }]);
  assert.deepEqual(Object.keys(withName(ROOT, RECIPE, "redo", "again").axes), ["stages.again.steps", "mood"]);
});

test("an input's other name follows in variables and as a source", () => {
  const named = withName(ROOT, withName(ROOT, RECIPE, "place", "where"), "product", "thing");
  assert.deepEqual(Object.keys(named.inputs), ["thing", "where"]);
  assert.equal(named.stages[0].prompt, "base {where}");
  assert.deepEqual(named.stages[2].takes, ["redo", "thing"]);
  assert.deepEqual(Object.keys(named.rows[0]), ["where", "stages.base.steps"]);
});

test("who took a stage that goes takes what it took", () => {
  assert.deepEqual(withoutStage(ROOT, RECIPE, 1).stages.map((stage) => stage.takes), [undefined, ["base", "product"]]);
});

test("stages are moved within the list only", () => {
  assert.deepEqual(withMoved(RECIPE, 2, 0).stages.map((stage) => stage.id), ["last", "base", "redo"]);
  assert.equal(withMoved(RECIPE, 0, 5).stages, RECIPE.stages);
});

test("what a stage may name, and which variables there are", () => {
  assert.deepEqual(sourcesAt(RECIPE, 1).map((one) => one.name), ["base", "product"]);
  assert.deepEqual(variablesOf(RECIPE), ["product", "place", "mood"]);
  assert.deepEqual(rowValues(RECIPE, "place"), ["base"]);
});
