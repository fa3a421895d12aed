// Which pixels lie inside a line drawn around them? Rows of the polygon, each looked at four times for a smooth edge.

import { boxAround, shared, wholeOf } from "./box.mjs";

const LOOKS = 4; // per row

/**
 * Chooses what the closed line encloses, loops in it as well (nonzero winding); `erases` takes it away. points: [{x, y}] in pixels.
 * The box that was touched, or null.
 */
export function fillPolygon(mask, points, { erases = false } = {}) {
  if (points.length < 3) return null;
  const box = shared(boxAround(points, 1), wholeOf(mask));
  if (!box) return null;
  const edges = edgesOf(points);
  const cover = new Float32Array(box.right - box.left + 1);
  for (let y = box.top; y < box.bottom; y += 1) {
    cover.fill(0);
    for (let look = 0; look < LOOKS; look += 1) addRow(cover, box, edges, y + (look + 0.5) / LOOKS);
    const row = y * mask.width;
    for (let x = box.left; x < box.right; x += 1) {
      const value = Math.min(255, Math.round((255 / LOOKS) * cover[x - box.left]));
      if (value === 0) continue;
      mask.data[row + x] = erases ? Math.min(mask.data[row + x], 255 - value) : Math.max(mask.data[row + x], value);
    }
  }
  return box;
}

function edgesOf(points) {
  return points
    .map((from, place) => [from, points[(place + 1) % points.length]])
    .filter(([from, to]) => from.y !== to.y)
    .map(([from, to]) => ({ top: Math.min(from.y, to.y), bottom: Math.max(from.y, to.y), x: from.x, y: from.y, slope: (to.x - from.x) / (to.y - from.y), turn: from.y < to.y ? 1 : -1 }));
}

function addRow(cover, box, edges, y) {
  const crossings = [];
  for (const edge of edges) if (y >= edge.top && y < edge.bottom) crossings.push({ x: edge.x + (y - edge.y) * edge.slope, turn: edge.turn });
  crossings.sort((a, b) => a.x - b.x);
  let winding = 0;
  crossings.forEach(({ x, turn }, place) => {
    winding += turn;
    if (winding !== 0 && place + 1 < crossings.length) addSpan(cover, x - box.left, crossings[place + 1].x - box.left, box.right - box.left);
  });
}

/** Adds how much of each pixel lies between two places of a row. */
function addSpan(cover, from, to, width) {
  const left = Math.max(0, from);
  const right = Math.min(width, to);
  if (right <= left) return;
  const first = Math.floor(left);
  const last = Math.floor(right);
  if (first === last) {
    cover[first] += right - left;
    return;
  }
  cover[first] += first + 1 - left;
  for (let x = first + 1; x < last; x += 1) cover[x] += 1;
  cover[last] += right - last;
}
