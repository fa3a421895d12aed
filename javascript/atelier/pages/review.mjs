// Which choices does a run wait for? One after the other, until none is left and the run goes on.

import { Icon } from "../icons.mjs";
import { labelsOf } from "../refine/filmstrip.mjs";
import { runWatchOf } from "../refine/run-watch.mjs";
import { Review } from "../review/review.mjs";
import { html, useEffect, useState } from "../vendor/htm-preact.mjs";
import { t, tn } from "../words.mjs";

const MOST = 1000; // pictures whose labels are asked for
const WAIT = 4000; // milliseconds between two looks for a run that still makes candidates

export function ReviewPage({ app, params = {} }) {
  const [found, setFound] = useState({ run: null, problem: "" });
  const [at, setAt] = useState("");
  const [labels, setLabels] = useState({});
  const id = params.run ?? "";
  const take = (run) => setFound({ run, problem: "" });
  useEffect(() => {
    let isHere = true;
    const find = async () => {
      const run = id || (await app.api.get("runs", { state: "waiting", limit: 1 }))[0]?.id;
      return run ? app.api.get(`runs/${run}`, { brief: 1 }) : null;
    };
    find().then(
      (run) => isHere && take(run),
      (problem) => isHere && setFound({ run: null, problem: problem.message }),
    );
    return () => (isHere = false);
  }, [id]);
  const { run, problem } = found;
  const reviews = run?.reviews ?? [];
  useLabels(app, run, reviews, setLabels);
  useEffect(() => {
    if (!run || reviews.length > 0 || !["running", "new"].includes(run.state)) return undefined;
    const timer = setTimeout(() => app.api.get(`runs/${run.id}`, { brief: 1 }).then(take, () => {}), WAIT);
    return () => clearTimeout(timer);
  }, [run]);

  if (problem) return html`<div class="atelier-empty" role="alert"><p>${problem}</p></div>`;
  if (!run && id) return html`<div class="atelier-loading" role="status">${t("Loading…")}</div>`;
  if (reviews.length === 0) return html`<${Nothing} app=${app} run=${run} />`;

  const place = Math.max(0, reviews.findIndex((one) => one.key === at));
  const review = reviews[place];
  const step = (way) => setAt(reviews[(place + way + reviews.length) % reviews.length].key);
  function done(next) {
    const follower = reviews[place + 1]?.key ?? "";
    take(next);
    setAt(follower);
    runWatchOf(app).watch(next.id);
    if (next.reviews.length === 0) app.toast(t("All is chosen; the run goes on."), { kind: "done", action: { label: t("Show it"), run: () => app.open("refine", { run: next.id }) } });
  }
  const about = [review.stage, labels[review.key] || tn("item {count}", "item {count}", review.items[0])].filter(Boolean).join(" · ");
  return html`<div class="atelier-review-page" onKeyDown=${(event) => ({ PageDown: 1, PageUp: -1 })[event.key] && (event.preventDefault(), step(event.key === "PageDown" ? 1 : -1))}>
    <nav class="atelier-row" aria-label=${t("Choices")}>
      <button type="button" class="atelier-button" data-look="quiet" onClick=${() => app.open("refine", { run: run.id })}><${Icon} name="back" /> ${t("To the run")}</button>
      <span class="atelier-grow"></span>
      <span class="atelier-muted">${t("Choice {place} of {count}", { place: place + 1, count: run.reviews_waiting ?? reviews.length })}</span>
      <span class="atelier-row-tight">
        <button type="button" class="atelier-icon-button" disabled=${reviews.length < 2} title=${t("Previous choice (Page up)")} aria-label=${t("Previous choice")} onClick=${() => step(-1)}><${Icon} name="back" /></button>
        <button type="button" class="atelier-icon-button" disabled=${reviews.length < 2} title=${t("Next choice (Page down)")} aria-label=${t("Next choice")} onClick=${() => step(1)}><${Icon} name="forward" /></button>
      </span>
    </nav>
    <${Review} key=${review.key} run=${run} review=${review} about=${about} onDone=${done} />
  </div>`;
}

function Nothing({ app, run }) {
  const isWorking = run && ["running", "new"].includes(run.state);
  return html`<div class="atelier-empty">
    <p>${isWorking ? t("The candidates are being made.") : t("No choice is waited for.")}</p>
    <button type="button" class="atelier-button" onClick=${() => (run ? app.open("refine", { run: run.id }) : app.open("runs"))}>${run ? t("To the run") : t("To the runs")}</button>
  </div>`;
}

/** What each choice is about, in the words of its row. */
function useLabels(app, run, reviews, setLabels) {
  const stages = [...new Set(reviews.map((one) => one.stage))].join(" ");
  useEffect(() => {
    if (!stages) return undefined;
    let isHere = true;
    for (const stage of stages.split(" ")) {
      app.api.get(`runs/${run.id}/pictures`, { stage, limit: MOST }).then(
        (pictures) => isHere && setLabels((known) => ({ ...known, ...Object.fromEntries(pictures.map((picture) => [picture.key, labelsOf(picture)])) })),
        () => {},
      );
    }
    return () => (isHere = false);
  }, [run?.id, stages]);
}
