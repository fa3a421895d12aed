// Which recipe is begun with? All that there are, the built-in ones first; one click opens one, a file brings one in.

import { useApp } from "../app.mjs";
import { Icon } from "../icons.mjs";
import { html, useEffect, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

const FILES = ".zip,.yaml,.yml,.json,.png,.webp,.jpg,.jpeg";

/** Opens what a file holds as the draft: a recipe, or a picture that was made by one. */
export async function openFile(app, file) {
  try {
    const told = await app.api.upload(file, "restore");
    await app.store.open({ recipe: told.recipe, inputs: told.inputs ?? {}, base: told.base ?? "" });
    app.toast(t("{name} is open. Undo leads back.", { name: file.name }), { kind: "done" });
    return told;
  } catch (problem) {
    app.toast(problem.message, { kind: "error" });
    return null;
  }
}

export async function openRecipe(app, name) {
  try {
    const told = await app.api.get(`recipes/${encodeURIComponent(name)}`);
    await app.store.open({ recipe: told.recipe, inputs: {}, base: name });
    return told;
  } catch (problem) {
    app.toast(problem.message, { kind: "error" });
    return null;
  }
}

/** Cards of recipes. onOpened(name) is told when one was opened; `current` is marked. */
export function RecipeCards({ onOpened = () => {}, current = "" }) {
  const app = useApp();
  const [list, setList] = useState(null);
  const load = () => app.api.get("recipes").then(setList, (problem) => app.toast(problem.message, { kind: "error" }));
  useEffect(() => void load(), []);
  const open = async (name) => (await openRecipe(app, name)) && onOpened(name);

  async function remove(name) {
    if (!(await app.confirm(t('"{name}" is deleted for good.', { name }), { yes: t("Delete"), danger: true }))) return;
    await app.api.delete(`recipes/${encodeURIComponent(name)}`).catch((problem) => app.toast(problem.message, { kind: "error" }));
    load();
  }

  const built = (list ?? []).filter((one) => one.built_in);
  const own = (list ?? []).filter((one) => !one.built_in);
  return html`<div class="atelier-stack">
    <ul class="atelier-recipes">${list === null ? [0, 1, 2].map((key) => html`<li class="atelier-recipe" key=${key} aria-hidden="true"></li>`) : built.map((one) => html`<${RecipeCard} key=${one.name} one=${one} isCurrent=${one.name === current} onOpen=${open} />`)}</ul>
    ${own.length > 0 && html`<h3>${t("Your own")}</h3><ul class="atelier-recipes">${own.map((one) => html`<${RecipeCard} key=${one.name} one=${one} isCurrent=${one.name === current} onOpen=${open} onRemove=${remove} />`)}</ul>`}
    <${FromFile} onOpened=${onOpened} />
  </div>`;
}

function RecipeCard({ one, isCurrent, onOpen, onRemove }) {
  const { api } = useApp();
  return html`<li class="atelier-recipe" data-current=${isCurrent || undefined}>
    <button type="button" class="atelier-recipe-face" disabled=${Boolean(one.problem)} onClick=${() => onOpen(one.name)}>
      <span class="atelier-cover atelier-recipe-cover">${one.cover ? html`<img src=${api.thumbnail(one.cover, 512)} alt="" loading="lazy" />` : html`<${Icon} name="picture" />`}</span>
      <span class="atelier-recipe-words"><b>${t(titleOf(one))}</b><span class="atelier-muted">${one.problem ?? t(one.about || "")}</span></span>
    </button>
    ${onRemove && html`<button type="button" class="atelier-tiny atelier-recipe-remove" aria-label=${t("Delete {name}", { name: one.name })} onClick=${() => onRemove(one.name)}><${Icon} name="bin" /></button>`}
  </li>`;
}

export function titleOf(recipe) {
  return recipe.title || recipe.name || "";
}

function FromFile({ onOpened }) {
  const app = useApp();
  const take = async (file) => file && (await openFile(app, file)) && onOpened(file.name);
  return html`<div class="atelier-row">
    <label class="atelier-button atelier-file"><${Icon} name="upload" /> ${t("Import a file")}<input type="file" accept=${FILES} class="atelier-hidden" onChange=${(event) => (take(event.target.files[0]), (event.target.value = ""))} /></label>
    <button type="button" class="atelier-button" data-look="quiet" onClick=${() => (app.store.open({ recipe: { name: "new-recipe", settings: { prompt: "" }, stages: [] }, inputs: {}, base: "" }), onOpened(""))}><${Icon} name="add" /> ${t("Begin with nothing")}</button>
    <span class="atelier-muted">${t("A recipe, or a picture that Atelier made.")}</span>
  </div>`;
}
