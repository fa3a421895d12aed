// What became of a merge? Its name, how exact it is, and the ways on: into a prompt, or looked into.

import { useApp } from "../app.mjs";
import { Icon } from "../icons.mjs";
import { loraWord, toggled } from "../host/networks.mjs";
import { html } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { stem } from "./config.mjs";
import { ResultPreview } from "./result-preview.mjs";

const TABS = ["txt2img", "img2img"];

/** `job`: done, as its route tells it. onInspect(name). */
export function ResultCard({ job, onInspect }) {
  const app = useApp();
  const result = job.findings?.findLast(({ event }) => event === "result");
  if (!result?.file) return null;
  const name = stem(result.file);
  const isLora = job.kind !== "bake";
  const has = app.store.state.get().recipe;
  const intoRecipe = () => {
    app.store.change((draft) => {
      const settings = draft.recipe.settings ?? {};
      return { ...draft, recipe: { ...draft.recipe, settings: { ...settings, prompt: toggled(settings.prompt ?? "", loraWord(name, 1)) } } };
    });
    app.toast(t("It is in the prompt of the recipe that is open. Undo leads back."), { kind: "done" });
  };
  return html`<section class="atelier-card atelier-merge-result" aria-label=${t("Result")}>
    <div class="atelier-section-head"><h3>${t("Result")}</h3></div>
    <div class="atelier-card-body atelier-stack">
      <p><b>${name}</b>${result.error > 0 && html`<span class="atelier-muted"> ${t("differs by {error} %", { error: Number((100 * result.error).toPrecision(2)) })}</span>`}</p>
      <div class="atelier-row">
        ${isLora && has && html`<button type="button" class="atelier-button" data-look="primary" onClick=${intoRecipe}><${Icon} name="add" /> ${t("Into the prompt")}</button>`}
        ${isLora && app.exchange && TABS.map((tab) => html`<button type="button" class="atelier-button" key=${tab} onClick=${() => app.exchange.insertInto(tab, loraWord(name, 1))}>${t("Into the prompt of {tab}", { tab })}</button>`)}
        <button type="button" class="atelier-button" data-look="quiet" onClick=${() => onInspect(name)}><${Icon} name="search" /> ${t("Look into it")}</button>
      </div>
      <${ResultPreview} key=${job.id} job=${job} kind=${isLora ? "loras" : "checkpoints"} name=${name} />
    </div>
  </section>`;
}
