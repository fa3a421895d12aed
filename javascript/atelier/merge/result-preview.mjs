// Which picture lies beside a result? One that was drawn when it was tried, or one that is drawn now; never in another's place.

import { useApp } from "../app.mjs";
import { beginRun } from "../runs/starting.mjs";
import { html, useEffect, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { previewRecipe, stem } from "./config.mjs";
import { drawnAlready, promptOfTry } from "./tried.mjs";

const LOOK = 1500; // milliseconds between two looks at the run that draws it
const ENDED = ["done", "failed", "cancelled"];

/** `job`: done; `kind`: "loras" or "checkpoints"; `name`: of the result. */
export function ResultPreview({ job, kind, name }) {
  const app = useApp();
  const [isThere, setThere] = useState(null); // null: not known yet
  const [prompt, setPrompt] = useState(promptOfTry() || (app.store.state.get().recipe?.settings?.prompt ?? ""));
  const [standing, setStanding] = useState("");

  const keep = (picture) => app.api.post("models/preview", { kind, name, picture }).then(() => setThere(true));
  async function look() {
    const found = await app.api.blob("models/preview", { kind, name, size: 128 });
    const picture = !found && kind === "loras" && (await drawnAlready(app.api, job.config));
    if (picture) await keep(picture);
    else setThere(Boolean(found));
  }
  useEffect(() => void look().catch(() => setThere(false)), [name]);

  async function draw() {
    try {
      setStanding(t("Looking for what is new"));
      await app.inventory.fresh();
      const known = app.inventory.names(kind).find((one) => stem(one) === name) ?? name;
      const { prompt: before, loras, ...settings } = app.store.state.get().recipe?.settings ?? {};
      let run = await beginRun(app, { recipe: previewRecipe(kind, known, prompt, settings), inputs: {} });
      if (run) setStanding(t("It is being drawn"));
      while (run && !ENDED.includes(run.state)) {
        await new Promise((go) => setTimeout(go, LOOK));
        run = await app.api.get(`runs/${run.id}`, { brief: 1 });
      }
      const [picture] = run?.state === "done" ? await app.api.get(`runs/${run.id}/pictures`, { stage: "drawn" }) : [];
      if (picture) await keep(picture.id);
      else if (run) throw new Error(run.message || t("It was not drawn."));
    } catch (problem) {
      app.toast(problem.message, { kind: "error" });
    }
    setStanding("");
  }
  if (isThere === null) return null;
  if (isThere) return html`<img class="atelier-merge-preview" src=${app.api.url("models/preview", { kind, name, size: 256 })} alt=${t("The picture beside {name}", { name })} />`;
  return html`<div class="atelier-stack">
    <label class="prompt"><span class="atelier-label">${t("Prompt of the preview")}</span>
      <textarea class="atelier-input" rows="2" value=${prompt} onInput=${(event) => setPrompt(event.target.value)}></textarea></label>
    <div class="atelier-row">
      <button type="button" class="atelier-button" disabled=${!prompt.trim() || standing !== ""} onClick=${draw}>${t("Draw a preview")}</button>
      <span class="atelier-muted" role="status">${standing}</span>
    </div>
  </div>`;
}
