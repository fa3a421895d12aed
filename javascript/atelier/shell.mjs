// What stands around every page? The way between pages, questions, and word of a server that is gone.

import { useCell } from "./cell.mjs";
import { Dialog } from "./dialog.mjs";
import { Icon } from "./icons.mjs";
import { loadStyles } from "./styles.mjs";
import { Toasts } from "./toasts.mjs";
import { html, useEffect, useErrorBoundary, useState } from "./vendor/htm-preact.mjs";
import { t } from "./words.mjs";

const LOOK_AT_BACKENDS = 20000; // milliseconds

/** The pages, in the order of their row: where their component is, which sheets of css/ are their own, and whether the row leaves them out. */
const PAGES = {
  refine: { title: "Refine", load: () => import("./pages/refine.mjs"), component: "RefinePage", styles: ["run-bar", "recipes", "models", "refine", "inputs", "stages", "viewer", "compare", "strips", "canvas"] },
  catalogue: { title: "Catalogue", load: () => import("./pages/catalogue.mjs"), component: "CataloguePage", styles: ["run-bar", "viewer", "catalogue", "sheet"] },
  review: { title: "Review", load: () => import("./pages/review.mjs"), component: "ReviewPage", styles: ["compare", "review"], hidden: true },
  runs: { title: "Runs", load: () => import("./pages/runs.mjs"), component: "RunsPage", styles: ["runs"] },
  dataset: { title: "Dataset", load: () => import("./pages/dataset.mjs"), component: "DatasetPage", styles: ["jobs", "dataset", "dataset-gallery", "dataset-edit", "dataset-picture"] },
  train: { title: "Train", load: () => import("./pages/train.mjs"), component: "TrainPage", styles: ["jobs", "train"] },
  merge: { title: "Merge", load: () => import("./pages/merge.mjs"), component: "MergePage", styles: ["jobs", "models", "merge"] },
  jobs: { title: "Jobs", load: () => import("./pages/jobs.mjs"), component: "JobsPage", styles: ["jobs"] },
};

export function Shell({ app }) {
  const page = useCell(app.page);
  const name = page.name in PAGES ? page.name : "refine";
  return html`
    <div class="atelier-shell">
      <header class="atelier-top">
        <nav aria-label=${t("Atelier's pages")}>
          ${Object.entries(PAGES).map(
            ([key, { title, hidden }]) =>
              (!hidden || key === name) &&
              html`<button type="button" key=${key} class="atelier-tab" aria-current=${key === name ? "page" : undefined} onClick=${() => app.open(key)}>
                ${t(title)}
              </button>`,
          )}
        </nav>
        <${Backends} app=${app} />
      </header>
      <${Banner} app=${app} />
      <main class="atelier-page" data-page=${name}><${Page} key=${name} name=${name} params=${page.params} app=${app} /></main>
      ${name !== "refine" && html`<${KeysForTheHost} />`}
      <${Toasts} speaker=${app.speaker} isBase />
      <${Question} speaker=${app.speaker} />
    </div>
  `;
}

/** Who draws, and whether they answer. */
function Backends({ app }) {
  const isReached = useCell(app.api.reached);
  const [backends, setBackends] = useState(app.host.backends ?? []);
  useEffect(() => {
    const look = () => document.visibilityState === "visible" && app.api.get("host").then((host) => setBackends(host.backends ?? []), () => {});
    const timer = setInterval(look, LOOK_AT_BACKENDS);
    return () => clearInterval(timer);
  }, []);
  return html`<ul class="atelier-backends" aria-label=${t("Backends")}>
    ${backends.map(
      ({ spec, reachable, problem }) => html`<li key=${spec} data-state=${reachable === false || !isReached ? "gone" : reachable ? "there" : "unknown"} title=${problem || (reachable ? t("It answers.") : t("Not asked yet."))}>
        <span aria-hidden="true"></span><b>${spec}</b>${problem && html`<span class="atelier-hidden">: ${problem}</span>`}
      </li>`,
    )}
  </ul>`;
}

/** A page is fetched when it is first opened. */
function Page({ name, params, app }) {
  const [broken, mend] = useErrorBoundary();
  const [found, setFound] = useState({ component: null, problem: null });
  useEffect(() => {
    let isHere = true;
    const { load, component, styles = [] } = PAGES[name];
    Promise.all([load(), loadStyles(styles)]).then(
      ([module]) => isHere && setFound({ component: module[component], problem: null }),
      (problem) => isHere && setFound({ component: null, problem }),
    );
    return () => (isHere = false);
  }, [name]);
  if (broken) {
    return html`<div class="atelier-empty" role="alert">
      <p>${t("Something here went wrong: {problem}", { problem: broken.message })}</p>
      <div class="atelier-row">
        <button type="button" class="atelier-button" onClick=${mend}>${t("Show it again")}</button>
        <button type="button" class="atelier-button" onClick=${() => (app.store.undo(), mend())}>${t("Undo the last edit")}</button>
      </div>
    </div>`;
  }
  if (found.problem) {
    return html`<div class="atelier-empty">
      <p>${t("This page could not be loaded. Is the server running?")}</p>
      <button type="button" class="atelier-button" onClick=${() => window.location.reload()}>${t("Load again")}</button>
    </div>`;
  }
  return found.component ? html`<${found.component} app=${app} params=${params} />` : html`<div class="atelier-loading" role="status">${t("Loading…")}</div>`;
}

/** The WebUI's Ctrl+Enter, Esc and Alt+Enter look for these in the tab, whichever page is open. */
function KeysForTheHost() {
  return html`<div hidden>
    <button type="button" id="atelier_generate"></button>
    <button type="button" id="atelier_interrupt" style="display: none"></button>
    <button type="button" id="atelier_skip" style="display: none"></button>
    <button type="button" id="atelier_interrupting" style="display: none"></button>
  </div>`;
}

function Banner({ app }) {
  const isReached = useCell(app.api.reached);
  return html`<div class="atelier-banner" role="status" hidden=${isReached}>
    ${!isReached && html`<${Icon} name="alert" /> ${t("The server does not answer. What you do is kept here until it does.")}`}
  </div>`;
}

function Question({ speaker }) {
  const question = useCell(speaker.question);
  if (!question) return null;
  return html`<${Dialog} title=${question.title || t("Are you sure?")} onClose=${() => question.answer(false)}>
    <p>${question.text}</p>
    <div class="atelier-row atelier-end">
      <button type="button" class="atelier-button" onClick=${() => question.answer(false)}>${t("Cancel")}</button>
      <button type="button" class="atelier-button" data-look=${question.danger ? "danger" : "primary"} autofocus onClick=${() => question.answer(true)}>
        ${question.yes}
      </button>
    </div>
  </${Dialog}>`;
}
