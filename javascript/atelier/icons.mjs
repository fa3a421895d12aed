// Which signs stand on buttons? Small outlines of our own, 16 × 16, in the text's colour.

import { html } from "./vendor/htm-preact.mjs";

const PATHS = {
  add: "M8 3v10M3 8h10",
  alert: "M8 2.5 14.5 13.5h-13zM8 6.5v3.2M8 11.4v.3",
  back: "M10 3 5 8l5 5",
  bin: "M3 4.5h10M6.5 4V2.5h3V4M4.5 4.5l.6 9h5.8l.6-9M6.7 7v4M9.3 7v4",
  brush: "M13 2.5 7.5 8l1.5 1.5L14 4zM7 8.6c-2 0-2.6 1.4-2.8 2.6-.1.9-.7 1.5-1.7 1.8 2.6 1 6 .5 6-2.9",
  bucket: "M7 2.5 13 8.5 8 13.5 2.5 8zM2.5 8h10M14 11c.8 1 .8 2.3 0 2.3s-.8-1.3 0-2.3z",
  check: "m3 8.5 3.2 3.2L13 5",
  close: "m4 4 8 8M12 4l-8 8",
  compare: "M8 2v12M3 4.5h3v7H3zM10 4.5h3v7h-3z",
  copy: "M5.5 5.5h8v8h-8zM3 10.5V3h7.5",
  down: "m4 6 4 4 4-4",
  download: "M8 2.5v7M5 7l3 3 3-3M3 13h10",
  drag: "M6 4v.01M10 4v.01M6 8v.01M10 8v.01M6 12v.01M10 12v.01",
  edit: "m3 13 .6-2.8 7-7 2.2 2.2-7 7z",
  eraser: "m6 13.5-3.5-3.5 7-7L14 7.5l-6 6zM6 6.5l4.5 4.5M5.5 13.5H13",
  eye: "M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8zM8 6.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6z",
  filter: "M2.5 4h11M4.5 8h7M6.5 12h3",
  folder: "M2 4h4l1.2 1.5H14V13H2z",
  forward: "m6 3 5 5-5 5",
  full: "M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3",
  grid: "M3 3h4v4H3zM9 3h4v4H9zM3 9h4v4H3zM9 9h4v4H9z",
  hand: "M5 8V4.2a1 1 0 0 1 2 0V7M7 7V3.2a1 1 0 0 1 2 0V7M9 7V4.2a1 1 0 0 1 2 0V8M11 8V6.2a1 1 0 0 1 2 0V10a4 4 0 0 1-4 4c-2.5 0-3.4-1.2-5.5-4.4-.6-1 .8-1.8 1.5-1z",
  invert: "M8 2.5a5.5 5.5 0 1 1 0 11zM8 2.5a5.5 5.5 0 1 0 0 11",
  lasso: "M5.5 10.5C3.4 9.8 2 8.5 2 6.8 2 4.4 4.7 2.5 8 2.5s6 1.9 6 4.3-2.7 4.3-6 4.3c-.3 0-.7 0-1 0M4.5 9.5a1.5 1.5 0 1 1 .8 2.8c0 .8-.5 1.5-1.3 1.7",
  lock: "M4.5 7.5h7v6h-7zM6 7.5V5a2 2 0 0 1 4 0v2.5",
  minus: "M3 8h10",
  more: "M3.5 8v.01M8 8v.01M12.5 8v.01",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  picture: "M2.5 3.5h11v9h-11zM2.5 10.5 6 7.5l2.5 2.3L10.5 8l3 2.8M10.7 6v.01",
  play: "M5 3.2 12.5 8 5 12.8z",
  redo: "M13 6.5H6a3 3 0 0 0 0 6h4M10.5 4 13 6.5 10.5 9",
  reset: "M3.5 5.5v-3M3.5 5.5h3M3.7 5.3a5 5 0 1 1-.6 3.6",
  save: "M3 3h8l2 2v8H3zM5.5 3v3.5h5V3M5.5 13V9.5h5V13",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.3 10.3 14 14",
  seed: "M8 2.5c3 2 3 6 0 11-3-5-3-9 0-11z",
  select: "M2.5 5V2.5H5M11 2.5h2.5V5M13.5 11v2.5H11M5 13.5H2.5V11M5.5 5.5h5v5h-5z",
  spark: "M8 2v4M8 10v4M2 8h4M10 8h4M4 4l1.8 1.8M10.2 10.2 12 12M12 4l-1.8 1.8M5.8 10.2 4 12",
  stop: "M4.5 4.5h7v7h-7z",
  table: "M2.5 3.5h11v9h-11zM2.5 6.5h11M2.5 9.5h11M6.5 3.5v9",
  two: "M2.5 3.5h4.5v9H2.5zM9 3.5h4.5v9H9z",
  undo: "M3 6.5h7a3 3 0 0 1 0 6H6M5.5 4 3 6.5 5.5 9",
  unlock: "M4.5 7.5h7v6h-7zM6 7.5V5a2 2 0 0 1 3.8-.8",
  up: "m4 10 4-4 4 4",
  upload: "M8 10V3M5 5.5l3-3 3 3M3 13h10",
};

/** A sign; what it means must stand beside it or in its button's label. */
export function Icon({ name }) {
  return html`<svg class="atelier-icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d=${PATHS[name] ?? ""} /></svg>`;
}
