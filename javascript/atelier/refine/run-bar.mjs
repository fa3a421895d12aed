// What will happen, and what does? The plan in a line, the run's progress, and the buttons that start and stop it.

import { useApp } from "../app.mjs";
import { useCell } from "../cell.mjs";
import { Icon } from "../icons.mjs";
import { beginRun } from "../runs/starting.mjs";
import { schemaOf } from "./stage-edits.mjs";
import { html, useEffect, useState } from "../vendor/htm-preact.mjs";
import { duration, t, tn } from "../words.mjs";
import { countNotes, planLine } from "./plan-words.mjs";
import { isEnded, runWatchOf } from "./run-watch.mjs";
import { drawsSeeds, withSeedsOf } from "./seeds.mjs";

const AT_WORK = ["running", "new"];

export function RunBar({ root, draft, notes, onShowNotes }) {
  const app = useApp();
  const watch = runWatchOf(app);
  const run = useCell(watch.run);
  const [isBusy, setBusy] = useState(false);
  const isRunning = Boolean(run) && AT_WORK.includes(run.state);
  const state = run && `${run.id} ${run.state}`;
  useEffect(() => void (state && app.store.replan()), [state]); // what was made meanwhile needs not run any more
  const isHeld = Boolean(run) && (run.state === "paused" || run.state === "waiting");

  /** Carries out one thing at a time; what the server says against it is shown. */
  async function doing(work) {
    if (isBusy) return;
    setBusy(true);
    try {
      await work();
    } catch (problem) {
      app.toast(problem.message, { kind: "error" });
    } finally {
      setBusy(false);
    }
  }
  const steer = (word) => doing(async () => (await app.api.post(`runs/${run.id}/${word}`), await watch.again()));

  const start = () =>
    doing(async () => {
      const { recipe, inputs } = app.store.state.get();
      await app.store.flush();
      const begun = await beginRun(app, { recipe, inputs });
      if (begun) await watch.watch(begun.id);
    });

  const lockSeeds = () =>
    doing(async () => {
      const whole = await app.api.get(`runs/${run.id}`);
      app.store.change((all) => ({ ...all, recipe: withSeedsOf(all.recipe, whole.recipe) }));
    });
  const canLock = run && isEnded(run) && drawsSeeds(draft.recipe, (stage) => "seed" in (schemaOf(root, stage)?.properties ?? {}));
  const { errors } = countNotes(notes);

  return html`<section class="atelier-run" aria-label=${t("Run")} data-state=${run?.state}>
    <${Line} draft=${draft} run=${run} notes=${notes} isStarting=${isBusy && !isRunning} onShowNotes=${onShowNotes} />
    <div class="atelier-run-buttons">
      ${canLock && html`<button type="button" class="atelier-icon-button" title=${t("Keep the seeds of this run")} aria-label=${t("Keep the seeds of this run")} onClick=${lockSeeds}><${Icon} name="unlock" /></button>`}
      ${run?.reviews?.length > 0 && html`<button type="button" class="atelier-button" data-look="primary" onClick=${() => app.open("review", { run: run.id })}><${Icon} name="eye" /> ${t("Choose")}</button>`}
      ${isRunning && html`<button type="button" class="atelier-button" onClick=${() => steer("pause")}><${Icon} name="pause" /> ${t("Pause")}</button>`}
      ${run?.state === "paused" && html`<button type="button" class="atelier-button" onClick=${() => steer("resume")}><${Icon} name="play" /> ${t("Go on")}</button>`}
      <button type="button" id="atelier_interrupt" class="atelier-button" style=${`display: ${isRunning ? "block" : "none"}`} onClick=${() => steer("cancel")}>${t("Cancel")}</button>
      ${isHeld && html`<button type="button" class="atelier-button" onClick=${() => steer("cancel")}>${t("Cancel")}</button>`}
      <button type="button" id="atelier_skip" style="display: none" onClick=${() => isRunning && steer("pause")}></button>
      <button type="button" id="atelier_interrupting" style="display: none"></button>
      <button type="button" id="atelier_generate" class="atelier-button atelier-go" data-look=${isRunning || isHeld ? undefined : "primary"} disabled=${!draft.recipe?.stages?.length || (errors > 0 && Boolean(draft.refusal))} aria-busy=${isBusy} title=${t("Run (Ctrl+Enter)")} onClick=${start}>
        <${Icon} name="play" /> ${t("Run")}
      </button>
    </div>
    <${RunProgress} run=${run} />
  </section>`;
}

/** What the plan says; while a run is at work, what it does. */
function Line({ draft, run, notes, isStarting, onShowNotes }) {
  const { errors, warnings } = countNotes(notes);
  const said = draft.plan && planLine(draft.plan);
  return html`<div class="atelier-plan" role="status" aria-live="polite">
    <p class="atelier-plan-line" data-stale=${draft.planning || undefined}>
      ${draft.refusal && !draft.planning
        ? html`<span class="atelier-plan-error">${t("This cannot run yet")}</span>`
        : said
          ? html`<b>${said.text}</b>${said.reasons && html`<span title=${said.allReasons.join("\n")}>: ${said.reasons}</span>`}${said.time && html`<span class="atelier-muted"> · ${said.time}</span>`}`
          : html`<span class="atelier-muted">${draft.planning ? t("Planning…") : t("Add a stage to begin")}</span>`}
    </p>
    <p class="atelier-run-line atelier-muted">
      ${(errors > 0 || warnings > 0) &&
      html`<button type="button" class="atelier-link" data-severity=${errors ? "error" : "warning"} onClick=${onShowNotes}>
        ${[errors && tn("{count} error", "{count} errors", errors), warnings && tn("{count} warning", "{count} warnings", warnings)].filter(Boolean).join(", ")}
      </button>`}
      ${draft.refusal && !draft.planning ? html`<span title=${draft.refusal.detail}>${draft.refusal.detail}</span>` : html`<span>${isStarting ? t("Starting…") : runLine(run)}</span>`}
    </p>
  </div>`;
}

function RunProgress({ run }) {
  const { done, failed, total } = countsOf(run);
  const isShown = run && !isEnded(run) && total > 0;
  const part = isShown ? (100 * (done + failed)) / total : 0;
  return html`<div class="atelier-run-bar" data-shown=${isShown || undefined} role="progressbar" aria-label=${t("Progress of the run")} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(part)}><span style=${`width: ${part}%`}></span></div>`;
}

/** Of all its stages together. */
function countsOf(run) {
  const sum = (name) => (run?.stages ?? []).reduce((all, stage) => all + (stage[name] ?? 0), 0);
  return { done: sum("done"), failed: sum("failed"), total: sum("total") - sum("left_out") };
}

/** How the run stands, in words. */
export function runLine(run) {
  if (!run) return "";
  const { done, failed, total } = countsOf(run);
  const left = run.progress?.seconds_left;
  if (AT_WORK.includes(run.state)) {
    const working = (run.stages ?? []).filter((stage) => stage.running > 0).map((stage) => stage.stage);
    return [total > 0 && t("{done} of {total} done", { done, total }), working.length && t("drawing {names}", { names: working.join(", ") }), left && t("{time} left", { time: duration(left) })].filter(Boolean).join(" · ");
  }
  const words = {
    paused: t("Paused"),
    waiting: t("Waiting for a choice"),
    done: failed ? t("Done, {failed} failed", { failed }) : t("Done in {time}", { time: duration(run.updated - run.created) }),
    failed: run.message || t("Failed"),
    cancelled: t("Cancelled"),
  };
  return words[run.state] ?? run.state;
}
