// Does the mask canvas choose the pixels that it should? Strokes, outlines, floods, steps, files and views, without a browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inflateSync } from "node:zlib";

import { boxAround, joined, shared } from "../../javascript/atelier/canvas/box.mjs";
import { drawSegment, pressedRadius } from "../../javascript/atelier/canvas/brush.mjs";
import { flood, setRegion, similarTo, unbroken } from "../../javascript/atelier/canvas/flood.mjs";
import { makeGestures } from "../../javascript/atelier/canvas/gestures.mjs";
import { fillPolygon } from "../../javascript/atelier/canvas/lasso.mjs";
import { changeEach, coverage, fromPixels, newMask } from "../../javascript/atelier/canvas/mask.mjs";
import { makePainting, nextSize } from "../../javascript/atelier/canvas/painting.mjs";
import { maskFile } from "../../javascript/atelier/canvas/png.mjs";
import { makeSteps } from "../../javascript/atelier/canvas/tiles.mjs";
import { meaningOf, placeOf, sizeAt } from "../../javascript/atelier/canvas/tools.mjs";
import { fitted, panned, pinched, toPicture, toScreen, wheelFactor, zoomed } from "../../javascript/atelier/canvas/view.mjs";

const at = (mask, x, y) => mask.data[y * mask.width + x];
const sum = (mask) => coverage(mask) * mask.data.length;
const HARD = { hardness: 1 };

test("boxes are shared and joined", () => {
  const box = boxAround([{ x: 1.5, y: 2 }, { x: 4, y: 3.2 }], 1);
  assert.deepEqual(box, { left: 0, top: 1, right: 5, bottom: 5 });
  assert.equal(shared(box, { left: 5, top: 0, right: 9, bottom: 9 }), null);
  assert.deepEqual(shared(box, { left: 3, top: 0, right: 9, bottom: 2 }), { left: 3, top: 1, right: 5, bottom: 2 });
  assert.deepEqual(joined(null, box), box);
});

test("a dab is a disc of the brush's area, and stays within the mask", () => {
  const mask = newMask(64, 64);
  const box = drawSegment(mask, { x: 32, y: 32 }, { x: 32, y: 32 }, { radius: 10, ...HARD });
  assert.ok(Math.abs(sum(mask) - Math.PI * 100) < 6, `${sum(mask)}`);
  assert.equal(at(mask, 32, 32), 255);
  assert.equal(at(mask, 32, 21), 0);
  for (let y = 0; y < 64; y += 1) for (let x = 0; x < 64; x += 1) if (x < box.left || x >= box.right || y < box.top || y >= box.bottom) assert.equal(at(mask, x, y), 0);
  assert.equal(drawSegment(mask, { x: -50, y: -50 }, { x: -40, y: -50 }, { radius: 5 }), null);
});

test("a stroke is the same as the distance to its line says, pixel by pixel", () => {
  for (const [from, to, radius] of [[{ x: 8.3, y: 9.1 }, { x: 50.2, y: 30.7 }, 6.5], [{ x: 40, y: 5 }, { x: 12, y: 55 }, 3], [{ x: 5, y: 20 }, { x: 60, y: 20 }, 0.5], [{ x: 20, y: 4 }, { x: 20, y: 60 }, 9]]) {
    const mask = newMask(64, 64);
    drawSegment(mask, from, to, { radius, ...HARD });
    for (let y = 0; y < 64; y += 1) {
      for (let x = 0; x < 64; x += 1) {
        const length = (to.x - from.x) ** 2 + (to.y - from.y) ** 2;
        const part = Math.min(1, Math.max(0, ((x + 0.5 - from.x) * (to.x - from.x) + (y + 0.5 - from.y) * (to.y - from.y)) / length));
        const distance = Math.hypot(x + 0.5 - from.x - part * (to.x - from.x), y + 0.5 - from.y - part * (to.y - from.y));
        const expected = 255 * Math.min(1, Math.max(0, (radius + 0.5 - distance) / Math.min(1, radius + 0.5)));
        assert.ok(Math.abs(at(mask, x, y) - expected) <= 1.01, `${x},${y}: ${at(mask, x, y)} for ${expected}`);
      }
    }
  }
});

test("going over it twice changes nothing, and erasing takes all of it", () => {
  const mask = newMask(40, 40);
  const soft = { radius: 12, hardness: 0.2 };
  drawSegment(mask, { x: 10, y: 20 }, { x: 30, y: 20 }, soft);
  const once = mask.data.slice();
  drawSegment(mask, { x: 10, y: 20 }, { x: 30, y: 20 }, soft);
  assert.deepEqual(mask.data, once);
  assert.ok(at(mask, 20, 12) > 0 && at(mask, 20, 12) < at(mask, 20, 16));
  drawSegment(mask, { x: 10, y: 20 }, { x: 30, y: 20 }, { radius: 14, hardness: 1, erases: true });
  assert.equal(sum(mask), 0);
});

test("a pen pressed lightly draws thinly, a mouse never does", () => {
  assert.ok(pressedRadius(20, 0.2, true) < 8);
  assert.equal(pressedRadius(20, 1, true), 20);
  assert.equal(pressedRadius(20, 0.5, false), 20);
});

test("a lasso chooses what it encloses, loops too, and covers edges in part", () => {
  const mask = newMask(20, 20);
  fillPolygon(mask, [{ x: 2.5, y: 3 }, { x: 12.5, y: 3 }, { x: 12.5, y: 9 }, { x: 2.5, y: 9 }]);
  assert.equal(at(mask, 6, 5), 255);
  assert.ok(Math.abs(at(mask, 2, 5) - 128) <= 1 && Math.abs(at(mask, 12, 5) - 128) <= 1);
  assert.ok(Math.abs(sum(mask) - 60) < 0.5);
  const star = newMask(100, 100); // five points, drawn in one line: its middle is crossed twice
  fillPolygon(star, [0, 2, 4, 1, 3].map((step) => ({ x: 50 + 45 * Math.sin((step * 2 * Math.PI) / 5), y: 50 - 45 * Math.cos((step * 2 * Math.PI) / 5) })));
  assert.equal(at(star, 50, 50), 255);
  fillPolygon(star, [{ x: -9, y: -9 }, { x: 120, y: -9 }, { x: 120, y: 120 }, { x: -9, y: 120 }], { erases: true });
  assert.equal(sum(star), 0);
  assert.equal(fillPolygon(star, [{ x: 1, y: 1 }, { x: 5, y: 5 }]), null);
});

test("a flood stops at a painted ring and takes the ring's soft inner edge with it", () => {
  const mask = newMask(60, 60);
  for (let turn = 0; turn < 64; turn += 1) {
    const place = (step) => ({ x: 30 + 18 * Math.cos((step * Math.PI) / 32), y: 30 + 18 * Math.sin((step * Math.PI) / 32) });
    drawSegment(mask, place(turn), place(turn + 1), { radius: 2, ...HARD });
  }
  const found = flood(mask, 30, 30, unbroken(mask, 30, 30));
  setRegion(mask, found, false);
  assert.equal(at(mask, 30, 30), 255);
  assert.equal(at(mask, 2, 2), 0);
  for (let x = 12; x < 48; x += 1) assert.equal(at(mask, x, 30), 255, `column ${x}`);
  assert.equal(flood(mask, 99, 0, () => true).box, null);
});

test("a flood by colour takes what is like the pixel, and what is connected with it", () => {
  const width = 9;
  const data = new Uint8ClampedArray(4 * width).fill(255);
  [10, 12, 200, 14, 11, 10, 90, 10, 10].forEach((value, x) => data.fill(value, 4 * x, 4 * x + 3));
  const picture = { width, height: 1, data };
  const { region } = flood(picture, 0, 0, similarTo(picture, 0, 0, 5));
  assert.deepEqual([...region], [1, 1, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...flood(picture, 4, 0, similarTo(picture, 4, 0, 5)).region], [0, 0, 0, 1, 1, 1, 0, 0, 0]);
});

test("a flood of everything reaches every corner of a maze", () => {
  const width = 41;
  const walls = newMask(width, width);
  for (let y = 1; y < width; y += 2) for (let x = 0; x < width - 1; x += 1) walls.data[y * width + (y % 4 === 1 ? x : x + 1)] = 255;
  const { region } = flood(walls, 0, 0, unbroken(walls, 0, 0));
  const free = walls.data.filter((value) => value === 0).length;
  assert.equal(region.reduce((all, one) => all + one, 0), free);
});

test("a mask is read by its transparency where that has a use, else by its brightness", () => {
  const pixels = (values) => ({ width: values.length, height: 1, data: Uint8ClampedArray.from(values.flat()) });
  assert.deepEqual([...fromPixels(pixels([[255, 255, 255, 255], [0, 0, 0, 255], [255, 0, 0, 255]])).data], [255, 0, 76]);
  assert.deepEqual([...fromPixels(pixels([[255, 255, 255, 0], [0, 0, 0, 255], [9, 9, 9, 80]])).data], [0, 255, 80]);
});

test("steps lead back and forth to the bit, however large the mask", () => {
  const mask = newMask(700, 600);
  const steps = makeSteps(mask);
  const states = [mask.data.slice()];
  for (const [left, top] of [[10, 10], [250, 250], [690, 590]]) {
    const box = { left, top, right: left + 30, bottom: top + 30 };
    steps.touch(box);
    changeEach(mask, box, (value, place) => (place * 7) % 256);
    assert.ok(steps.commit());
    states.push(mask.data.slice());
  }
  assert.equal(steps.commit(), false);
  for (let back = 2; back >= 0; back -= 1) {
    assert.ok(steps.undo());
    assert.deepEqual(mask.data, states[back]);
  }
  assert.equal(steps.undo(), null);
  for (let on = 1; on <= 3; on += 1) {
    assert.ok(steps.redo());
    assert.deepEqual(mask.data, states[on]);
  }
  steps.undo();
  steps.touch({ left: 0, top: 0, right: 9, bottom: 9 });
  changeEach(mask, { left: 0, top: 0, right: 9, bottom: 9 }, () => 9);
  steps.commit();
  assert.equal(steps.canRedo, false);
});

test("the oldest steps are forgotten when they take too much", () => {
  const mask = newMask(256, 256);
  const steps = makeSteps(mask, 3 * 65536);
  for (let count = 0; count < 8; count += 1) {
    steps.touch({ left: 0, top: 0, right: 256, bottom: 256 });
    changeEach(mask, { left: 0, top: 0, right: 256, bottom: 256 }, (_, place) => (place + count) % 251);
    steps.commit();
  }
  let undone = 0;
  while (steps.undo()) undone += 1;
  assert.equal(undone, 3);
});

test("painting: a stroke, a straight line, an outline, a flood and all at once are a step each", () => {
  const painting = makePainting(newMask(80, 80));
  const brush = { tool: "brush", size: 6, hardness: 1, erases: false };
  painting.begin({ x: 10, y: 40 }, brush);
  painting.move([{ x: 20, y: 40 }, { x: 20.01, y: 40 }, { x: 40, y: 40 }]);
  painting.end();
  painting.begin({ x: 40, y: 10 }, brush, true);
  painting.end();
  assert.equal(at(painting.mask, 40, 25), 255);
  painting.begin({ x: 50, y: 50 }, { ...brush, tool: "lasso" });
  painting.move([{ x: 70, y: 50 }, { x: 70, y: 70 }, { x: 50, y: 70 }]);
  assert.equal(painting.outline.length, 4);
  painting.end();
  assert.equal(at(painting.mask, 60, 60), 255);
  painting.begin({ x: 60, y: 60 }, { ...brush, tool: "fill", erases: true });
  assert.equal(at(painting.mask, 60, 60), 0);
  assert.equal(at(painting.mask, 30, 40), 255);
  const before = painting.mask.data.slice();
  painting.whole("invert");
  painting.undo();
  assert.deepEqual(painting.mask.data, before);
  for (let step = 0; step < 4; step += 1) assert.ok(painting.undo());
  assert.equal(sum(painting.mask), 0);
  assert.equal(painting.undo(), null);
  painting.begin({ x: 10, y: 10 }, brush);
  painting.cancel();
  assert.equal(sum(painting.mask), 0);
});

test("another mask is added, taken away, shared or put in its place", () => {
  const painting = makePainting(newMask(2, 1));
  const set = (...values) => painting.mask.data.set(values);
  const other = { width: 2, height: 1, data: Uint8Array.from([200, 0]) };
  for (const [way, expected] of [["add", [200, 255]], ["subtract", [55, 255]], ["intersect", [100, 0]], ["replace", [200, 0]]]) {
    set(100, 255);
    painting.join(other, way);
    assert.deepEqual([...painting.mask.data], expected, way);
  }
});

test("a mask's file is a greyscale PNG with its bytes", async () => {
  const mask = newMask(5, 3);
  mask.data.set([0, 255, 7, 8, 9, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254]);
  const file = Buffer.from(await (await maskFile(mask)).arrayBuffer());
  assert.equal(file.toString("latin1", 12, 16), "IHDR");
  assert.deepEqual([file.readUInt32BE(16), file.readUInt32BE(20), file[24], file[25]], [5, 3, 8, 0]);
  const length = file.readUInt32BE(33);
  const rows = inflateSync(file.subarray(41, 41 + length));
  assert.deepEqual([...rows], [0, 0, 255, 7, 8, 9, 0, 1, 2, 3, 4, 5, 0, 250, 251, 252, 253, 254]);
  assert.equal(file.subarray(-12).toString("hex"), "0000000049454e44ae426082");
});

test("zooming keeps the place under the pointer, and a picture never gets lost", () => {
  const picture = { width: 4096, height: 2048 };
  const box = { width: 800, height: 600 };
  const view = fitted(picture, box, 0);
  assert.ok(Math.abs(view.scale - 800 / 4096) < 1e-9);
  const point = { x: 300, y: 280 };
  const before = toPicture(view, point);
  const near = zoomed(view, point, 5, picture, box);
  const after = toPicture(near, point);
  assert.ok(Math.abs(before.x - after.x) < 1e-6 && Math.abs(before.y - after.y) < 1e-6);
  assert.deepEqual(toScreen(near, toPicture(near, point)).x.toFixed(6), "300.000000");
  assert.equal(zoomed(near, point, 1e9, picture, box).scale, 32);
  const gone = panned(near, 1e6, -1e6, picture, box);
  assert.ok(gone.x < box.width && gone.y + picture.height * gone.scale > 0);
  assert.ok(wheelFactor({ deltaY: -100 }) > 1 && wheelFactor({ deltaY: 3, deltaMode: 1 }) < 1);
});

test("two fingers that part make it larger around their middle", () => {
  const picture = { width: 100, height: 100 };
  const box = { width: 100, height: 100 };
  const view = { scale: 1, x: 0, y: 0 };
  const next = pinched(view, [{ x: 40, y: 50 }, { x: 60, y: 50 }], [{ x: 30, y: 50 }, { x: 70, y: 50 }], picture, box);
  assert.ok(Math.abs(next.scale - 2) < 1e-9);
  assert.deepEqual(toPicture(next, { x: 50, y: 50 }), { x: 50, y: 50 });
});

test("gestures: a finger draws until a second one comes, a pen makes fingers move", () => {
  const told = [];
  const gestures = makeGestures({
    begin: (_, { erases }) => told.push(erases ? "begin erasing" : "begin"),
    move: (points) => told.push(`move ${points.length}`),
    end: () => told.push("end"), cancel: () => told.push("cancel"),
    pan: (dx, dy) => told.push(`pan ${dx} ${dy}`), pinch: () => told.push("pinch"), hover: () => {},
  });
  const finger = (id, x, y) => ({ id, type: "touch", x, y, pressure: 0.5, button: 0, buttons: 1 });
  const take = () => told.splice(0).join(", ");
  gestures.down(finger(1, 0, 0));
  gestures.move([finger(1, 1, 0), finger(1, 2, 0)]);
  gestures.down(finger(2, 9, 9));
  gestures.move([finger(2, 12, 9)]);
  gestures.up(finger(2, 12, 9));
  gestures.move([finger(1, 5, 0)]);
  gestures.up(finger(1, 5, 0));
  assert.equal(take(), "begin, move 2, cancel, pinch, pan 3 0");
  gestures.down({ id: 3, type: "pen", x: 0, y: 0, button: 5, buttons: 32 });
  assert.equal(gestures.down(finger(4, 50, 50)), false); // the palm
  gestures.up({ id: 3, type: "pen", x: 0, y: 0 });
  assert.equal(take(), "begin erasing, end");
  gestures.down(finger(5, 0, 0));
  gestures.move([finger(5, 4, 1)]);
  gestures.up(finger(5, 4, 1));
  assert.equal(take(), "pan 4 1");
  gestures.down({ id: 6, type: "mouse", x: 0, y: 0, button: 2, buttons: 2 });
  gestures.up({ id: 6, type: "mouse", x: 0, y: 0 }, true);
  assert.equal(take(), "begin erasing, cancel");
});

test("keys choose tools, sizes and what is done", () => {
  const key = (name, more = {}) => meaningOf({ key: name, ...more });
  assert.deepEqual(key("b"), { tool: "brush" });
  assert.deepEqual(key("["), { do: "thinner" });
  assert.deepEqual(key("ü", { code: "BracketLeft" }), { do: "thinner" });
  assert.deepEqual(key("Z", { ctrlKey: true, shiftKey: true }), { do: "redo" });
  assert.deepEqual(key("z", { metaKey: true }), { do: "undo" });
  assert.deepEqual(key("Delete"), { do: "clear" });
  assert.equal(key("q"), null);
  assert.equal(key("b", { ctrlKey: true }), null);
  assert.equal(sizeAt(placeOf(120, 2000), 2000), 120);
  assert.equal(nextSize(1, -1), 1);
  assert.ok(nextSize(100, 1) > 105 && nextSize(2, 1) === 3);
});
