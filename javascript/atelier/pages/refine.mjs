// What is made, and how does it look so far? The recipe on one side, its pictures on the other.

import { useCell } from "../cell.mjs";
import { Icon } from "../icons.mjs";
import { notesOf } from "../refine/plan-words.mjs";
import { Inputs } from "../refine/inputs.mjs";
import { Prompts } from "../refine/prompts.mjs";
import { RecipeBar } from "../refine/recipe-bar.mjs";
import { openFile, RecipeCards } from "../refine/recipes.mjs";
import { Results } from "../refine/results.mjs";
import { RunBar } from "../refine/run-bar.mjs";
import { runWatchOf } from "../refine/run-watch.mjs";
import { Stages } from "../refine/stages.mjs";
import { html, useEffect, useMemo, useRef, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

export function RefinePage({ app, params = {} }) {
  const draft = useCell(app.store.state);
  const [schema, setSchema] = useState(null);
  const [problem, setProblem] = useState("");
  const load = () => (setProblem(""), app.api.get("schema").then(setSchema, (refused) => setProblem(refused.message)));
  useEffect(() => void load(), []);
  useRunOf(app, draft, params.run);
  useUndoKeys(app.store);

  if (problem || draft.phase === "failed") {
    const again = () => (load(), draft.phase === "failed" && app.store.load());
    return html`<div class="atelier-empty" role="alert"><p>${problem || draft.problem?.message}</p><button type="button" class="atelier-button" onClick=${again}>${t("Try again")}</button></div>`;
  }
  if (draft.phase !== "ready" || !schema) return html`<div class="atelier-loading" role="status">${t("Loading…")}</div>`;
  return draft.recipe ? html`<${Editor} app=${app} root=${schema} draft=${draft} />` : html`<${Start} app=${app} />`;
}

function Start({ app }) {
  return html`<div class="atelier-start" ...${useFileDrop(app)}>
    <header>
      <h2>${t("What shall it be?")}</h2>
      <p class="atelier-muted">${t("Begin with one of these recipes and change what you like.")}</p>
    </header>
    <${RecipeCards} />
    <div hidden><${KeysWithoutRecipe} /></div>
  </div>`;
}

/** The host's keys find these, though there is nothing to run yet. */
function KeysWithoutRecipe() {
  return ["generate", "interrupt", "skip", "interrupting"].map((word) => html`<button type="button" key=${word} id=${`atelier_${word}`} style="display: none"></button>`);
}

function Editor({ app, root, draft }) {
  const notes = useMemo(() => notesOf(draft.plan, draft.refusal), [draft.plan, draft.refusal]);
  const notesBox = useRef(null);
  const { recipe } = draft;
  const known = new Set((recipe.stages ?? []).map((stage) => stage.id));
  const loose = Object.entries(notes).filter(([stage]) => !known.has(stage)).flatMap(([, byPath]) => Object.values(byPath).flat());
  const showNotes = () => (notesBox.current ?? document.querySelector(".atelier-stage .atelier-badge[data-kind=error], .atelier-stage .atelier-badge[data-kind=warning]"))?.scrollIntoView({ block: "center", behavior: "smooth" });
  return html`<div class="atelier-refine" ...${useFileDrop(app)}>
    <div class="atelier-left">
      <${RecipeBar} draft=${draft} />
      ${loose.length > 0 && html`<div class="atelier-card atelier-card-body" ref=${notesBox}>${loose.map((note) => html`<p class="atelier-note" data-severity=${note.severity} key=${note.message}><${Icon} name="alert" /> <span>${note.message}</span></p>`)}</div>`}
      <${Prompts} root=${root} recipe=${recipe} />
      <${Inputs} root=${root} recipe=${recipe} inputs=${draft.inputs} notes=${notes[""] ?? {}} />
      <${Stages} root=${root} recipe=${recipe} plan=${draft.plan} notes=${notes} />
    </div>
    <div class="atelier-right">
      <${RunBar} root=${root} draft=${draft} notes=${notes} onShowNotes=${showNotes} />
      <${Results} recipe=${recipe} />
    </div>
  </div>`;
}

/** The run that is asked for, else the newest of this recipe: whoever comes back sees what was there. */
function useRunOf(app, draft, asked) {
  const watch = runWatchOf(app);
  const name = draft.recipe?.name;
  useEffect(() => {
    if (asked) return void watch.watch(asked);
    if (!name || watch.run.get()?.name === name) return undefined;
    let isHere = true;
    app.api.get("runs", { recipe: name, limit: 1 }).then(
      (runs) => {
        const newest = (Array.isArray(runs) ? runs : runs.runs)?.[0];
        if (!isHere) return;
        if (newest) watch.watch(newest.id);
        else watch.stop();
      },
      () => {},
    );
    return () => (isHere = false);
  }, [name, asked]);
}

/** Undo and redo from the keyboard; inside a text the browser's own come first. */
function useUndoKeys(store) {
  useEffect(() => {
    const onKeyDown = (event) => {
      const isText = event.target.matches?.("textarea, input:not([type=range], [type=checkbox])");
      if (!(event.ctrlKey || event.metaKey) || event.altKey || isText || !event.target.closest?.(".atelier, body")) return;
      const key = event.key.toLowerCase();
      const isRedo = key === "y" || (key === "z" && event.shiftKey);
      if (!isRedo && key !== "z") return;
      event.preventDefault();
      if (isRedo) store.redo();
      else store.undo();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [store]);
}

/** A file that is dropped beside the inputs is opened: a recipe, or a picture for the recipe in it. */
function useFileDrop(app) {
  return {
    onDragOver: (event) => event.dataTransfer.types.includes("Files") && event.preventDefault(),
    onDrop: (event) => {
      const file = event.dataTransfer.files[0];
      if (!file) return;
      event.preventDefault();
      event.stopPropagation();
      openFile(app, file);
    },
  };
}
