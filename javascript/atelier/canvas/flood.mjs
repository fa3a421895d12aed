// Which pixels belong to the place that was clicked? Those that are reached from it without crossing a border.

import { joined } from "./box.mjs";

/** Every pixel that is connected with (x, y) and for which `isInside(place)` holds: {region: Uint8Array of 0 and 1, box}; box null: none. */
export function flood({ width, height }, x, y, isInside) {
  const region = new Uint8Array(width * height);
  if (x < 0 || y < 0 || x >= width || y >= height || !isInside(y * width + x)) return { region, box: null };
  const left = [x];
  const rows = [y];
  let box = null;
  const isFree = (at) => region[at] === 0 && isInside(at);
  while (left.length > 0) {
    const row = rows.pop();
    const base = row * width;
    let from = left.pop();
    if (!isFree(base + from)) continue;
    let to = from;
    while (from > 0 && isFree(base + from - 1)) from -= 1;
    while (to + 1 < width && isFree(base + to + 1)) to += 1;
    region.fill(1, base + from, base + to + 1);
    box = joined(box, { left: from, top: row, right: to + 1, bottom: row + 1 });
    for (const next of [row - 1, row + 1]) {
      if (next < 0 || next >= height) continue;
      let wasFree = false;
      for (let at = next * width + from, end = next * width + to; at <= end; at += 1) {
        const free = isFree(at);
        if (free && !wasFree) {
          left.push(at - next * width);
          rows.push(next);
        }
        wasFree = free;
      }
    }
  }
  return { region, box };
}

/** Inside is what looks like the pixel at (x, y): no channel differs by more than `tolerance` (0 to 255). pixels: RGBA. */
export function similarTo({ width, data }, x, y, tolerance) {
  const from = 4 * (y * width + x);
  const [r, g, b, a] = [data[from], data[from + 1], data[from + 2], data[from + 3]];
  return (at) => {
    const i = 4 * at;
    return Math.abs(data[i] - r) <= tolerance && Math.abs(data[i + 1] - g) <= tolerance && Math.abs(data[i + 2] - b) <= tolerance && Math.abs(data[i + 3] - a) <= tolerance;
  };
}

/** Inside is what the mask has on the same side as (x, y): chosen, or not. Painted lines are the border. */
export function unbroken({ width, data }, x, y) {
  const isChosen = data[y * width + x] >= 128;
  return (at) => data[at] >= 128 === isChosen;
}

/** Sets a region of the mask, with the half-chosen pixels beside it: the soft edge of a line must not stay as a ring. The box it touched. */
export function setRegion(mask, { region, box }, erases) {
  if (!box) return null;
  const { width, height, data } = mask;
  const value = erases ? 0 : 255;
  const wide = { left: Math.max(0, box.left - 1), top: Math.max(0, box.top - 1), right: Math.min(width, box.right + 1), bottom: Math.min(height, box.bottom + 1) };
  for (let y = wide.top; y < wide.bottom; y += 1) {
    for (let x = wide.left; x < wide.right; x += 1) {
      const at = y * width + x;
      if (region[at] === 1) data[at] = value;
      else if (data[at] > 0 && data[at] < 255 && touches(region, width, height, x, y)) data[at] = value;
    }
  }
  return wide;
}

function touches(region, width, height, x, y) {
  const at = y * width + x;
  return (x > 0 && region[at - 1] === 1) || (x + 1 < width && region[at + 1] === 1) || (y > 0 && region[at - width] === 1) || (y + 1 < height && region[at + width] === 1);
}
