// Which pixels does a brush touch on its way? A capsule from one point to the next: whole rows inside, a soft edge around.

import { boxAround, shared, wholeOf } from "./box.mjs";

/**
 * Draws from one point to another. brush: {radius in pixels, hardness 0 to 1, erases}. A pixel's centre is at its place + 0.5.
 * Going over the same place twice does not make it stronger. The box that was touched, or null.
 */
export function drawSegment(mask, from, to, { radius, hardness = 1, erases = false }) {
  const outer = radius + 0.5;
  const inner = Math.max(0, Math.min(radius - 0.5, radius * hardness));
  const box = shared(boxAround([from, to], outer + 1), wholeOf(mask));
  if (!box) return null;
  const measure = distanceTo(from, to);
  const cover = edge(inner, outer);
  for (let y = box.top; y < box.bottom; y += 1) {
    const whole = rowOf(from, to, outer, y + 0.5);
    if (!whole) continue;
    const left = Math.max(box.left, Math.floor(whole.left - 0.5));
    const right = Math.min(box.right, Math.ceil(whole.right + 0.5));
    const solid = inner > 0 ? rowOf(from, to, inner, y + 0.5) : null;
    const solidLeft = solid ? Math.max(left, Math.ceil(solid.left - 0.5)) : right;
    const solidRight = solid ? Math.max(solidLeft, Math.min(right, Math.floor(solid.right - 0.5) + 1)) : right;
    const row = y * mask.width;
    soften(mask.data, row, left, solidLeft, y, measure, cover, erases);
    if (solid) mask.data.fill(erases ? 0 : 255, row + Math.min(right, solidLeft), row + Math.min(right, solidRight));
    soften(mask.data, row, solidRight, right, y, measure, cover, erases);
  }
  return box;
}

/** How far apart two points of a stroke should be: closer ones show no difference. */
export function spacing(radius) {
  return Math.max(0.5, radius * 0.06);
}

/** A stroke's radius where the pen is pressed so hard; a mouse or a finger always has the whole one. */
export function pressedRadius(radius, pressure, isPen) {
  return isPen && pressure > 0 ? Math.max(0.5, radius * (0.15 + 0.85 * Math.min(1, pressure))) : radius;
}

function soften(data, row, left, right, y, measure, cover, erases) {
  for (let x = left; x < right; x += 1) {
    const value = Math.round(255 * cover(measure(x + 0.5, y + 0.5)));
    if (value === 0) continue;
    const at = row + x;
    data[at] = erases ? Math.min(data[at], 255 - value) : Math.max(data[at], value);
  }
}

function distanceTo(from, to) {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length = dx * dx + dy * dy || 1;
  return (x, y) => {
    const part = Math.min(1, Math.max(0, ((x - from.x) * dx + (y - from.y) * dy) / length));
    return Math.hypot(x - from.x - part * dx, y - from.y - part * dy);
  };
}

/** 1 inside, 0 outside; a wide edge is an S, so that no ring is seen. */
function edge(inner, outer) {
  const isWide = outer - inner > 2;
  return (distance) => {
    const part = Math.min(1, Math.max(0, (outer - distance) / (outer - inner)));
    return isWide ? part * part * (3 - 2 * part) : part;
  };
}

/** Where the row at `y` lies in the capsule: it is convex, so from its leftmost border to its rightmost. */
function rowOf(from, to, radius, y) {
  let left = Infinity;
  let right = -Infinity;
  const take = (a, b) => ((left = Math.min(left, a)), (right = Math.max(right, b)));
  for (const { x, y: middle } of [from, to]) {
    const half = radius * radius - (y - middle) * (y - middle);
    if (half >= 0) take(x - Math.sqrt(half), x + Math.sqrt(half));
  }
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  if (length > 0) {
    const nx = (-(to.y - from.y) / length) * radius;
    const ny = ((to.x - from.x) / length) * radius;
    for (const side of [1, -1]) {
      const a = { x: from.x + side * nx, y: from.y + side * ny };
      const b = { x: to.x + side * nx, y: to.y + side * ny };
      if (a.y === b.y || y < Math.min(a.y, b.y) || y > Math.max(a.y, b.y)) continue;
      const x = a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x);
      take(x, x);
    }
  }
  return left <= right ? { left, right } : null;
}
