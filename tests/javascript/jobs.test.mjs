// Is what jobs tell put together rightly, and drawn where it belongs?

import assert from "node:assert/strict";
import { test } from "node:test";
import { isEnded, partOf, thinned, withNews } from "../../javascript/atelier/jobs/account.mjs";
import { nearest, pathOf, scaleOf, shortNumber, smoothed } from "../../javascript/atelier/jobs/scale.mjs";

const JOB = { state: "queued", before: 2, lines: ["a"], points: { loss: [[1, 2]] }, pictures: [], progress: null };

test("news are added to what is known, and replace how it stands", () => {
  const job = withNews(JOB, { state: "running", lines: ["b"], points: { loss: [[2, 1]], rate: [[1, 0.1]] }, progress: { done: 1, total: 4 } });
  assert.deepEqual(job.lines, ["a", "b"]);
  assert.deepEqual(job.points, { loss: [[1, 2], [2, 1]], rate: [[1, 0.1]] });
  assert.equal(job.state, "running");
  assert.equal(job.before, null);
  assert.deepEqual(JOB.lines, ["a"]);
});

test("a million points become few, with the first and the last", () => {
  const points = thinned(Array.from({ length: 100_000 }, (_, x) => [x, 1]));
  assert.ok(points.length <= 402 && points.length >= 400);
  assert.deepEqual(points[0], [0, 1]);
  assert.deepEqual(points.at(-1), [99_999, 1]);
});

test("a log keeps its last lines", () => {
  const job = withNews(JOB, { lines: Array.from({ length: 1000 }, (_, line) => String(line)) });
  assert.equal(job.lines.length, 400);
  assert.equal(job.lines.at(-1), "999");
});

test("how much is done is a part, or not known", () => {
  assert.equal(partOf({ done: 1, total: 4 }), 0.25);
  assert.equal(partOf({ done: 9, total: 4 }), 1);
  assert.equal(partOf({ done: 9 }), null);
  assert.equal(partOf(null), null);
});

test("what waits or works has not ended", () => {
  assert.deepEqual(["queued", "running", "done", "failed", "cancelled", "interrupted"].map((state) => isEnded({ state })), [false, false, true, true, true, true]);
});

test("a plot's ends are round and hold every point", () => {
  const scale = scaleOf({ loss: [[0, 0.13], [100, 0.07]] }, { width: 600, height: 100 });
  assert.equal(scale.x(0), 0);
  assert.equal(scale.x(100), 600);
  assert.ok(scale.low <= 0.07 && scale.high >= 0.13);
  assert.ok(scale.y(0.13) >= 0 && scale.y(0.07) <= 100 && scale.y(0.13) < scale.y(0.07));
  assert.match(pathOf([[0, 0.13], [100, 0.07]], scale), /^M0\.0 [\d.]+L600\.0 [\d.]+$/);
});

test("a constant has a place, too", () => {
  const scale = scaleOf({ loss: [[1, 2], [1, 2]] }, { width: 600, height: 100 });
  assert.ok(Number.isFinite(scale.x(1)) && Number.isFinite(scale.y(2)));
});

test("smoothing a constant changes nothing, from the first point on", () => {
  const points = [[0, 3], [1, 3], [2, 3]];
  for (const [, y] of smoothed(points)) assert.ok(Math.abs(y - 3) < 1e-9);
});

test("numbers are short", () => {
  assert.deepEqual([0, 0.12345, 12345, 1234567, 0.0000123, -2.5].map(shortNumber), ["0", "0.123", "12300", "1.2e6", "1.2e-5", "-2.5"]);
});

test("the nearest point is found", () => {
  assert.deepEqual(nearest([[0, 1], [10, 2], [20, 3]], 12), [10, 2]);
  assert.equal(nearest([], 1), null);
});
