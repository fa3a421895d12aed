// What does a tool do to the mask? Strokes, outlines, floods and changes of all of it, each a step that can be taken back.

import { boxAround, joined, wholeOf } from "./box.mjs";
import { drawSegment, pressedRadius, spacing } from "./brush.mjs";
import { flood, setRegion, similarTo, unbroken } from "./flood.mjs";
import { fillPolygon } from "./lasso.mjs";
import { changeEach, JOIN } from "./mask.mjs";
import { makeSteps } from "./tiles.mjs";

const CLOSE = 0.75; // picture's pixels between two points of an outline

/**
 * Works on `mask`. Points are {x, y, pressure, isPen} in the picture's pixels. Settings of a stroke:
 *   {tool: "brush" | "eraser" | "lasso" | "fill", size in pixels, hardness 0 to 1, tolerance 0 to 255 or null, erases}
 * `pixels()` gives the picture's RGBA, for floods by colour. What changes the mask answers the box that changed, or null.
 */
export function makePainting(mask, { pixels = () => null } = {}) {
  const steps = makeSteps(mask);
  let stroke = null; // {settings, last, points}
  let anchor = null; // where the last stroke ended, for straight lines

  const erasing = (settings) => settings.tool === "eraser" || Boolean(settings.erases);

  function draw(from, to, radius) {
    const { settings } = stroke;
    steps.touch(boxAround([from, to], radius + 2));
    return drawSegment(mask, from, to, { radius, hardness: settings.hardness, erases: erasing(settings) });
  }

  function fill(point, settings) {
    const x = Math.floor(point.x);
    const y = Math.floor(point.y);
    if (x < 0 || y < 0 || x >= mask.width || y >= mask.height) return null;
    const picture = settings.tolerance === null || settings.tolerance === undefined ? null : pixels();
    const isSide = unbroken(mask, x, y);
    const isLike = picture ? similarTo(picture, x, y, settings.tolerance) : () => true;
    const found = flood(mask, x, y, (at) => isSide(at) && isLike(at));
    if (!found.box) return null;
    steps.touch({ left: found.box.left - 1, top: found.box.top - 1, right: found.box.right + 1, bottom: found.box.bottom + 1 });
    const box = setRegion(mask, found, erasing(settings));
    steps.commit();
    return box;
  }

  return {
    mask,
    steps,
    /** The line that is being drawn around something, for the screen. */
    get outline() {
      return stroke?.settings.tool === "lasso" ? stroke.points : null;
    },
    get isDrawing() {
      return stroke !== null;
    },
    /** `isStraight`: from where the last stroke ended. */
    begin(point, settings, isStraight = false) {
      if (settings.tool === "fill") return fill(point, settings);
      stroke = { settings, last: point, points: [point] };
      if (settings.tool === "lasso") return null;
      const radius = pressedRadius(settings.size / 2, point.pressure, point.isPen);
      return draw(isStraight && anchor ? anchor : point, point, radius);
    },
    move(points) {
      if (!stroke) return null;
      let box = null;
      for (const point of points) {
        const apart = Math.hypot(point.x - stroke.last.x, point.y - stroke.last.y);
        const radius = pressedRadius(stroke.settings.size / 2, point.pressure, point.isPen);
        if (apart < (stroke.settings.tool === "lasso" ? CLOSE : spacing(radius))) continue;
        if (stroke.settings.tool === "lasso") stroke.points.push(point);
        else box = joined(box, draw(stroke.last, point, radius));
        stroke.last = point;
      }
      return box;
    },
    end() {
      if (!stroke) return null;
      const { settings, points, last } = stroke;
      anchor = last;
      stroke = null;
      if (settings.tool !== "lasso") return void steps.commit();
      steps.touch(boxAround(points, 2));
      const box = fillPolygon(mask, points, { erases: erasing(settings) });
      steps.commit();
      return box;
    },
    /** Takes back what is being drawn. */
    cancel() {
      stroke = null;
      return steps.cancel();
    },
    /** "invert", "clear" or "all": everything at once. */
    whole(word) {
      const how = { invert: (value) => 255 - value, clear: () => 0, all: () => 255 }[word];
      steps.touch(wholeOf(mask));
      const box = changeEach(mask, wholeOf(mask), how);
      steps.commit();
      return box;
    },
    /** Brings in another mask of the same size: "add", "subtract", "intersect" or "replace". */
    join(other, way) {
      steps.touch(wholeOf(mask));
      const box = changeEach(mask, wholeOf(mask), (value, at) => JOIN[way](value, other.data[at]));
      steps.commit();
      return box;
    },
    undo: () => (stroke ? null : steps.undo()),
    redo: () => (stroke ? null : steps.redo()),
  };
}

/** The size one step larger (1) or smaller (-1): small ones by pixels, large ones by a tenth. */
export function nextSize(size, direction, most = 2000) {
  const step = Math.max(1, Math.round(size * 0.12));
  return Math.min(most, Math.max(1, Math.round(size + direction * step)));
}
