// Which recipe is this, is it kept, and how is it opened, saved and handed on?

import { useApp } from "../app.mjs";
import { Dialog } from "../dialog.mjs";
import { Icon } from "../icons.mjs";
import { html, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { RecipeCards, titleOf } from "./recipes.mjs";

export function RecipeBar({ draft }) {
  const app = useApp();
  const { store } = app;
  const [dialog, setDialog] = useState("");
  const close = () => setDialog("");
  return html`<div class="atelier-recipe-bar">
    <button type="button" class="atelier-title" aria-haspopup="dialog" onClick=${() => setDialog("open")} title=${t("Open another recipe")}>
      <${Icon} name="folder" /><b>${titleOf(draft.recipe) || t("Untitled")}</b>${draft.changed && html`<span class="atelier-dot" title=${t("Changed since it was saved")}><span class="atelier-hidden">${t("Changed since it was saved")}</span></span>`}<${Icon} name="down" />
    </button>
    <span class="atelier-row-tight">
      <span class="atelier-saving atelier-muted" role="status">${draft.saving === "offline" ? t("not kept yet") : ""}</span>
      <button type="button" class="atelier-icon-button" title=${t("Undo (Ctrl+Z)")} aria-label=${t("Undo")} disabled=${!draft.canUndo} onClick=${store.undo}><${Icon} name="undo" /></button>
      <button type="button" class="atelier-icon-button" title=${t("Redo (Ctrl+Shift+Z)")} aria-label=${t("Redo")} disabled=${!draft.canRedo} onClick=${store.redo}><${Icon} name="redo" /></button>
      <button type="button" class="atelier-icon-button" title=${t("Save as")} aria-label=${t("Save as")} onClick=${() => setDialog("save")}><${Icon} name="save" /></button>
      <button type="button" class="atelier-icon-button" title=${t("Export")} aria-label=${t("Export")} onClick=${() => exportRecipe(app, draft, () => setDialog("save"))}><${Icon} name="download" /></button>
    </span>
    ${dialog === "open" && html`<${Dialog} title=${t("Recipes")} wide onClose=${close}><${RecipeCards} current=${draft.base} onOpened=${close} /></${Dialog}>`}
    ${dialog === "save" && html`<${SaveAs} draft=${draft} onClose=${close} />`}
  </div>`;
}

function SaveAs({ draft, onClose }) {
  const app = useApp();
  const [name, setName] = useState(draft.base ? nextName(draft.base) : fileName(titleOf(draft.recipe)));
  const [title, setTitle] = useState(draft.recipe.title ?? "");
  const [problem, setProblem] = useState("");
  async function save(event) {
    event.preventDefault();
    const recipe = { ...withValues(draft), name, title };
    try {
      await app.api.put(`recipes/${encodeURIComponent(name)}`, recipe);
      await app.store.open({ recipe: (await app.api.get(`recipes/${encodeURIComponent(name)}`)).recipe, inputs: {}, base: name });
      app.toast(t("Saved as {name}.", { name }), { kind: "done" });
      onClose();
    } catch (refused) {
      setProblem(refused.message);
    }
  }
  return html`<${Dialog} title=${t("Save as")} onClose=${onClose}>
    <form class="atelier-stack" onSubmit=${save}>
      <label><span class="atelier-label">${t("Name")}</span><input class="atelier-input" autofocus required maxlength="64" pattern="[A-Za-z0-9][A-Za-z0-9_\\-]*" title=${t("Letters, digits, _ and -")} value=${name} onInput=${(event) => setName(event.target.value)} /></label>
      <label><span class="atelier-label">${t("Title")}</span><input class="atelier-input" value=${title} onInput=${(event) => setTitle(event.target.value)} /></label>
      <p class="atelier-muted">${t("What the inputs hold now is saved with it. An earlier recipe of yours with this name is replaced.")}</p>
      ${problem && html`<p class="atelier-note" data-severity="error" role="alert"><${Icon} name="alert" /> <span>${problem}</span></p>`}
      <div class="atelier-row atelier-end"><button type="button" class="atelier-button" onClick=${onClose}>${t("Cancel")}</button><button type="submit" class="atelier-button" data-look="primary">${t("Save")}</button></div>
    </form>
  </${Dialog}>`;
}

/** The recipe with what its inputs hold as their defaults. */
export function withValues({ recipe, inputs }) {
  const entries = Object.entries(recipe.inputs ?? {}).map(([name, declared]) => [name, inputs[name] === undefined ? declared : { ...declared, default: inputs[name] }]);
  return entries.length ? { ...recipe, inputs: Object.fromEntries(entries) } : recipe;
}

/** A recipe that is saved is exported as its zip, pictures and all; what was changed since is saved first. */
async function exportRecipe(app, draft, askForName) {
  if (!draft.base || draft.changed) {
    app.toast(t("Save the recipe under a name first; then its file can be exported."));
    return askForName();
  }
  try {
    const file = await app.api.blob(`recipes/${encodeURIComponent(draft.base)}`, {}, "zip");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = `${draft.base}.zip`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  } catch (problem) {
    app.toast(problem.message, { kind: "error" });
  }
  return undefined;
}

/** "product-shots" → "product-shots-2" → "product-shots-3". */
export function nextName(name) {
  const [, stem, number] = /^(.*?)(?:-(\d+))?$/.exec(name);
  return `${stem}-${Number(number ?? 1) + 1}`;
}

/** A title as a file's name. */
export function fileName(title) {
  return title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "").slice(0, 60) || "my-recipe";
}
