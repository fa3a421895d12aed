// What was the mask before? Only the squares of it that a step changes are kept, and plain ones as one number.

import { joined, shared, wholeOf } from "./box.mjs";

const SIDE = 256; // pixels of a square
const MOST = 192 * 2 ** 20; // bytes that all steps together may take; the oldest are forgotten

/**
 * Steps of a mask. touch(box) before it is changed there; commit() ends the step, cancel() takes it back;
 * undo(), redo(), cancel() answer the box that has changed, or null.
 */
export function makeSteps(mask, most = MOST) {
  const across = Math.ceil(mask.width / SIDE);
  let open = new Map(); // square's number → what was in it
  let past = [];
  let future = [];

  const boxOf = (number) => {
    const left = (number % across) * SIDE;
    const top = Math.floor(number / across) * SIDE;
    return shared({ left, top, right: left + SIDE, bottom: top + SIDE }, wholeOf(mask));
  };
  /** Puts the step's squares into the mask; the step that leads back. */
  const swap = (step) => {
    const back = new Map();
    for (const [number, content] of step) {
      back.set(number, copied(mask, boxOf(number)));
      written(mask, boxOf(number), content);
    }
    return back;
  };
  const boxes = (step) => [...step.keys()].reduce((box, number) => joined(box, boxOf(number)), null);

  return {
    touch(box) {
      const part = shared(box, wholeOf(mask));
      if (!part) return;
      for (let row = Math.floor(part.top / SIDE); row * SIDE < part.bottom; row += 1) {
        for (let column = Math.floor(part.left / SIDE); column * SIDE < part.right; column += 1) {
          const number = row * across + column;
          if (!open.has(number)) open.set(number, copied(mask, boxOf(number)));
        }
      }
    },
    commit() {
      if (open.size === 0) return false;
      past = fitting([...past, open], most);
      future = [];
      open = new Map();
      return true;
    },
    cancel() {
      const box = boxes(open);
      swap(open);
      open = new Map();
      return box;
    },
    undo() {
      const step = past.pop();
      if (!step) return null;
      future.push(swap(step));
      return boxes(step);
    },
    redo() {
      const step = future.pop();
      if (!step) return null;
      past.push(swap(step));
      return boxes(step);
    },
    get canUndo() {
      return past.length > 0;
    },
    get canRedo() {
      return future.length > 0;
    },
  };
}

/** The content of a box: its bytes, or the one number that all of them are. */
function copied(mask, box) {
  const width = box.right - box.left;
  const bytes = new Uint8Array(width * (box.bottom - box.top));
  for (let y = box.top; y < box.bottom; y += 1) {
    const from = y * mask.width + box.left;
    bytes.set(mask.data.subarray(from, from + width), (y - box.top) * width);
  }
  return bytes.every((value) => value === bytes[0]) ? bytes[0] : bytes;
}

function written(mask, box, content) {
  const width = box.right - box.left;
  for (let y = box.top; y < box.bottom; y += 1) {
    const to = y * mask.width + box.left;
    if (typeof content === "number") mask.data.fill(content, to, to + width);
    else mask.data.set(content.subarray((y - box.top) * width, (y - box.top + 1) * width), to);
  }
}

/** The newest steps that fit, the last one in any case. */
function fitting(steps, most) {
  const kept = steps.slice();
  const size = (step) => [...step.values()].reduce((sum, content) => sum + (typeof content === "number" ? 8 : content.length), 0);
  let sum = kept.reduce((all, step) => all + size(step), 0);
  while (kept.length > 1 && sum > most) sum -= size(kept.shift());
  return kept;
}
