// Does the catalogue's table say what was typed, and stand every item where it belongs?

import assert from "node:assert/strict";
import { test } from "node:test";

import { cellsOf, combinations, isForEach, placeOfItem, stageToShow, valuesOfItem } from "../../javascript/atelier/catalogue/sheet-places.mjs";
import { columnsOf, countItems, csvOf, factorsOf, kindOfColumn, matched, missingFiles, offered, pathsOf, valueOf, withCell, withoutColumn } from "../../javascript/atelier/catalogue/table.mjs";

const ID = "a".repeat(64);
const RECIPE = {
  inputs: { product: { type: "image" }, size: { type: "number" }, text: { type: "text" }, pick: { type: "choice", choices: ["a", "b"] } },
  stages: [{ id: "base", type: "txt2img" }, { id: "cut", type: "mask" }],
};

test("rows and axes are counted before anything runs", () => {
  assert.equal(countItems([], {}), 1);
  assert.equal(countItems([{}, {}], { place: ["x", "y", "z"], light: ["day"] }), 6);
  assert.deepEqual(factorsOf([{}, {}], { place: ["x"] }), [{ name: "", count: 2 }, { name: "place", count: 1 }]);
});

test("cells are what was typed, in the way of their column", () => {
  assert.equal(kindOfColumn(RECIPE, "size"), "number");
  assert.equal(kindOfColumn(RECIPE, "stages.base.steps"), "path");
  assert.equal(kindOfColumn(RECIPE, "shown"), "text");
  assert.equal(valueOf("number", " 20 "), 20);
  assert.equal(valueOf("number", "many"), "many"); // the server says what is wrong
  assert.equal(valueOf("text", "007"), "007");
  assert.equal(valueOf("path", "0.4"), 0.4);
  assert.equal(valueOf("path", "true"), true);
  assert.equal(valueOf("path", ""), undefined);
  assert.equal(valueOf("text", ""), "");
});

test("cells and columns come and go", () => {
  const rows = withCell([{ text: "a" }, {}], 1, "size", 3);
  assert.deepEqual(rows, [{ text: "a" }, { size: 3 }]);
  assert.deepEqual(withCell(rows, 0, "text", undefined)[0], {});
  assert.deepEqual(columnsOf(rows, ["size", "pick"]), ["text", "size", "pick"]);
  assert.deepEqual(withoutColumn(rows, "size"), [{ text: "a" }, {}]);
  assert.deepEqual(pathsOf(RECIPE, (stage) => (stage.id === "base" ? ["id", "type", "steps"] : ["type"])), ["stages.base.steps"]);
  assert.deepEqual(offered(RECIPE, ["stages.base.steps"], ["product", "pick"]), ["size", "text", "stages.base.steps"]);
});

test("pictures are matched with cells by their file's name, whatever their folder and kind", () => {
  const rows = [{ product: "in/Watch.png", text: "x.png" }, { product: ID }, { product: "in\\cup.jpg" }, { product: "gone.png" }, { product: "" }];
  const missing = missingFiles(RECIPE, rows);
  assert.deepEqual(missing.map((one) => one.place), [0, 2, 3]);
  const files = [{ name: "watch.png" }, { name: "cup.webp" }, { name: "other.png" }];
  assert.deepEqual(matched(missing, files).map((one) => [one.place, one.name, one.file.name]), [[0, "product", "watch.png"], [2, "product", "cup.webp"]]);
});

test("the table is saved as CSV that is read back alike", () => {
  assert.equal(csvOf([{ a: 1, b: 'x, "y"' }, { b: "two\nlines" }], ["a", "b"]), 'a,b\r\n1,"x, ""y"""\r\n,"two\nlines"\r\n');
});

test("items stand by rows and axes, the last axis fastest", () => {
  const axes = { place: ["beach", "night"], light: ["day", "dusk", "dark"] };
  const all = combinations(axes);
  assert.equal(all.length, 6);
  assert.deepEqual(all[1], { place: "beach", light: "dusk" });
  assert.deepEqual(placeOfItem(1, 6), { row: 0, column: 0 });
  assert.deepEqual(placeOfItem(9, 6), { row: 1, column: 2 });
  assert.deepEqual(combinations({}), [{}]);
  assert.deepEqual(valuesOfItem({ rows: [{ text: "a" }, { text: "b" }], axes }, 9), { text: "b", place: "beach", light: "dark" });
  assert.deepEqual(valuesOfItem({}, 1), {});
});

test("a cell has its item's pictures, and the worst that befell it", () => {
  const node = (place, state) => ({ place, state, key: place + state });
  const cells = cellsOf([{ item: 1, id: ID }, { item: 1, id: ID }], [node("large/0/0", "done"), node("large/1/0", "planned"), node("large/1/1", "failed"), node("large/1/2", "left out")]);
  assert.equal(cells[1].pictures.length, 2);
  assert.equal(cells[2].node.state, "failed");
  assert.deepEqual(cells[2].pictures, []);
});

test("the sheet shows the last stage that has a picture for each item", () => {
  const stages = [{ stage: "base", total: 6 }, { stage: "mask", total: 2 }, { stage: "large", total: 6 }, { stage: "sheet", total: 1 }, { stage: "off", total: 0 }];
  assert.equal(stageToShow(stages, 6), "large");
  assert.equal(stageToShow(stages, 60), "sheet");
  assert.ok(isForEach(stages, "base", 6) && !isForEach(stages, "mask", 6));
});
