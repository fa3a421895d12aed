// Where on the screen is which pixel? A view is {scale, x, y}: a picture's point p is shown at p · scale + (x, y).

const LARGEST = 32; // screen pixels for one of the picture
const KEPT = 48; // screen pixels of the picture that stay in sight

/** The view that shows all of a picture in the middle of a box, never larger than `most` times. */
export function fitted(picture, box, margin = 16, most = 8) {
  const room = (side) => Math.max(1, box[side] - 2 * margin);
  const scale = Math.min(most, room("width") / picture.width, room("height") / picture.height);
  return { scale, x: (box.width - picture.width * scale) / 2, y: (box.height - picture.height * scale) / 2 };
}

export function toPicture(view, { x, y }) {
  return { x: (x - view.x) / view.scale, y: (y - view.y) / view.scale };
}

export function toScreen(view, { x, y }) {
  return { x: x * view.scale + view.x, y: y * view.scale + view.y };
}

/** The view `factor` times larger; what is at the screen's point stays there. */
export function zoomed(view, point, factor, picture, box) {
  const least = Math.min(1, fitted(picture, box).scale / 2);
  const scale = Math.min(LARGEST, Math.max(least, view.scale * factor));
  const here = toPicture(view, point);
  return kept({ scale, x: point.x - here.x * scale, y: point.y - here.y * scale }, picture, box);
}

/** The view moved by so many screen pixels. */
export function panned(view, dx, dy, picture, box) {
  return kept({ ...view, x: view.x + dx, y: view.y + dy }, picture, box);
}

/** The view after two fingers have moved from two points to two others. */
export function pinched(view, [a, b], [c, d], picture, box) {
  const middle = (p, q) => ({ x: (p.x + q.x) / 2, y: (p.y + q.y) / 2 });
  const apart = (p, q) => Math.max(1, Math.hypot(p.x - q.x, p.y - q.y));
  const [before, after] = [middle(a, b), middle(c, d)];
  const larger = zoomed(view, before, apart(c, d) / apart(a, b), picture, box);
  return panned(larger, after.x - before.x, after.y - before.y, picture, box);
}

/** A wheel's turn as a factor; pages and lines turn more than pixels. */
export function wheelFactor({ deltaY, deltaMode = 0, ctrlKey = false }) {
  const pixels = deltaY * ([1, 16, 400][deltaMode] ?? 1);
  return Math.exp(-Math.max(-240, Math.min(240, pixels)) * (ctrlKey ? 0.01 : 0.0022));
}

/** The part of the picture that is in sight of a box on the screen, or all of it. */
export function seen(view, box) {
  const from = toPicture(view, { x: box.left, y: box.top });
  const to = toPicture(view, { x: box.right, y: box.bottom });
  return { left: Math.floor(from.x), top: Math.floor(from.y), right: Math.ceil(to.x), bottom: Math.ceil(to.y) };
}

/** A part of the picture as a box of whole screen pixels. */
export function shownAt(view, box) {
  const from = toScreen(view, { x: box.left, y: box.top });
  const to = toScreen(view, { x: box.right, y: box.bottom });
  return { left: Math.floor(from.x) - 1, top: Math.floor(from.y) - 1, right: Math.ceil(to.x) + 1, bottom: Math.ceil(to.y) + 1 };
}

/** A picture never leaves the box wholly. */
function kept(view, picture, box) {
  const hold = (at, size, room) => Math.min(room - KEPT, Math.max(KEPT - size * view.scale, at));
  return { ...view, x: hold(view.x, picture.width, box.width), y: hold(view.y, picture.height, box.height) };
}
