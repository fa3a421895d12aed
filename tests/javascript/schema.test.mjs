// Does the form see in a schema what stands there? References, variables, null, kinds, defaults, forms.

import assert from "node:assert/strict";
import { test } from "node:test";

import { capital, choicesOf, defaultOf, formOf, formsOf, kindOf, newObject, resolve, spaced, strip, tagOf, variableIn } from "../../javascript/atelier/schema.mjs";

const ROOT = {
  $defs: {
    Variable: { type: "string", pattern: "\\{[a-z]+\\}" },
    Alpha: { title: "AlphaMask", type: "object", properties: { kind: { enum: ["alpha"] }, of: { type: "string", default: "" } }, required: ["kind"] },
    Colour: { title: "ColourMask", type: "object", properties: { kind: { enum: ["colour"] }, colour: { type: "string" }, tolerance: { type: "integer", default: 16 } }, required: ["kind", "colour"] },
    Combined: { title: "CombinedMask", type: "object", properties: { union: { type: "array", items: { $ref: "#/$defs/Alpha" }, default: [] } } },
    Stage: { title: "MaskStage", type: "object", properties: { id: { type: "string" }, type: { const: "mask" }, mask: { anyOf: [{ type: "string" }, { $ref: "#/$defs/Alpha" }] } }, required: ["id", "type", "mask"] },
    Operation: { type: "object", "x-exactly-one": true, properties: { invert: { type: "boolean", default: false } } },
  },
};
const VARIABLE = { $ref: "#/$defs/Variable" };
const MASK = { anyOf: [{ type: "string" }, { $ref: "#/$defs/Alpha" }, { $ref: "#/$defs/Colour" }, { $ref: "#/$defs/Combined" }, { type: "array", items: { $ref: "#/$defs/Alpha" } }], title: "Mask" };

test("a reference is followed, and what stands beside it stays", () => {
  const found = resolve(ROOT, { $ref: "#/$defs/Alpha", title: "Mine" });
  assert.equal(found.title, "Mine");
  assert.equal(found.properties.kind.enum[0], "alpha");
});

test("a variable and null are set aside, however deep they lie", () => {
  const schema = { title: "Eta", "x-advanced": true, default: null, anyOf: [{ anyOf: [{ type: "number", minimum: 0 }, { type: "null" }] }, VARIABLE] };
  const { schema: found, variable, nullable } = strip(ROOT, schema);
  assert.deepEqual([found.type, found.minimum, found.title, found["x-advanced"], variable, nullable], ["number", 0, "Eta", true, true, true]);
  assert.equal(kindOf(found), "number");
});

test("every kind has its word", () => {
  const kinds = [
    [{ type: "boolean" }, "boolean"],
    [{ type: "integer" }, "integer"],
    [{ type: "string" }, "text"],
    [{ enum: ["a", "b"] }, "enum"],
    [{ enum: ["a"] }, "const"],
    [{ const: "a" }, "const"],
    [{ type: "array", items: {} }, "list"],
    [{ type: "array", prefixItems: [{ type: "integer" }] }, "tuple"],
    [{ type: "object", properties: {} }, "object"],
    [{ type: "object", additionalProperties: {} }, "map"],
    [{}, "any"],
    [MASK, "choice"],
    [{ anyOf: [{ type: "integer" }, { enum: ["fill", "original"] }] }, "enum"],
  ];
  for (const [schema, kind] of kinds) assert.equal(kindOf(strip(ROOT, schema).schema), kind, JSON.stringify(schema));
});

test("an enum that takes numbers as well offers its words", () => {
  assert.deepEqual(choicesOf({ anyOf: [{ type: "integer" }, { enum: ["fill", "original"] }] }), ["fill", "original"]);
});

test("defaults are the schema's, else the least that is right", () => {
  assert.equal(defaultOf(ROOT, { type: "integer", default: 20 }), 20);
  assert.equal(defaultOf(ROOT, { type: "integer", minimum: 8 }), 8);
  assert.equal(defaultOf(ROOT, { anyOf: [{ type: "number" }, { type: "null" }] }), null);
  assert.deepEqual(defaultOf(ROOT, { type: "array", prefixItems: [{ type: "integer", minimum: 1 }, { type: "integer" }] }), [1, 0]);
  assert.deepEqual(defaultOf(ROOT, { $ref: "#/$defs/Colour" }), { kind: "colour", colour: "" });
});

test("a new object has its tag and what must be given", () => {
  assert.deepEqual(newObject(ROOT, { $ref: "#/$defs/Stage" }), { id: "", type: "mask", mask: { kind: "alpha" } });
});

test("the form of a value is found by its type and its tag", () => {
  const forms = formsOf(ROOT, strip(ROOT, MASK).schema);
  assert.deepEqual(forms.map((form) => form.id), ["text", "alpha", "colour", "CombinedMask", "list"]);
  assert.equal(formOf(forms, "cutout").id, "text");
  assert.equal(formOf(forms, { kind: "colour", colour: "red" }).id, "colour");
  assert.equal(formOf(forms, { union: [] }).id, "CombinedMask");
  assert.equal(formOf(forms, [{ kind: "alpha" }]).id, "list");
  assert.deepEqual(tagOf(ROOT, { $ref: "#/$defs/Colour" }), { name: "kind", value: "colour" });
});

test("only a text that is one variable alone is a variable", () => {
  assert.deepEqual(["{place}", "a {place}", "{{place}}", 3, undefined].map(variableIn), ["place", "", "", "", ""]);
});

test("names are said as words", () => {
  assert.deepEqual([spaced("CombinedMask"), capital("cfg_scale")], ["Combined mask", "Cfg scale"]);
});
