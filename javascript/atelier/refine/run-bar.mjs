// What will happen, and what does? The plan in a line, the run's progress, and the buttons that start and stop it.

import { useApp } from "../app.mjs";
import { Icon } from "../icons.mjs";
import { schemaOf } from "./stage-edits.mjs";
import { html, useEffect } from "../vendor/htm-preact.mjs";
import { duration, t, tn } from "../words.mjs";
import { countNotes, planLine } from "./plan-words.mjs";
import { isEnded } from "./run-watch.mjs";
import { isAtWork, SteerButtons, useRunning } from "./running.mjs";
import { drawsSeeds, withSeedsOf } from "./seeds.mjs";

export function RunBar({ root, draft, notes, onShowNotes }) {
  const app = useApp();
  const running = useRunning(app);
  const { run, isBusy, isRunning, isOpen, doing, start, steer } = running;
  const state = run && `${run.id} ${run.state}`;
  useEffect(() => void (state && app.store.replan()), [state]); // what was made meanwhile needs not run any more
  const isHeld = isOpen && !isRunning;

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
      <${SteerButtons} app=${app} running=${running} />
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
  if (isAtWork(run)) {
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
