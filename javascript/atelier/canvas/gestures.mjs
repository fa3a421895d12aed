// What does a hand mean? One pointer draws, a middle button or two fingers move the picture; where there is a pen, fingers only move it.

const ERASER_BUTTON = 32; // in `buttons`: the pen's other end
const SECOND = 2;

/**
 * Takes pointer events {id, type: "mouse"|"pen"|"touch", x, y, pressure, button, buttons, shift} and tells `to`:
 *   begin(point, {erases, isStraight}), move(points), end(), cancel(): drawing;  pan(dx, dy), pinch(before, after);  hover(point or null)
 * `moves()`: whether one pointer moves the picture now, by its tool or a key that is held.
 */
export function makeGestures(to, { moves = () => false } = {}) {
  const pointers = new Map();
  let mode = ""; // "draw", "pan", "pinch" or ""
  let hasPen = false;

  const point = (event) => ({ x: event.x, y: event.y, pressure: event.pressure ?? 0, isPen: event.type === "pen" });
  const pair = () => [...pointers.values()].slice(0, 2);

  function down(event) {
    if (event.type === "pen") hasPen = true;
    if (event.type === "touch" && mode === "draw" && pointers.size > 0 && ![...pointers.values()].some((one) => one.type === "touch")) return false; // a palm beside the pen
    pointers.set(event.id, event);
    if (event.type === "touch" && pointers.size > 1) {
      if (mode === "draw") to.cancel();
      mode = "pinch";
      return true;
    }
    if (event.button === 1 || moves() || (event.type === "touch" && hasPen)) {
      mode = "pan";
      return true;
    }
    mode = "draw";
    const erases = event.button === SECOND || Boolean(event.buttons & ERASER_BUTTON);
    to.begin(point(event), { erases, isStraight: Boolean(event.shift) });
    return true;
  }

  /** `events`: those that came together, the last one last. */
  function move(events) {
    const last = events.at(-1);
    const before = pointers.get(last.id);
    if (!before) {
      if (mode === "" && last.type !== "touch") to.hover(point(last));
      return;
    }
    if (mode === "pinch") {
      const from = pair();
      pointers.set(last.id, last);
      const after = pair();
      if (from.length > 1) to.pinch(from, after);
    } else if (mode === "pan") {
      pointers.set(last.id, last);
      to.pan(last.x - before.x, last.y - before.y);
    } else {
      pointers.set(last.id, last);
      to.move(events.map(point));
      if (last.type !== "touch") to.hover(point(last));
    }
  }

  function up(event, isLost = false) {
    if (!pointers.delete(event.id)) return;
    if (mode === "draw") {
      if (isLost) to.cancel();
      else to.end();
    }
    if (pointers.size === 0) mode = "";
    else if (mode === "pinch" && pointers.size === 1) mode = "pan";
  }

  return { down, move, up, leave: () => mode === "" && to.hover(null), isBusy: () => mode !== "" };
}
