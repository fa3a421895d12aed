// Are differences of captions found word by word, selections kept while one scrolls on, and tags and filters changed as they read?

import assert from "node:assert/strict";
import { test } from "node:test";
import { areRepeated, conditionsOf, isMeant, lengthOf, shortPath, tagsOf, tagsShown, unevenOf, withoutTag, withTag, withTagAsked } from "../../javascript/atelier/dataset/captions.mjs";
import { groupsOf } from "../../javascript/atelier/dataset/clusters.mjs";
import { differenceOf, shortened } from "../../javascript/atelier/dataset/difference.mjs";
import { allSelected, countOf, isSelected, meantBy, newSelection, withRange, withToggled } from "../../javascript/atelier/dataset/selection.mjs";

const said = (parts) => parts.map(({ kind, text }) => ({ same: text, gone: `[-${text}-]`, new: `[+${text}+]` })[kind]).join("");
const read = (parts, ...kinds) => parts.filter(({ kind }) => kinds.includes(kind)).map(({ text }) => text).join("");
const words = (text) => text.replaceAll(/[\s,]+/g, " ").trim();

test("what goes stands before what comes, and the rest stays", () => {
  assert.equal(said(differenceOf("a red watch, beach", "a blue watch, beach")), "a [-red -][+blue +]watch, beach");
  assert.equal(said(differenceOf("watch", "watch, beach")), "watch, [+beach+]");
  assert.equal(said(differenceOf("watch, sand, beach", "watch, beach")), "watch, [-sand, -]beach");
  assert.equal(said(differenceOf("", "watch")), "[+watch+]");
  assert.equal(said(differenceOf("watch", "")), "[-watch-]");
  assert.deepEqual(differenceOf("", ""), []);
  assert.equal(said(differenceOf("watch,beach", "watch, beach")), "[-watch,-][+watch, +]beach", "only a space is another");
});

test("whatever changes, before and after can be read in the difference", () => {
  let seed = 7;
  const next = (most) => (seed = (seed * 48271) % 2147483647) % most;
  const caption = () => Array.from({ length: next(9) }, () => "abcd"[next(4)]).join(", ");
  for (let round = 0; round < 300; round += 1) {
    const [before, after] = [caption(), caption()];
    const parts = differenceOf(before, after);
    assert.equal(words(read(parts, "same", "gone")), words(before), `${before} to ${after}`);
    assert.equal(words(read(parts, "same", "new")), words(after), `${before} to ${after}`);
  }
});

test("thousands of tags are compared", () => {
  const tags = Array.from({ length: 5000 }, (_, place) => `tag${place}`);
  assert.equal(read(differenceOf(tags.join(", "), [...tags].reverse().join(", ")), "gone").match(/tag/g).length, 5000);
  assert.equal(said(differenceOf(tags.join(", "), tags.filter((tag) => tag !== "tag2500").join(", "))).match(/\[-tag2500, -\]/g).length, 1);
});

test("what stays is cut to the words beside a change", () => {
  const before = "one two three four five six seven eight nine ten";
  assert.equal(said(shortened(differenceOf(before, `${before} eleven`))), "… seven eight nine ten [+eleven+]");
  assert.equal(said(shortened(differenceOf(`zero ${before} end`, `${before} eleven`))), "[-zero -]one two three four … seven eight nine ten [-end-][+eleven+]");
  assert.equal(said(shortened(differenceOf(before, before))), before, "where nothing changes nothing is left out");
});

test("a selection is of names, or of all but some", () => {
  let some = withToggled(newSelection(), "a");
  some = withRange(some, ["b", "c"]);
  assert.deepEqual([isSelected(some, "a"), isSelected(some, "d"), countOf(some, 10)], [true, false, 3]);
  some = withToggled(some, "b");
  assert.deepEqual(meantBy(some, { has: ["x"] }), { filter: {}, names: ["a", "c"] });
  const all = allSelected();
  assert.deepEqual(meantBy(all, { has: ["x"] }), { filter: { has: ["x"] }, names: [] });
  assert.deepEqual(meantBy(newSelection(), { has: ["x"] }), { filter: { has: ["x"] }, names: [] });
  const but = withToggled(all, "b");
  assert.deepEqual([isSelected(but, "a"), isSelected(but, "b"), countOf(but, 10)], [true, false, 9]);
  assert.deepEqual(meantBy(but, { has: ["x"] }, ["a", "b", "c"]), { filter: {}, names: ["a", "c"] });
  assert.equal(countOf(withRange(but, ["b"]), 10), 10);
});

test("tags are taken out and put in", () => {
  assert.deepEqual(tagsOf(" a,, b c \nd"), ["a", "b c", "d"]);
  assert.equal(withoutTag("a, b, a", 2), "a, b");
  assert.equal(withTag("a, b", "c"), "a, b, c");
  assert.equal(withTag("a, b,", "b, c"), "a, b, c");
  assert.equal(withTag("", "c"), "c");
  assert.equal(withTag("a, b", "b"), "a, b");
});

test("tokens are held to what a training reads", () => {
  assert.deepEqual([75, 76, 225, 226].map(lengthOf), [{ limit: 75, level: "" }, { limit: 150, level: "more" }, { limit: 225, level: "more" }, { limit: 225, level: "over" }]);
});

test("a tag is asked for, taken back, turned round", () => {
  const has = withTagAsked({ text: "x" }, "has", "a");
  assert.deepEqual(has, { text: "x", has: ["a"] });
  assert.deepEqual(withTagAsked(has, "has", "a"), { text: "x" });
  assert.deepEqual(withTagAsked(has, "lacks", "a"), { text: "x", lacks: ["a"] });
  const told = conditionsOf({ has: ["a", "b"], match: "any", similar: "1.png", text: "", alike: 10 });
  assert.deepEqual(told.map(({ word, value }) => [word, value]), [["has", "a"], ["has", "b"], ["similar", "1.png"]]);
  assert.deepEqual(told[0].without, { has: ["b"], match: "any", similar: "1.png", alike: 10 });
  assert.deepEqual(told[2].without, { has: ["a", "b"], match: "any", alike: 10 });
});

test("an edit is tried when it says enough", () => {
  const add = { required: ["kind", "tags"], properties: {} };
  assert.equal(isMeant(add, { kind: "add", tags: [] }), false);
  assert.equal(isMeant(add, { kind: "add", tags: ["a"] }), true);
  assert.equal(isMeant({ required: ["kind", "find"], properties: { find: {} } }, { kind: "text", find: "" }), false);
  assert.equal(isMeant({ required: ["kind"], properties: {} }, { kind: "tidy" }), true);
});

test("folders and tags are shown as they are looked for", () => {
  assert.deepEqual(shortPath("/home/me/sets/watch"), { name: "watch", above: "me/sets" });
  assert.deepEqual(shortPath("C:\\sets\\watch\\"), { name: "watch", above: "C:/sets" });
  const tags = [["watch", 9], ["Beach", 4], ["apple", 4]];
  assert.deepEqual(tagsShown(tags, "", false), tags);
  assert.deepEqual(tagsShown(tags, "", true).map(([tag]) => tag), ["apple", "Beach", "watch"]);
  assert.deepEqual(tagsShown(tags, "EA", false), [["Beach", 4]]);
});

test("folders are out of balance by pictures times repeats", () => {
  assert.equal(unevenOf([["", 30, 0]]), null);
  assert.equal(unevenOf([["a", 20, 0], ["b", 10, 0]]), null, "twice as often is still even");
  assert.deepEqual(unevenOf([["a", 21, 0], ["c", 12, 0], ["", 10, 0]]), { many: "a", few: "", times: 2.1 });
  assert.deepEqual(unevenOf([["10_dog", 5, 10], ["1_cat", 20, 1]]), { many: "10_dog", few: "1_cat", times: 2.5 });
  assert.equal(areRepeated([["10_dog", 5, 10], ["1_cat", 20, 1]]), true);
  assert.equal(areRepeated([["10_dog", 5, 0], ["", 20, 0]]), false);
  assert.equal(areRepeated([]), false);
});

test("pictures that are alike are one group, whether the report tells clusters or not", () => {
  const alike = (name, ...others) => ({ name, with_it: others });
  assert.deepEqual(groupsOf([]), []);
  const told = [alike("b", "a", "c"), alike("c", "a", "b"), alike("y", "x")];
  const names = (groups) => groups.map((group) => group.names);
  assert.deepEqual(names(groupsOf(told)), [["a", "b", "c"], ["x", "y"]]);
  const short = [alike("b", "a"), alike("c", "a"), alike("y", "x")];
  assert.deepEqual(names(groupsOf(short)), [["a", "b", "c"], ["x", "y"]]);
  assert.deepEqual(names(groupsOf([alike("b"), alike("c")], [["a", "b", "c"], ["m", "n"]])), [["a", "b", "c"]], "a cluster that nothing is found about does not count");
  assert.deepEqual(groupsOf(short)[0].findings.map(({ name }) => name), ["b", "c"]);
  const many = Array.from({ length: 20_000 }, (_, place) => alike(`${place + 1}`, `${place}`));
  assert.equal(groupsOf(many)[0].names.length, 20_001);
});
