// How does a loss go? A small plot: each series as it was told and, stronger, as it goes on the whole.

import { html, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { nearest, pathOf, scaleOf, shortNumber, smoothed } from "./scale.mjs";

const BOX = { width: 600, height: 150 };
const FEW = 20; // points that need no smoothing

/** `series`: {name: [[x, y], …]}. */
export function Plot({ series }) {
  const [at, setAt] = useState(null);
  const names = Object.keys(series).filter((name) => series[name].length > 1);
  if (names.length === 0) return null;
  const scale = scaleOf(Object.fromEntries(names.map((name) => [name, series[name]])), BOX);
  const last = names.map((name) => `${t(name)} ${shortNumber(series[name].at(-1)[1])}`).join(", ");
  const told = at === null ? last : names.map((name) => [name, nearest(series[name], at)]).map(([name, [x, y]]) => t("{name} {y} at {x}", { name: t(name), y: shortNumber(y), x: shortNumber(x) })).join(", ");
  const move = (event) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    setAt(scale.left + ((event.clientX - left) / width) * (scale.right - scale.left));
  };
  return html`<figure class="atelier-plot">
    <figcaption><span class="atelier-label">${names.map((name) => t(name)).join(", ")}</span><span class="atelier-muted">${told}</span></figcaption>
    <div class="atelier-plot-frame">
      <span class="atelier-plot-high">${shortNumber(scale.high)}</span><span class="atelier-plot-low">${shortNumber(scale.low)}</span>
      <svg viewBox=${`0 0 ${BOX.width} ${BOX.height}`} preserveAspectRatio="none" role="img" aria-label=${last} onPointerMove=${move} onPointerLeave=${() => setAt(null)}>
        <path class="atelier-plot-grid" d=${`M0 0H${BOX.width}M0 ${BOX.height / 2}H${BOX.width}M0 ${BOX.height}H${BOX.width}`} />
        ${names.map((name, place) => html`<g key=${name} data-series=${place % 4}>
          <path class="atelier-plot-told" d=${pathOf(series[name], scale)} />
          <path class="atelier-plot-line" d=${pathOf(series[name].length > FEW ? smoothed(series[name]) : series[name], scale)} />
        </g>`)}
      </svg>
    </div>
    <div class="atelier-plot-ends atelier-muted"><span>${shortNumber(scale.left)}</span><span>${shortNumber(scale.right)}</span></div>
  </figure>`;
}
