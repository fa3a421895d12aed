// How is one recipe made for many things? Its rows and axes, how many items that is, and what became of each.

import { Axes } from "../catalogue/axes.mjs";
import { ContactSheet } from "../catalogue/contact-sheet.mjs";
import { Rows } from "../catalogue/rows.mjs";
import { countItems, factorsOf, missingFiles, pathsOf } from "../catalogue/table.mjs";
import { useCell } from "../cell.mjs";
import { Icon } from "../icons.mjs";
import { countNotes, notesOf, planLine } from "../refine/plan-words.mjs";
import { titleOf } from "../refine/recipes.mjs";
import { runLine } from "../refine/run-bar.mjs";
import { runWatchOf } from "../refine/run-watch.mjs";
import { SteerButtons, useRunning } from "../refine/running.mjs";
import { schemaOf } from "../refine/stage-edits.mjs";
import { html, useEffect, useMemo, useState } from "../vendor/htm-preact.mjs";
import { t, tn } from "../words.mjs";

export function CataloguePage({ app }) {
  const draft = useCell(app.store.state);
  const [root, setRoot] = useState(null);
  useEffect(() => void app.api.get("schema").then(setRoot, (problem) => app.toast(problem.message, { kind: "error" })), []);
  useNewestRun(app, draft.recipe?.name);
  const names = useMemo(() => (root && draft.recipe ? pathsOf(draft.recipe, (stage) => Object.keys(schemaOf(root, stage)?.properties ?? {})) : []), [root, draft.recipe]);

  if (draft.phase === "failed") return html`<div class="atelier-empty" role="alert"><p>${draft.problem?.message}</p><button type="button" class="atelier-button" onClick=${app.store.load}>${t("Try again")}</button></div>`;
  if (draft.phase !== "ready") return html`<div class="atelier-loading" role="status">${t("Loading…")}</div>`;
  const { recipe } = draft;
  if (!recipe) return html`<div class="atelier-empty"><p>${t("A catalogue is one recipe for many rows. Choose the recipe first.")}</p><button type="button" class="atelier-button" data-look="primary" onClick=${() => app.open("refine")}>${t("Choose a recipe")}</button></div>`;
  const change = (field, none) => (how) => app.store.change((all) => ({ ...all, recipe: { ...all.recipe, [field]: how(all.recipe[field] ?? none) } }));
  return html`<div class="atelier-catalogue">
    <header class="atelier-catalogue-head">
      <button type="button" class="atelier-title" title=${t("Edit the recipe")} onClick=${() => app.open("refine")}><${Icon} name="folder" /><b>${titleOf(recipe) || t("Untitled")}</b></button>
      <span class="atelier-row-tight">
        <button type="button" class="atelier-icon-button" title=${t("Undo (Ctrl+Z)")} aria-label=${t("Undo")} disabled=${!draft.canUndo} onClick=${app.store.undo}><${Icon} name="undo" /></button>
        <button type="button" class="atelier-icon-button" title=${t("Redo (Ctrl+Shift+Z)")} aria-label=${t("Redo")} disabled=${!draft.canRedo} onClick=${app.store.redo}><${Icon} name="redo" /></button>
      </span>
    </header>
    <${Rows} recipe=${recipe} names=${names} onChange=${change("rows", [])} />
    <${Axes} recipe=${recipe} names=${names} onChange=${change("axes", {})} />
    <${Count} app=${app} draft=${draft} />
    <${ContactSheet} />
  </div>`;
}

/** How many items, what they take, and the way to begin. */
function Count({ app, draft }) {
  const running = useRunning(app);
  const { run, isBusy, isOpen, start, steer } = running;
  const { rows = [], axes = {} } = draft.recipe;
  const items = countItems(rows, axes);
  const factors = factorsOf(rows, axes).map(({ name, count }) => (name ? t("{count} of {name}", { count, name }) : tn("{count} row", "{count} rows", count)));
  const said = draft.plan && planLine(draft.plan);
  const notes = Object.values(notesOf(draft.plan, draft.refusal)).flatMap((byPath) => Object.values(byPath).flat());
  const { errors } = countNotes(notesOf(draft.plan, draft.refusal));
  const isMissing = missingFiles(draft.recipe, rows).length > 0; // which the table says, and where
  return html`<section class="atelier-run" aria-label=${t("Run")} data-state=${run?.state}>
    <div class="atelier-plan" role="status">
      <p class="atelier-plan-line" data-stale=${draft.planning || undefined}><b>${tn("{count} item", "{count} items", items)}</b>${factors.length > 1 && ` = ${factors.join(" × ")}`}${said && html`<span class="atelier-muted"> · ${[said.text, said.time].filter(Boolean).join(" · ")}</span>`}</p>
      <p class="atelier-run-line atelier-muted"><span>${runLine(run)}</span></p>
    </div>
    <div class="atelier-run-buttons">
      <${SteerButtons} app=${app} running=${running} />
      ${isOpen && html`<button type="button" class="atelier-button" disabled=${isBusy} onClick=${() => steer("cancel")}>${t("Cancel")}</button>`}
      <button type="button" class="atelier-button atelier-go" data-look=${isOpen ? undefined : "primary"} disabled=${isBusy || !draft.recipe.stages?.length || (errors > 0 && Boolean(draft.refusal))} onClick=${start}><${Icon} name="play" /> ${tn("Run {count} item", "Run {count} items", items)}</button>
    </div>
  </section>
  ${notes.length > 0 && !isMissing && html`<div class="atelier-card atelier-card-body">${notes.slice(0, 12).map((note) => html`<p class="atelier-note" data-severity=${note.severity} key=${note.message}><${Icon} name="alert" /> <span>${note.message}</span></p>`)}</div>`}`;
}

/** Whoever comes back sees the newest run of this recipe. */
function useNewestRun(app, name) {
  const watch = runWatchOf(app);
  useEffect(() => {
    if (!name || watch.run.get()?.name === name) return undefined;
    let isHere = true;
    app.api.get("runs", { recipe: name, limit: 1 }).then(
      ([newest]) => {
        if (!isHere) return;
        if (newest) watch.watch(newest.id);
        else watch.stop();
      },
      () => {},
    );
    return () => (isHere = false);
  }, [name]);
}
