// What does a mask choose, and can it be drawn better? Shown over the picture that the stage takes; what is kept becomes an input of the recipe.

import { useApp } from "../app.mjs";
import { picturesOf } from "../canvas/pictures.mjs";
import { Icon } from "../icons.mjs";
import { setAt } from "../paths.mjs";
import { html, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { runWatchOf } from "./run-watch.mjs";
import { freeName, namesOf } from "./stage-edits.mjs";

/** Below a field for a mask of a stage. `value`: a name, how the mask is found, or several of these. */
export function MaskTools({ stage, field, value, label }) {
  const app = useApp();
  const [drawn, setDrawn] = useState(null); // {picture, mask, Dialog} while it is open
  const [isBusy, setBusy] = useState(false);
  const hasMask = value !== undefined && value !== null && value !== "";

  async function open() {
    setBusy(true);
    try {
      const draft = app.store.state.get();
      const seen = await picturesSeen(app, draft);
      const picture = pictureUnder(draft.recipe, stage, seen);
      if (!picture) throw new Error(t("There is no picture yet to draw over. Choose one, or run the stages before."));
      const [module, mask] = await Promise.all([import("../canvas/mask-dialog.mjs"), hasMask ? maskOf(app, value, picture, seen) : null]);
      setDrawn({ picture, mask, Dialog: module.MaskDialog });
    } catch (problem) {
      app.toast(problem.message, { kind: "error" });
    } finally {
      setBusy(false);
    }
  }

  async function keep(file) {
    const { id } = await app.api.upload(file);
    app.store.change((draft) => withDrawn(draft, { stage, field, value, id }));
    setDrawn(null);
  }

  return html`<div class="atelier-mask-tools">
    <button type="button" class="atelier-button" data-look="quiet" aria-busy=${isBusy} disabled=${isBusy} aria-label=${hasMask ? t("{label}: show and edit", { label }) : t("{label}: draw", { label })} onClick=${open}>
      <${Icon} name=${hasMask ? "eye" : "brush"} /> ${isBusy ? t("Looking…") : hasMask ? t("Show and edit") : t("Draw")}
    </button>
    ${drawn && html`<${drawn.Dialog} picture=${drawn.picture} mask=${drawn.mask} onSave=${keep} onClose=${() => setDrawn(null)} />`}
  </div>`;
}

/** The draft with a drawn mask: in the mask input that the field names already, else in a new one that it names from now on. */
export function withDrawn(draft, { stage, field, value, id }) {
  const { recipe } = draft;
  if (typeof value === "string" && recipe.inputs?.[value]?.type === "mask") return { ...draft, inputs: { ...draft.inputs, [value]: id } };
  const place = recipe.stages.findIndex((one) => one.id === stage);
  const name = freeName(recipe, `${stage}_mask`);
  const inputs = { ...recipe.inputs, [name]: { type: "mask", default: id } };
  return { ...draft, recipe: setAt({ ...recipe, inputs }, ["stages", place, field], name) };
}

/** The picture that a stage takes, by its id, among those that are there; else any that the inputs hold. */
export function pictureUnder(recipe, stage, seen) {
  const taken = namesOf(recipe.stages.find((one) => one.id === stage)?.takes);
  const inputs = Object.keys(recipe.inputs ?? {}).filter((name) => recipe.inputs[name].type === "image");
  return [...taken, ...inputs].map((name) => seen[name]).find(Boolean) ?? "";
}

/** A picture for each input and stage that has one: of the inputs, of the rows, and of what the run has made. */
async function picturesSeen(app, draft) {
  const run = runWatchOf(app).run.get();
  const made = run?.name === draft.recipe.name ? run.stages.filter((stage) => stage.done > 0).map((stage) => stage.stage) : [];
  const firsts = await Promise.all(made.map((stage) => app.api.get(`runs/${run.id}/pictures`, { stage, limit: 1 }).catch(() => [])));
  return { ...picturesOf(draft), ...Object.fromEntries(firsts.flatMap(([first], at) => (first ? [[made[at], first.id]] : []))) };
}

async function maskOf(app, value, picture, seen) {
  if (typeof value === "string" && seen[value]) return seen[value];
  const told = await app.api.post("masks/preview", { mask: value, picture, others: seen });
  if (!told.picture) app.toast(told.reason);
  return told.picture;
}
