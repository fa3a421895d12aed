// Where does a drawn mask go, and over which picture is it drawn?

import assert from "node:assert/strict";
import { test } from "node:test";

import { picturesOf } from "../../javascript/atelier/canvas/pictures.mjs";
import { maskSchema } from "../../javascript/atelier/canvas/automatic.mjs";
import { pictureUnder, withDrawn } from "../../javascript/atelier/refine/mask-tools.mjs";

const [A, B, C] = ["a", "b", "c"].map((letter) => letter.repeat(64));
const RECIPE = {
  inputs: { photo: { type: "image", default: A }, area: { type: "mask" }, other: { type: "image" } },
  rows: [{}, { other: C }],
  stages: [{ id: "base", takes: "photo" }, { id: "redraw", takes: ["base"], mask: { kind: "alpha" } }],
};

test("the inputs' pictures are those that are set, else their defaults, else the first row's", () => {
  assert.deepEqual(picturesOf({ recipe: RECIPE, inputs: { area: B } }), { photo: A, area: B, other: C });
});

test("a mask is drawn over what the stage takes, where that is there, else over an input", () => {
  assert.equal(pictureUnder(RECIPE, "redraw", { photo: A, base: B }), B);
  assert.equal(pictureUnder(RECIPE, "redraw", { photo: A }), A);
  assert.equal(pictureUnder(RECIPE, "redraw", {}), "");
});

test("a drawn mask becomes a new input that the field names, or the value of the one that it names", () => {
  const draft = { recipe: RECIPE, inputs: { photo: B } };
  const next = withDrawn(draft, { stage: "redraw", field: "mask", value: { kind: "alpha" }, id: C });
  assert.deepEqual(next.recipe.inputs.redraw_mask, { type: "mask", default: C });
  assert.equal(next.recipe.stages[1].mask, "redraw_mask");
  assert.deepEqual(RECIPE.stages[1].mask, { kind: "alpha" });
  const again = withDrawn(draft, { stage: "redraw", field: "mask", value: "area", id: C });
  assert.deepEqual([again.inputs, again.recipe], [{ photo: B, area: C }, RECIPE]);
});

test("the ways of finding a mask come from the schema alone, without names", () => {
  const root = {
    properties: { stages: { type: "array", items: { oneOf: [{ $ref: "#/$defs/One" }] } } },
    $defs: { One: { type: "object", properties: { type: { const: "one" }, mask: { "x-source": "mask", anyOf: [{ type: "string" }, { $ref: "#/$defs/Alpha" }, { type: "array", items: {} }] } } }, Alpha: { type: "object", title: "AlphaMask", properties: { kind: { const: "alpha" } } } },
  };
  assert.deepEqual(maskSchema(root).anyOf.map((form) => form.type), ["object", "array"]);
  assert.equal(maskSchema({ properties: { stages: { items: { oneOf: [] } } } }), null);
});
