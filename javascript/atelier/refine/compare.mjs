// How do two pictures differ? One over the other, with an edge between them that is moved by pointer or keyboard.

import { useApp } from "../app.mjs";
import { html, useRef, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

/** Two pictures by their ids; `a` is left of the edge. `labels`: what they are. Both are shown as large as the space lets them be. */
export function Compare({ a, b, labels = [t("Left"), t("Right")] }) {
  const { api } = useApp();
  const [at, setAt] = useState(50);
  const box = useRef(null);
  const follow = (event) => {
    const { left, width } = box.current.getBoundingClientRect();
    setAt(Math.min(100, Math.max(0, (100 * (event.clientX - left)) / width)));
  };
  const onPointerDown = (event) => {
    if (event.target.type === "range") return;
    event.preventDefault();
    box.current.setPointerCapture(event.pointerId);
    follow(event);
  };
  return html`<div class="atelier-compare" ref=${box} style=${`--at: ${at}%`} onPointerDown=${onPointerDown} onPointerMove=${(event) => event.buttons === 1 && follow(event)}>
    <img class="atelier-compare-under" src=${api.picture(b)} alt=${labels[1]} draggable=${false} />
    <img class="atelier-compare-over" src=${api.picture(a)} alt=${labels[0]} draggable=${false} />
    <span class="atelier-compare-label" data-side="left">${labels[0]}</span>
    <span class="atelier-compare-label" data-side="right">${labels[1]}</span>
    <span class="atelier-compare-edge" aria-hidden="true"></span>
    <input type="range" min="0" max="100" step="1" value=${at} aria-label=${t("Where the two pictures meet")} onInput=${(event) => setAt(Number(event.target.value))} />
  </div>`;
}
