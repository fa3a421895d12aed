// How does a folder of pictures become a LoRA? Three screens: the pictures, the settings, the run; what is prepared is kept on the server.

import { useDraft } from "../draft.mjs";
import { Icon } from "../icons.mjs";
import { isReady } from "../train/config.mjs";
import { PicturesScreen } from "../train/pictures-screen.mjs";
import { RunScreen } from "../train/run-screen.mjs";
import { SettingsScreen } from "../train/settings-screen.mjs";
import { html, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

const SCREENS = { pictures: "Pictures", settings: "Settings", run: "Training" };

/** `params.screen`: pictures, settings or run;  `params.job`: the training that is looked at. */
export function TrainPage({ app, params = {} }) {
  const { known, draft, change, problem, load } = useDraft(
    () => asked(app.api),
    (prepared) => app.api.put("training/draft", prepared),
  );
  const [look, setLook] = useState({ value: null, findings: [], isBusy: false });
  if (problem) return html`<div class="atelier-empty" role="alert"><p>${problem}</p><button type="button" class="atelier-button" onClick=${load}>${t("Try again")}</button></div>`;
  if (!draft) return html`<div class="atelier-loading" role="status">${t("Loading…")}</div>`;
  const screen = params.screen in SCREENS ? params.screen : "pictures";
  const go = (name, more = {}) => app.open("train", { screen: name, ...more });
  const given = { app, known, draft, change, go, look, setLook };
  return html`<div class="atelier-train">
    <nav class="atelier-train-steps" aria-label=${t("Steps of a training")}>
      ${Object.entries(SCREENS).map(
        ([name, title], place) => html`<button type="button" key=${name} class="atelier-train-step" aria-current=${name === screen ? "step" : undefined} onClick=${() => go(name)}>
          <span aria-hidden="true">${name === "pictures" && isReady(draft.training) ? html`<${Icon} name="check" />` : place + 1}</span> ${t(title)}
        </button>`,
      )}
    </nav>
    ${screen === "pictures" && html`<${PicturesScreen} ...${given} />`}
    ${screen === "settings" && html`<${SettingsScreen} ...${given} />`}
    ${screen === "run" && html`<${RunScreen} ...${given} job=${params.job} />`}
  </div>`;
}

/** What is known of trainings, and the one that is prepared: {training, preset}. */
async function asked(api) {
  const [told, kinds] = await Promise.all([api.get("training"), api.get("jobs/kinds")]);
  return { known: { ...told, schema: kinds.train }, draft: { training: {}, preset: "", ...told.draft } };
}
