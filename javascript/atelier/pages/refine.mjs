// What is made, and how does it look so far? The recipe on one side, its pictures on the other.

import { useCell } from "../cell.mjs";
import { html } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

export function RefinePage({ app }) {
  const draft = useCell(app.store.state);
  if (draft.phase !== "ready") return html`<div class="atelier-loading" role="status">${t("Loading…")}</div>`;
  return html`<h2>${draft.recipe?.title ?? draft.recipe?.name}</h2>`;
}
