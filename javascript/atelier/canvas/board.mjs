// How do hand, mask and screen go together? The board under the tools: two canvases, the upper one for the brush's ring and open lines.

import { makeGestures } from "./gestures.mjs";
import { coverage } from "./mask.mjs";
import { makePainting } from "./painting.mjs";
import { makeScreen } from "./screen.mjs";
import { fitted, panned, pinched, toPicture, toScreen, wheelFactor, zoomed } from "./view.mjs";

/**
 * Makes the board in `stage`, an element that holds two canvases. `settings()` gives the tool as it is now, with `moves` while the picture is moved;
 * `onChange({zoom, canUndo, canRedo, coverage})` tells of what the tools show; `onSize(direction)` asks for a larger or smaller brush.
 */
export function makeBoard(stage, { picture, mask, settings, onChange, onSize }) {
  const [lower, upper] = stage.querySelectorAll("canvas");
  const screen = makeScreen(lower);
  const painting = makePainting(mask, { pixels: picture.pixels });
  let view = null;
  let box = { width: 0, height: 0 };
  let cursor = null; // on the screen
  let isPenDown = false; // by the keyboard
  let isFitted = true; // nobody has zoomed or moved since all of it was shown

  const tell = (isDone = true) =>
    onChange({ zoom: view?.scale ?? 1, canUndo: painting.steps.canUndo, canRedo: painting.steps.canRedo, ...(isDone ? { coverage: coverage(mask) } : {}) });
  const inPicture = (point) => ({ ...point, ...toPicture(view, point) });
  const show = (changed) => changed && screen.look(changed);

  function look(next) {
    view = next;
    isFitted = false;
    screen.set({ view });
    drawUpper();
    tell(false);
  }

  function drawUpper() {
    const paper = upper.getContext("2d");
    const density = upper.width / Math.max(1, box.width);
    paper.setTransform(density, 0, 0, density, 0, 0);
    paper.clearRect(0, 0, box.width, box.height);
    const line = painting.outline;
    if (line) lined(paper, () => trace(paper, line.map((point) => toScreen(view, point))));
    const { tool, size, moves } = settings();
    if (!cursor || moves || !["brush", "eraser"].includes(tool)) return;
    lined(paper, () => (paper.beginPath(), paper.arc(cursor.x, cursor.y, Math.max(1.5, (size / 2) * view.scale), 0, 2 * Math.PI)));
  }

  function begin(point, { erases = false, isStraight = false } = {}) {
    show(painting.begin(inPicture(point), { ...settings(), erases: erases || settings().erases }, isStraight));
    if (!painting.isDrawing) tell();
    drawUpper();
  }
  const move = (points) => (show(painting.move(points.map(inPicture))), drawUpper());
  const end = () => (show(painting.end()), drawUpper(), tell());
  const cancel = () => (show(painting.cancel()), drawUpper());

  const gestures = makeGestures(
    {
      begin, move, end, cancel,
      pan: (dx, dy) => look(panned(view, dx, dy, picture, box)),
      pinch: (before, after) => look(pinched(view, before, after, picture, box)),
      hover: (point) => ((cursor = point), drawUpper()),
    },
    { moves: () => settings().moves },
  );
  const off = listen(upper, gestures, { wheel });

  function wheel(event, point) {
    if (event.altKey) onSize(event.deltaY < 0 ? 1 : -1);
    else look(zoomed(view, point, wheelFactor(event), picture, box));
  }

  const middle = () => ({ x: box.width / 2, y: box.height / 2 });
  const fit = () => (look(fitted(picture, box)), (isFitted = true));
  const resizer = new ResizeObserver(() => {
    const { clientWidth: width, clientHeight: height } = stage;
    if (width === 0 || (width === box.width && height === box.height)) return;
    const before = box;
    box = { width, height };
    screen.resize(box);
    upper.width = lower.width;
    upper.height = lower.height;
    if (isFitted) fit();
    else look(panned(view, (width - before.width) / 2, (height - before.height) / 2, picture, box));
  });
  screen.set({ bitmaps: picture.bitmaps, mask });
  resizer.observe(stage);

  return {
    painting,
    fit,
    zoom: (factor) => look(zoomed(view, middle(), factor, picture, box)),
    whole: () => look(zoomed(view, middle(), 1 / view.scale, picture, box)),
    /** Something was done by a button: "undo", "redo", "invert", "clear", "all". */
    do(word) {
      show(word === "undo" || word === "redo" ? painting[word]() : painting.whole(word));
      tell();
    },
    join: (other, way) => (show(painting.join(other, way)), tell()),
    show: (part) => screen.set(part),
    redraw: drawUpper,
    /** Drawing by the keyboard: the cursor moves by so many brush sizes; `press` sets the pen down or lifts it. */
    step(dx, dy) {
      const far = Math.max(2, settings().size * view.scale * 0.25);
      const from = cursor ?? middle();
      cursor = { x: Math.min(box.width, Math.max(0, from.x + dx * far)), y: Math.min(box.height, Math.max(0, from.y + dy * far)), pressure: 0, isPen: false };
      if (isPenDown) move([cursor]);
      else drawUpper();
    },
    press() {
      cursor ??= { ...middle(), pressure: 0, isPen: false };
      if (isPenDown) end();
      else begin(cursor);
      isPenDown = painting.isDrawing;
    },
    get isDrawing() {
      return painting.isDrawing;
    },
    cancel: () => ((isPenDown = false), cancel()),
    close: () => (off(), resizer.disconnect()),
  };
}

/** Passes an element's pointer and wheel events on. The answer ends that. */
function listen(element, gestures, { wheel }) {
  const placed = (event) => {
    const { left, top } = element.getBoundingClientRect();
    return { id: event.pointerId, type: event.pointerType, x: event.clientX - left, y: event.clientY - top, pressure: event.pressure, button: event.button, buttons: event.buttons, shift: event.shiftKey };
  };
  const handlers = {
    pointerdown(event) {
      event.preventDefault();
      element.focus({ preventScroll: true });
      if (gestures.down(placed(event))) element.setPointerCapture(event.pointerId);
    },
    pointermove(event) {
      const together = event.getCoalescedEvents?.() ?? [];
      gestures.move((together.length ? together : [event]).map(placed));
    },
    pointerup: (event) => gestures.up(placed(event)),
    pointercancel: (event) => gestures.up(placed(event), true),
    pointerleave: () => gestures.leave(),
    contextmenu: (event) => event.preventDefault(),
    wheel(event) {
      event.preventDefault();
      wheel(event, placed(event));
    },
  };
  for (const [kind, handler] of Object.entries(handlers)) element.addEventListener(kind, handler, { passive: false });
  return () => Object.entries(handlers).forEach(([kind, handler]) => element.removeEventListener(kind, handler));
}

function trace(paper, points) {
  paper.beginPath();
  points.forEach(({ x, y }, place) => (place === 0 ? paper.moveTo(x, y) : paper.lineTo(x, y)));
}

/** White within black: seen on every picture. */
function lined(paper, path) {
  for (const [colour, width] of [["rgb(0 0 0 / 65%)", 3], ["#fff", 1.25]]) {
    path();
    paper.strokeStyle = colour;
    paper.lineWidth = width;
    paper.stroke();
  }
}
