// Are the rows there that are in sight, and is the room of all others kept?

import assert from "node:assert/strict";
import { test } from "node:test";

import { rowsInSight } from "../../javascript/atelier/in-sight.mjs";

const ROWS = { rows: 100, height: 50, window: 500 };

test("before anything was measured there are some", () => {
  assert.deepEqual(rowsInSight({ ...ROWS, height: 0, top: 0 }), { first: 0, last: 6, above: 0, below: 0 });
  assert.equal(rowsInSight({ rows: 2, height: 0, top: 0, window: 500 }).last, 2);
});

test("what is in sight is there, two rows beyond as well, and the list stays as tall as it is", () => {
  for (const top of [9000, 400, 0, -10, -1234, -4500, -4990, -20_000]) {
    const { first, last, above, below } = rowsInSight({ ...ROWS, top });
    assert.ok(first < last, `${top}`);
    assert.equal(above + (last - first) * 50 + below, 5000);
    for (let row = 0; row < 100; row += 1) {
      const at = top + row * 50;
      if (at + 50 > 0 && at < 500) assert.ok(row >= first && row < last, `row ${row} at ${top}`);
    }
    assert.ok(last - first <= 15);
  }
  assert.deepEqual(rowsInSight({ ...ROWS, top: -1000 }), { first: 18, last: 32, above: 900, below: 3400 });
});

test("of nothing nothing is there", () => {
  assert.deepEqual(rowsInSight({ rows: 0, height: 50, top: 0, window: 500 }), { first: 0, last: 0, above: 0, below: 0 });
});
