// What is a mask while it is edited? One byte for each pixel, 255 is chosen; and how it is read from pixels with colours.

import { shared, wholeOf } from "./box.mjs";

/** {width, height, data}: a mask in which everything has `value`. */
export function newMask(width, height, value = 0) {
  return { width, height, data: new Uint8Array(width * height).fill(value) };
}

/** The mask in RGBA pixels, as the server reads one: its transparency where that has a use, else its brightness. */
export function fromPixels({ width, height, data }) {
  const mask = newMask(width, height);
  const hasAlpha = usesAlpha(data);
  for (let at = 0, from = 0; at < mask.data.length; at += 1, from += 4) {
    mask.data[at] = hasAlpha ? data[from + 3] : (data[from] * 19595 + data[from + 1] * 38470 + data[from + 2] * 7471 + 32768) >> 16;
  }
  return mask;
}

/** How much is chosen, 0 to 1. */
export function coverage({ data }) {
  let sum = 0;
  for (let at = 0; at < data.length; at += 1) sum += data[at];
  return sum / (255 * data.length);
}

/** Changes each pixel of `box` to how(value, place); the part that lies in the mask, or null. */
export function changeEach(mask, box, how) {
  const part = shared(box, wholeOf(mask));
  if (!part) return null;
  for (let y = part.top; y < part.bottom; y += 1) {
    for (let at = y * mask.width + part.left, end = y * mask.width + part.right; at < end; at += 1) mask.data[at] = how(mask.data[at], at);
  }
  return part;
}

/** Ways of bringing another mask of the same size into this one: (value here, value there) → value. */
export const JOIN = {
  add: (here, there) => Math.max(here, there),
  subtract: (here, there) => Math.min(here, 255 - there),
  intersect: (here, there) => Math.min(here, there),
  replace: (here, there) => there,
};

function usesAlpha(data) {
  for (let at = 3; at < data.length; at += 4) if (data[at] !== 255) return true;
  return false;
}
