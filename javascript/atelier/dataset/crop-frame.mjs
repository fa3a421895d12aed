// How is a picture's crop drawn by hand? A frame over it, dragged by a mouse, a pen or a finger, or moved and stretched by keys.

import { html, useLayoutEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { drawn, isWhole, keyed, moved, pixelsOf, resized, WHOLE } from "./crop-box.mjs";

const SLACK = 4; // pixels of the screen that a hand trembles
const HANDLES = [-1, 0, 1].flatMap((y) => [-1, 0, 1].map((x) => ({ x, y }))).filter(({ x, y }) => x !== 0 || y !== 0);

/** size: of the picture in pixels;  box: as crop-box.mjs has it, or undefined;  isEdited: whether it can be;  onChange(box), null takes it away;  onDone(). */
export function CropFrame({ size, box = WHOLE, isEdited, onChange, onDone }) {
  const root = useRef(null);
  const drag = useRef(null);
  const [live, setLive] = useState(null); // while it is dragged
  const shown = live ?? box;
  useLayoutEffect(() => void (isEdited && root.current.focus({ preventScroll: true })), [isEdited]);

  const pointOf = (event) => {
    const { left, top, width, height } = root.current.getBoundingClientRect();
    return { x: ((event.clientX - left) / width) * size.width, y: ((event.clientY - top) / height) * size.height };
  };
  const boxAt = (event) => {
    const { from, handle, isInside } = drag.current;
    const to = pointOf(event);
    if (handle) return resized(box, handle, to.x - from.x, to.y - from.y, size);
    return isInside ? moved(box, to.x - from.x, to.y - from.y, size) : drawn(from, to, size);
  };
  const down = (event) => {
    if (!isEdited || event.button !== 0 || !event.isPrimary) return;
    const { x, y } = event.target.dataset;
    const isInside = !isWhole(box) && event.target !== root.current; // where nothing is cut off yet, a crop is drawn
    drag.current = { from: pointOf(event), screen: { x: event.clientX, y: event.clientY }, handle: x === undefined ? null : { x: Number(x), y: Number(y) }, isInside, isBegun: false };
    root.current.setPointerCapture(event.pointerId);
    root.current.focus({ preventScroll: true });
    event.preventDefault();
  };
  const move = (event) => {
    if (!drag.current) return;
    const { screen } = drag.current;
    drag.current.isBegun ||= Math.hypot(event.clientX - screen.x, event.clientY - screen.y) >= SLACK;
    if (drag.current.isBegun) setLive(boxAt(event));
  };
  const up = (event) => {
    if (drag.current?.isBegun) onChange(boxAt(event));
    cancel();
  };
  const cancel = () => {
    drag.current = null;
    setLive(null);
  };
  function onKeyDown(event) {
    if (!isEdited || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = keyed(box, event.key, event.shiftKey, size);
    if (next) onChange(next);
    else if (event.key === "Delete" || event.key === "Backspace") onChange(null);
    else if (event.key === "Escape" && drag.current) cancel();
    else if (event.key === "Escape" || event.key === "Enter") onDone();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  const percent = (share) => `${100 * share}%`;
  const { left, top, width, height } = pixelsOf(shown, size);
  const place = `left: ${percent(left / size.width)}; top: ${percent(top / size.height)}; width: ${percent(width / size.width)}; height: ${percent(height / size.height)}`;
  if (!isEdited) return html`<div class="atelier-crop" aria-hidden="true"><div class="atelier-crop-box" style=${place}></div></div>`;
  const about = t("The crop. Arrows move it, with Shift they make it larger or smaller, Delete takes it away, Enter or Esc is done.");
  return html`<div class="atelier-crop" data-edited ref=${root} role="application" tabindex="0" aria-label=${about} title=${about} onPointerDown=${down} onPointerMove=${move} onPointerUp=${up} onPointerCancel=${cancel} onKeyDown=${onKeyDown}>
    <div class="atelier-crop-box" style=${place} data-whole=${isWhole(shown) || undefined}>${HANDLES.map(({ x, y }) => html`<i key=${`${x} ${y}`} data-x=${x} data-y=${y}></i>`)}</div>
  </div>`;
}
