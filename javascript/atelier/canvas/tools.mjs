// Which tools are there, and which keys choose them? Plain lists, for the bar of tools and the keyboard alike.

export const TOOLS = [
  { name: "brush", label: "Brush", key: "b", icon: "brush", help: "Paint what is chosen. The right button takes away; Shift draws a straight line." },
  { name: "eraser", label: "Eraser", key: "e", icon: "eraser", help: "Take away what was chosen." },
  { name: "lasso", label: "Lasso", key: "l", icon: "lasso", help: "Draw a line around what is chosen." },
  { name: "fill", label: "Fill", key: "g", icon: "bucket", help: "Click inside a closed line, or on a colour." },
  { name: "move", label: "Move", key: "h", icon: "hand", help: "Move the picture. The space bar, the middle button or two fingers do it with any tool." },
];

const WITH_CONTROL = { z: "undo", y: "redo", a: "all", enter: "save" };
const PLAIN = { i: "invert", delete: "clear", backspace: "clear", "+": "larger", "=": "larger", "-": "smaller", 0: "fit", 1: "whole", m: "alone", "[": "thinner", "]": "thicker" };

/** What a key means: {do: word} or {tool: name}, or null. event: {key, ctrlKey, metaKey, shiftKey, altKey, code}. */
export function meaningOf(event) {
  const key = event.key.toLowerCase();
  if (event.altKey) return null;
  if (event.ctrlKey || event.metaKey) {
    if (key === "z" && event.shiftKey) return { do: "redo" };
    return WITH_CONTROL[key] ? { do: WITH_CONTROL[key] } : null;
  }
  if (event.code === "BracketLeft") return { do: "thinner" }; // where another key prints [
  if (event.code === "BracketRight") return { do: "thicker" };
  const tool = TOOLS.find((one) => one.key === key);
  if (tool) return { tool: tool.name };
  return key in PLAIN ? { do: PLAIN[key] } : null;
}

/** A slider's place, 0 to 1, for a brush of `size` pixels, and back: small sizes get as much room as large ones. */
export function placeOf(size, most) {
  return Math.log(Math.max(1, size)) / Math.log(Math.max(2, most));
}

export function sizeAt(place, most) {
  return Math.max(1, Math.round(Math.max(2, most) ** place));
}
