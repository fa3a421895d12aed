// How does a folder of pictures become a LoRA? Three screens: the pictures, the settings, the run; what is prepared is kept on the server.

import { Icon } from "../icons.mjs";
import { isReady } from "../train/config.mjs";
import { PicturesScreen } from "../train/pictures-screen.mjs";
import { RunScreen } from "../train/run-screen.mjs";
import { SettingsScreen } from "../train/settings-screen.mjs";
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

const KEEP = 500; // milliseconds after the last edit until it is kept
const SCREENS = { pictures: "Pictures", settings: "Settings", run: "Training" };

/** `params.screen`: pictures, settings or run;  `params.job`: the training that is looked at. */
export function TrainPage({ app, params = {} }) {
  const { known, draft, change, problem, load } = useDraft(app.api);
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

/** What is known of trainings, and the one that is prepared: {training, preset}. change(next) shows it at once and keeps it soon; next may be a function of what it is then. */
function useDraft(api) {
  const [state, setState] = useState({ known: null, draft: null, problem: "" });
  const waiting = useRef({ timer: 0, draft: null });
  const keep = () => {
    clearTimeout(waiting.current.timer);
    if (waiting.current.draft) api.put("training/draft", waiting.current.draft).catch(() => {}); // the banner says that nobody answers
    waiting.current.draft = null;
  };
  const load = () =>
    Promise.all([api.get("training"), api.get("jobs/kinds")]).then(
      ([told, kinds]) => setState({ known: { ...told, schema: kinds.train }, draft: { training: {}, preset: "", ...told.draft }, problem: "" }),
      (problem) => setState((all) => ({ ...all, problem: problem.message })),
    );
  useEffect(() => {
    load();
    return keep;
  }, []);
  const latest = useRef(null);
  latest.current = state.draft;
  const change = (next) => {
    const draft = typeof next === "function" ? next(latest.current) : next;
    latest.current = draft;
    setState((all) => ({ ...all, draft }));
    clearTimeout(waiting.current.timer);
    waiting.current = { draft, timer: setTimeout(keep, KEEP) };
  };
  return { ...state, change, load };
}
