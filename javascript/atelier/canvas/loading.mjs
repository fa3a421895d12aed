// What is drawn over? The picture as bitmaps for every zoom, and a mask that is there already, at the picture's size.

import { fromPixels, newMask } from "./mask.mjs";

const SMALLEST = 512; // pixels of the longer side, of the smallest bitmap

/** {width, height, bitmaps, pixels()} of a picture by its id; `pixels()` is its RGBA, read when it is first asked for. */
export async function loadPicture(api, id) {
  const bitmap = await bitmapOf(api, id);
  let pixels = null;
  return {
    width: bitmap.width,
    height: bitmap.height,
    bitmaps: halved(bitmap),
    pixels: () => (pixels ??= pixelsOf(bitmap, bitmap)),
  };
}

/** A mask by its picture's id, brought to `size`. */
export async function loadMask(api, id, size) {
  return id ? fromPixels(pixelsOf(await bitmapOf(api, id), size)) : newMask(size.width, size.height);
}

async function bitmapOf(api, id) {
  return createImageBitmap(await api.blob(`pictures/${id}`), { premultiplyAlpha: "none", colorSpaceConversion: "none" });
}

function pixelsOf(bitmap, { width, height }) {
  const paper = paperOf(width, height, { willReadFrequently: true });
  paper.drawImage(bitmap, 0, 0, width, height);
  return paper.getImageData(0, 0, width, height);
}

/** The bitmap, and each half as large as the one before. */
function halved(bitmap) {
  const all = [bitmap];
  while (Math.max(all.at(-1).width, all.at(-1).height) >= 2 * SMALLEST) {
    const last = all.at(-1);
    const paper = paperOf(Math.ceil(last.width / 2), Math.ceil(last.height / 2));
    paper.imageSmoothingQuality = "high";
    paper.drawImage(last, 0, 0, paper.canvas.width, paper.canvas.height);
    all.push(paper.canvas);
  }
  return all;
}

function paperOf(width, height, options) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas.getContext("2d", options);
}
