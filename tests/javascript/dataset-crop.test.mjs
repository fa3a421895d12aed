// Is a crop drawn, moved and stretched by whole pixels inside of its picture?

import assert from "node:assert/strict";
import { test } from "node:test";
import { boxesOf, drawn, isWhole, keyed, moved, pixelsOf, resized, WHOLE, withBox } from "../../javascript/atelier/dataset/crop-box.mjs";

const SIZE = { width: 300, height: 200 };
const seen = (box) => Object.values(pixelsOf(box, SIZE));

test("a box is drawn from one corner to the other, whichever comes first, and never out of the picture", () => {
  assert.deepEqual(seen(drawn({ x: 30.4, y: 20 }, { x: 129.6, y: 99.6 }, SIZE)), [30, 20, 100, 80]);
  assert.deepEqual(seen(drawn({ x: 130, y: 100 }, { x: 30, y: 20 }, SIZE)), [30, 20, 100, 80]);
  assert.deepEqual(seen(drawn({ x: -50, y: 150 }, { x: 900, y: 900 }, SIZE)), [0, 150, 300, 50]);
  assert.deepEqual(seen(drawn({ x: 299, y: 100 }, { x: 299, y: 100 }, SIZE)), [292, 100, 8, 8], "there is always something in it");
  assert.deepEqual(Object.values(pixelsOf(drawn({ x: 1, y: 1 }, { x: 2, y: 2 }, { width: 4, height: 2 }), { width: 4, height: 2 })), [0, 0, 4, 2]);
});

test("a box is moved as far as the picture goes, and keeps its size", () => {
  const box = drawn({ x: 30, y: 20 }, { x: 130, y: 100 }, SIZE);
  assert.deepEqual(seen(moved(box, 7.4, -3, SIZE)), [37, 17, 100, 80]);
  assert.deepEqual(seen(moved(box, 999, 999, SIZE)), [200, 120, 100, 80]);
  assert.deepEqual(seen(moved(box, -999, 0, SIZE)), [0, 20, 100, 80]);
  assert.deepEqual(moved(WHOLE, 5, 5, SIZE), WHOLE);
});

test("held edges are moved, the others stay, and none passes the other", () => {
  const box = drawn({ x: 30, y: 20 }, { x: 130, y: 100 }, SIZE);
  assert.deepEqual(seen(resized(box, { x: -1, y: 0 }, 20, 50, SIZE)), [50, 20, 80, 80]);
  assert.deepEqual(seen(resized(box, { x: 1, y: 1 }, 20, -50, SIZE)), [30, 20, 120, 30]);
  assert.deepEqual(seen(resized(box, { x: -1, y: -1 }, 999, -999, SIZE)), [122, 0, 8, 100]);
  assert.deepEqual(seen(resized(box, { x: 1, y: 0 }, -999, 0, SIZE)), [30, 20, 8, 80]);
});

test("arrows move a box by a hundredth of the picture, and stretch it where Shift is held", () => {
  const box = drawn({ x: 30, y: 20 }, { x: 130, y: 100 }, SIZE);
  assert.deepEqual(seen(keyed(box, "ArrowRight", false, SIZE)), [33, 20, 100, 80]);
  assert.deepEqual(seen(keyed(box, "ArrowUp", false, SIZE)), [30, 17, 100, 80]);
  assert.deepEqual(seen(keyed(box, "ArrowLeft", true, SIZE)), [30, 20, 97, 80]);
  assert.deepEqual(seen(keyed(box, "ArrowDown", true, SIZE)), [30, 20, 100, 83]);
  assert.deepEqual(seen(keyed(WHOLE, "ArrowLeft", true, SIZE)), [0, 0, 297, 200], "a frame around all of it becomes a crop");
  assert.equal(keyed(box, "Enter", false, SIZE), null);
});

test("whatever is done, the box lies in the picture on whole pixels", () => {
  let seed = 11;
  const next = (most) => (seed = (seed * 48271) % 2147483647) % most;
  for (let round = 0; round < 400; round += 1) {
    const size = { width: 1 + next(40), height: 1 + next(40) };
    const point = () => ({ x: next(800) / 10 - 20, y: next(800) / 10 - 20 });
    let box = drawn(point(), point(), size);
    for (let step = 0; step < 4; step += 1) {
      box = next(2) ? moved(box, point().x, point().y, size) : resized(box, { x: next(3) - 1, y: next(3) - 1 }, point().x, point().y, size);
      const { left, top, width, height } = pixelsOf(box, size);
      assert.ok(left >= 0 && top >= 0 && width > 0 && height > 0 && left + width <= size.width && top + height <= size.height, JSON.stringify({ box, size }));
      assert.ok(Math.abs(box.left * size.width - left) < 1e-9 && Math.abs(box.bottom * size.height - top - height) < 1e-9);
    }
  }
});

test("boxes are of the pictures that are prepared, and one around all of a picture is none", () => {
  const box = { left: 0, top: 0, right: 0.5, bottom: 1 };
  const boxes = withBox(withBox(undefined, "a.png", box), "in/b.png", box);
  assert.deepEqual(Object.keys(boxes), ["a.png", "in/b.png"]);
  assert.deepEqual(withBox(boxes, "a.png", null), { "in/b.png": box });
  assert.deepEqual(withBox(boxes, "a.png", WHOLE), { "in/b.png": box });
  assert.ok(isWhole(WHOLE) && !isWhole(box));
  assert.deepEqual(boxesOf(boxes, ["a.png"]), { "in/b.png": box });
  assert.deepEqual(boxesOf(boxes, [], false), { "a.png": box });
  assert.deepEqual(boxesOf(undefined, undefined), {});
});
