// Which signs stand on buttons? Small outlines of our own, 16 × 16, in the text's colour.

import { html } from "./vendor/htm-preact.mjs";

const PATHS = {
  add: "M8 3v10M3 8h10",
  alert: "M8 2.5 14.5 13.5h-13zM8 6.5v3.2M8 11.4v.3",
  back: "M10 3 5 8l5 5",
  bin: "M3 4.5h10M6.5 4V2.5h3V4M4.5 4.5l.6 9h5.8l.6-9M6.7 7v4M9.3 7v4",
  check: "m3 8.5 3.2 3.2L13 5",
  close: "m4 4 8 8M12 4l-8 8",
  compare: "M8 2v12M3 4.5h3v7H3zM10 4.5h3v7h-3z",
  copy: "M5.5 5.5h8v8h-8zM3 10.5V3h7.5",
  down: "m4 6 4 4 4-4",
  download: "M8 2.5v7M5 7l3 3 3-3M3 13h10",
  drag: "M6 4v.01M10 4v.01M6 8v.01M10 8v.01M6 12v.01M10 12v.01",
  edit: "m3 13 .6-2.8 7-7 2.2 2.2-7 7z",
  eye: "M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8zM8 6.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6z",
  folder: "M2 4h4l1.2 1.5H14V13H2z",
  forward: "m6 3 5 5-5 5",
  full: "M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3",
  lock: "M4.5 7.5h7v6h-7zM6 7.5V5a2 2 0 0 1 4 0v2.5",
  more: "M3.5 8v.01M8 8v.01M12.5 8v.01",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  picture: "M2.5 3.5h11v9h-11zM2.5 10.5 6 7.5l2.5 2.3L10.5 8l3 2.8M10.7 6v.01",
  play: "M5 3.2 12.5 8 5 12.8z",
  redo: "M13 6.5H6a3 3 0 0 0 0 6h4M10.5 4 13 6.5 10.5 9",
  reset: "M3.5 5.5v-3M3.5 5.5h3M3.7 5.3a5 5 0 1 1-.6 3.6",
  save: "M3 3h8l2 2v8H3zM5.5 3v3.5h5V3M5.5 13V9.5h5V13",
  seed: "M8 2.5c3 2 3 6 0 11-3-5-3-9 0-11z",
  stop: "M4.5 4.5h7v7h-7z",
  undo: "M3 6.5h7a3 3 0 0 1 0 6H6M5.5 4 3 6.5 5.5 9",
  unlock: "M4.5 7.5h7v6h-7zM6 7.5V5a2 2 0 0 1 3.8-.8",
  up: "m4 10 4-4 4 4",
  upload: "M8 10V3M5 5.5l3-3 3 3M3 13h10",
};

/** A sign; what it means must stand beside it or in its button's label. */
export function Icon({ name }) {
  return html`<svg class="atelier-icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d=${PATHS[name] ?? ""} /></svg>`;
}
