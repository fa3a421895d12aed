// Which of two is better? Side by side, zoomed and moved together, so that the same place is seen in both.

import { useApp } from "../app.mjs";
import { fitted, panned, pinched, wheelFactor, zoomed } from "../canvas/view.mjs";
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

/** Two pictures by their ids. `labels`: what they are; `children`: two things that stand below them. */
export function TwoUp({ a, b, labels, children }) {
  const [size, setSize] = useState(null); // of the left picture; the right one is shown as large
  const [view, setView] = useState(null);
  const pane = useRef(null);
  const box = () => ({ width: pane.current.clientWidth, height: pane.current.clientHeight });
  const change = (how) => setView((now) => (size ? how(now ?? fitted(size, box(), 0)) : now));
  useEffect(() => {
    if (!size) return undefined;
    const fit = () => setView(fitted(size, box(), 0));
    fit();
    const observer = new ResizeObserver(fit);
    observer.observe(pane.current);
    return () => observer.disconnect();
  }, [size?.width, size?.height]);
  const hands = useHands({ change, size, box });
  const turn = (event) => {
    const factor = { "+": 1.4, "=": 1.4, "-": 1 / 1.4 }[event.key];
    if (!factor && event.key !== "0") return;
    event.preventDefault();
    change((now) => (factor ? zoomed(now, { x: box().width / 2, y: box().height / 2 }, factor, size, box()) : fitted(size, box(), 0)));
  };
  const shown = { view, size, hands };
  return html`<div class="atelier-two-up" onKeyDown=${turn}>
    <${Pane} id=${a} label=${labels[0]} ...${shown} box=${pane} onSize=${setSize} below=${children?.[0]} />
    <${Pane} id=${b} label=${labels[1]} ...${shown} below=${children?.[1]} />
  </div>`;
}

function Pane({ id, label, view, size, hands, box, onSize, below }) {
  const { api } = useApp();
  const own = useRef(null);
  const holder = box ?? own;
  useEffect(() => {
    const element = holder.current;
    const onWheel = (event) => hands.current.wheel(event);
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, []);
  const place = view && size ? `left: ${view.x}px; top: ${view.y}px; width: ${size.width * view.scale}px; height: ${size.height * view.scale}px` : "opacity: 0";
  return html`<figure>
    <div class="atelier-two-pane" ref=${holder} onPointerDown=${(event) => hands.current.down(event)} onPointerMove=${(event) => hands.current.move(event)} onPointerUp=${(event) => hands.current.up(event)} onPointerCancel=${(event) => hands.current.up(event)} onDblClick=${(event) => hands.current.double(event)}>
      <img src=${api.picture(id)} alt=${label} style=${place} draggable=${false} data-small=${view && view.scale > 2 ? "" : undefined} onLoad=${(event) => onSize?.({ width: event.target.naturalWidth, height: event.target.naturalHeight })} />
    </div>
    <figcaption>${below ?? label}</figcaption>
  </figure>`;
}

/** Dragging, pinching, the wheel and a double click, in either pane. */
function useHands({ change, size, box }) {
  const pointers = useRef(new Map());
  const hands = useRef(null);
  const at = (event) => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  hands.current = {
    down(event) {
      event.currentTarget.setPointerCapture(event.pointerId);
      pointers.current.set(event.pointerId, at(event));
    },
    move(event) {
      const before = pointers.current.get(event.pointerId);
      if (!before) return;
      const from = [...pointers.current.values()];
      const now = at(event);
      pointers.current.set(event.pointerId, now);
      const to = [...pointers.current.values()];
      change((view) => (from.length > 1 ? pinched(view, from.slice(0, 2), to.slice(0, 2), size, box()) : panned(view, now.x - before.x, now.y - before.y, size, box())));
    },
    up: (event) => pointers.current.delete(event.pointerId),
    wheel(event) {
      event.preventDefault();
      const point = at(event);
      const factor = wheelFactor(event);
      change((view) => zoomed(view, point, factor, size, box()));
    },
    double(event) {
      const point = at(event);
      change((view) => (view.scale > 1.01 * fitted(size, box(), 0).scale ? fitted(size, box(), 0) : zoomed(view, point, 1 / view.scale > 1.5 ? 1 / view.scale : 3, size, box())));
    },
  };
  return hands;
}

/** What is said above two pictures that are compared. */
export function compareHint() {
  return t("Wheel or two fingers zoom both, dragging moves both.");
}
