// How do picture and mask come onto the screen? Only what has changed is drawn, in as many pixels as the screen has, whatever the picture's size.

import { joined, shared, wholeOf } from "./box.mjs";
import { seen, shownAt } from "./view.mjs";

const DENSEST = 2; // screen pixels for one of CSS

/**
 * Draws onto a canvas element. `set({view, bitmaps, mask, other, alone})` says what: bitmaps are the picture, each half as large as the one before;
 * `other` a second mask that is only shown; `alone` shows the mask without the picture. `look(box)` draws a part of the picture anew soon, or all.
 */
export function makeScreen(canvas) {
  const paper = canvas.getContext("2d", { alpha: false });
  const tint = document.createElement("canvas");
  const tintPaper = tint.getContext("2d");
  let shown = { view: null, bitmaps: [], mask: null, other: null, alone: false, colours: { mask: [255, 45, 95], other: [0, 170, 255], ground: "#ddd" } };
  let dirty = null; // on the screen, in device pixels
  let isAsked = false;
  let density = 1;

  function draw() {
    isAsked = false;
    const part = shared(dirty, wholeOf(canvas));
    dirty = null;
    if (!part || !shown.view || !shown.mask) return;
    const view = { scale: shown.view.scale * density, x: shown.view.x * density, y: shown.view.y * density };
    paper.save();
    paper.beginPath();
    paper.rect(part.left, part.top, part.right - part.left, part.bottom - part.top);
    paper.clip();
    paper.fillStyle = shown.colours.ground;
    paper.fillRect(part.left, part.top, part.right - part.left, part.bottom - part.top);
    if (!shown.alone) drawPicture(paper, shown.bitmaps, view, part);
    drawTint(part, view);
    paper.restore();
  }

  function drawTint(part, view) {
    const inside = shared(part, shownAt(view, wholeOf(shown.mask)));
    if (!inside) return;
    const image = tintPaper.createImageData(inside.right - inside.left, inside.bottom - inside.top);
    const pixels = new Uint32Array(image.data.buffer);
    if (shown.alone) sampleAlone(pixels, inside, shown.mask, view);
    else sample(pixels, inside, view, [{ mask: shown.mask, colour: shown.colours.mask }, ...(shown.other ? [{ mask: shown.other, colour: shown.colours.other }] : [])]);
    tintPaper.putImageData(image, inside.left, inside.top);
    paper.drawImage(tint, inside.left, inside.top, image.width, image.height, inside.left, inside.top, image.width, image.height);
  }

  function ask(box) {
    dirty = joined(dirty, box);
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(draw);
  }

  return {
    set(part) {
      shown = { ...shown, ...part };
      ask(wholeOf(canvas));
    },
    look(box) {
      if (!shown.view) return;
      const at = shownAt(shown.view, box);
      ask({ left: at.left * density - 1, top: at.top * density - 1, right: at.right * density + 1, bottom: at.bottom * density + 1 });
    },
    /** Fits the canvas to a size in CSS pixels. */
    resize({ width, height }) {
      density = Math.min(DENSEST, window.devicePixelRatio || 1);
      for (const one of [canvas, tint]) {
        one.width = Math.max(1, Math.round(width * density));
        one.height = Math.max(1, Math.round(height * density));
      }
      ask(wholeOf(canvas));
    },
  };
}

/** The bitmap that is just large enough for the view, and of it only what is in sight. */
function drawPicture(paper, bitmaps, view, part) {
  if (bitmaps.length === 0) return;
  const whole = bitmaps[0];
  const bitmap = [...bitmaps].reverse().find((one) => one.width >= whole.width * view.scale) ?? whole;
  const box = shared(seen(view, part), wholeOf(whole));
  if (!box) return;
  const less = bitmap.width / whole.width;
  const lessHigh = bitmap.height / whole.height;
  paper.imageSmoothingEnabled = view.scale < 2;
  const [width, height] = [box.right - box.left, box.bottom - box.top];
  paper.drawImage(bitmap, box.left * less, box.top * lessHigh, width * less, height * lessHigh, box.left * view.scale + view.x, box.top * view.scale + view.y, width * view.scale, height * view.scale);
}

const TINT = 0.5; // how much of the colour covers the picture where all is chosen
const EDGE = 0xe6ffffff; // nearly white

/** Colours over the picture with a light edge, one value of the mask for each pixel of the screen. */
function sample(pixels, box, view, layers) {
  const width = box.right - box.left;
  const packed = layers.map(({ mask, colour: [r, g, b] }) => ({ data: mask.data, colour: (b << 16) | (g << 8) | r }));
  const { width: across, height } = layers[0].mask;
  const columns = columnsOf(box, view, across);
  const rowAt = (y) => Math.floor((y + 0.5 - view.y) / view.scale);
  for (let y = box.top; y < box.bottom; y += 1) {
    const row = rowAt(y);
    if (row < 0 || row >= height) continue;
    const from = row * across;
    const above = Math.max(0, rowAt(y - 1)) * across;
    const to = (y - box.top) * width;
    for (let x = 0; x < width; x += 1) {
      const column = columns[x + 1];
      if (column < 0) continue;
      const left = columns[x] < 0 ? column : columns[x];
      for (const { data, colour } of packed) {
        const value = data[from + column];
        const isChosen = value >= 128;
        if (data[from + left] >= 128 !== isChosen || data[above + column] >= 128 !== isChosen) pixels[to + x] = EDGE;
        else if (value > 0) pixels[to + x] = (((value * TINT) << 24) | colour) >>> 0;
      }
    }
  }
}

function sampleAlone(pixels, box, mask, view) {
  const width = box.right - box.left;
  const columns = columnsOf(box, view, mask.width);
  for (let y = box.top; y < box.bottom; y += 1) {
    const row = Math.floor((y + 0.5 - view.y) / view.scale);
    if (row < 0 || row >= mask.height) continue;
    for (let x = 0; x < width; x += 1) {
      if (columns[x + 1] < 0) continue;
      const value = mask.data[row * mask.width + columns[x + 1]];
      pixels[(y - box.top) * width + x] = (0xff000000 | (value << 16) | (value << 8) | value) >>> 0;
    }
  }
}

/** The mask's column under each pixel of the box, and under the one left of it; -1: none. */
function columnsOf(box, view, most) {
  const columns = new Int32Array(box.right - box.left + 1);
  for (let x = 0; x < columns.length; x += 1) {
    const column = Math.floor((box.left + x - 0.5 - view.x) / view.scale);
    columns[x] = column >= 0 && column < most ? column : -1;
  }
  return columns;
}
