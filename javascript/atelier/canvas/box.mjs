// Which part of a picture is meant? A rectangle of whole pixels: left and top belong to it, right and bottom do not.

/** {left, top, right, bottom} of what lies between the points, `beyond` pixels more on each side. */
export function boxAround(points, beyond = 0) {
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  return {
    left: Math.floor(Math.min(...xs) - beyond),
    top: Math.floor(Math.min(...ys) - beyond),
    right: Math.ceil(Math.max(...xs) + beyond),
    bottom: Math.ceil(Math.max(...ys) + beyond),
  };
}

/** The box of a whole mask or picture. */
export function wholeOf({ width, height }) {
  return { left: 0, top: 0, right: width, bottom: height };
}

/** What both have; null where that is nothing. */
export function shared(a, b) {
  if (!a || !b) return null;
  const box = { left: Math.max(a.left, b.left), top: Math.max(a.top, b.top), right: Math.min(a.right, b.right), bottom: Math.min(a.bottom, b.bottom) };
  return box.left < box.right && box.top < box.bottom ? box : null;
}

/** The smallest box that holds both; null is nothing. */
export function joined(a, b) {
  if (!a || !b) return a ?? b ?? null;
  return { left: Math.min(a.left, b.left), top: Math.min(a.top, b.top), right: Math.max(a.right, b.right), bottom: Math.max(a.bottom, b.bottom) };
}
