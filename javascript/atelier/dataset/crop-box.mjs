// Which part of a picture is kept? A box, as shares of the width and height from the upper left, whose edges lie between pixels.

const LEAST = 8; // pixels of a side, where the picture has as many
const STEPS = 100; // by keys from one edge of the picture to the other
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** All of it. */
export const WHOLE = { left: 0, top: 0, right: 1, bottom: 1 };

export function isWhole({ left, top, right, bottom }) {
  return left <= 0 && top <= 0 && right >= 1 && bottom >= 1;
}

/** {left, top, width, height} in pixels of a picture of that size. */
export function pixelsOf(box, size) {
  const [left, right] = edgesOf(box.left, box.right, size.width);
  const [top, bottom] = edgesOf(box.top, box.bottom, size.height);
  return { left, top, width: right - left, height: bottom - top };
}

/** The box from one point to another, {x, y} in pixels. */
export function drawn(from, to, size) {
  const across = spanned(from.x, to.x, size.width);
  const down = spanned(from.y, to.y, size.height);
  return boxOf(across, down, size);
}

/** The box so many pixels further, as far as the picture goes. */
export function moved(box, x, y, size) {
  return boxOf(shifted(edgesOf(box.left, box.right, size.width), x, size.width), shifted(edgesOf(box.top, box.bottom, size.height), y, size.height), size);
}

/** The box with the held edges so many pixels further. `handle`: {x, y}; -1 holds the left or upper edge, 1 the other, 0 none. */
export function resized(box, handle, x, y, size) {
  return boxOf(stretched(edgesOf(box.left, box.right, size.width), handle.x, x, size.width), stretched(edgesOf(box.top, box.bottom, size.height), handle.y, y, size.height), size);
}

/** The box after an arrow key, which moves it, or its right and lower edges where `isResizing`; null after any other key. */
export function keyed(box, key, isResizing, size) {
  if (!(key in KEYS)) return null;
  const step = Math.max(1, Math.round(Math.max(size.width, size.height) / STEPS));
  const [x, y] = KEYS[key].map((way) => way * step);
  return isResizing ? resized(box, { x: Math.abs(Math.sign(x)), y: Math.abs(Math.sign(y)) }, x, y, size) : moved(box, x, y, size);
}

/** The boxes of pictures that are prepared: of none that is left out, and of none in a folder below where those are not looked into. */
export function boxesOf(boxes = {}, leftOut = [], nested = true) {
  return Object.fromEntries(Object.entries(boxes).filter(([name]) => !leftOut.includes(name) && (nested || !name.includes("/"))));
}

/** The boxes with that of one picture, or without it where it is null or all of the picture. */
export function withBox(boxes = {}, name, box) {
  const { [name]: _, ...others } = boxes;
  return box && !isWhole(box) ? { ...others, [name]: box } : others;
}

function edgesOf(from, to, length) {
  const first = Math.min(length - 1, Math.round(from * length));
  return [first, Math.max(first + 1, Math.round(to * length))];
}

function boxOf([left, right], [top, bottom], { width, height }) {
  return { left: left / width, top: top / height, right: right / width, bottom: bottom / height };
}

function spanned(from, to, length) {
  const least = Math.min(LEAST, length);
  const first = clamped(Math.round(Math.min(from, to)), 0, length - least);
  return [first, clamped(Math.round(Math.max(from, to)), first + least, length)];
}

function shifted([first, last], by, length) {
  const start = clamped(Math.round(first + by), 0, length - (last - first));
  return [start, start + (last - first)];
}

function stretched([first, last], held, by, length) {
  const least = Math.min(LEAST, last - first); // one that is smaller already may stay so
  if (held < 0) return [clamped(Math.round(first + by), 0, last - least), last];
  if (held > 0) return [first, clamped(Math.round(last + by), first + least, length)];
  return [first, last];
}

function clamped(value, least, most) {
  return Math.max(least, Math.min(most, value));
}
