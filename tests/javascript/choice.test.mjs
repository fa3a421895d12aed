// Does a choice hold what was picked, turned down and meant? By keys as by clicks.

import assert from "node:assert/strict";
import { test } from "node:test";

import { bestOf, decided, isComplete, newChoice, rejected, stepped, toggled } from "../../javascript/atelier/review/choice.mjs";

test("one that is wanted takes the place of another; of any number all stay", () => {
  let one = toggled(newChoice(), 2, 1);
  one = toggled(one, 4, 1);
  assert.deepEqual(one.picks, [4]);
  assert.deepEqual(toggled(one, 4, 1).picks, []);
  assert.deepEqual(toggled(toggled(newChoice(), 2, 0), 4, 0).picks, [2, 4]);
  assert.deepEqual(toggled(toggled(toggled(newChoice(), 2, 2), 4, 2), 1, 2).picks, [4, 1]);
});

test("what is turned down is not picked, and what is picked not turned down", () => {
  const choice = rejected(toggled(newChoice(), 3, 0), 3);
  assert.deepEqual([choice.picks, choice.rejects], [[], [3]]);
  assert.deepEqual(toggled(choice, 3, 0).rejects, []);
  assert.deepEqual(rejected(choice, 3).rejects, []);
});

test("what goes on: the picked, else the rest, else the focused one", () => {
  assert.deepEqual(decided({ picks: [3, 1], rejects: [2], at: 0 }, 4, 0).numbers, [1, 3]);
  assert.deepEqual(decided({ picks: [], rejects: [2], at: 1 }, 4, 0).numbers, [1, 3, 4]);
  assert.deepEqual(decided({ picks: [], rejects: [], at: 2 }, 4, 1).numbers, [3]);
  assert.equal(isComplete(decided({ picks: [], rejects: [2], at: 0 }, 4, 1)), false);
  assert.equal(isComplete(decided({ picks: [1, 2], rejects: [], at: 0 }, 2, 3)), true); // three are wanted, there are two
  assert.equal(isComplete(decided({ picks: [], rejects: [1, 2], at: 0 }, 2, 0)), false);
});

test("arrows stay within the grid", () => {
  assert.equal(stepped(0, "ArrowRight", 5, 3), 1);
  assert.equal(stepped(1, "ArrowDown", 5, 3), 4);
  assert.equal(stepped(2, "ArrowDown", 5, 3), 2);
  assert.equal(stepped(0, "ArrowLeft", 5, 3), 0);
  assert.equal(stepped(3, "Home", 5, 3), 0);
  assert.equal(stepped(3, "q", 5, 3), 3);
});

test("the best are marked where scores differ", () => {
  const picture = (number, overall) => ({ number, facts: overall === null ? {} : { overall } });
  assert.deepEqual(bestOf([picture(1, 0.2), picture(2, 0.9), picture(3, 0.9)]), [2, 3]);
  assert.deepEqual(bestOf([picture(1, 0.5), picture(2, 0.5)]), []);
  assert.deepEqual(bestOf([picture(1, null), picture(2, null)]), []);
});
