// What do the worker's programs do? The queue of jobs, the one that is looked at, and the environment that they run in.

import { Icon } from "../icons.mjs";
import { isEnded, partOf } from "../jobs/account.mjs";
import { JobView, standingOf } from "../jobs/job-view.mjs";
import { WorkerCard } from "../jobs/worker-card.mjs";
import { html, useEffect, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

const RHYTHM = 2500; // milliseconds between two looks while a job is not done
const SIGNS = { queued: "more", running: "play", done: "check", failed: "alert", cancelled: "stop", interrupted: "pause" };

/** `params.job`: the job to look at; without, the one at work, else the newest. */
export function JobsPage({ app, params = {} }) {
  const { jobs, problem, load } = useJobs(app.api);
  if (problem) return html`<div class="atelier-empty" role="alert"><p>${problem}</p><button type="button" class="atelier-button" onClick=${load}>${t("Try again")}</button></div>`;
  if (!jobs) return html`<div class="atelier-loading" role="status">${t("Loading…")}</div>`;
  const shown = jobs.find((job) => job.id === params.job) ?? jobs.find((job) => job.state === "running") ?? jobs[0];
  const marks = jobs.map((job) => `${job.id} ${job.state}`).join(", ");
  const isBusy = jobs.some((job) => job.kind === "worker" && !isEnded(job));
  const begun = (job) => (load(), app.open("jobs", { job: job.id }));
  return html`<div class="atelier-jobs">
    <div class="atelier-stack atelier-jobs-side">
      <${WorkerCard} changed=${marks} isBusy=${isBusy} onBegun=${begun} />
      ${jobs.length > 0 && html`<nav class="atelier-card" aria-label=${t("Jobs")}><ul class="atelier-job-list">
        ${jobs.map((job) => html`<${JobLine} key=${job.id} job=${job} isShown=${job.id === shown?.id} onOpen=${() => app.open("jobs", { job: job.id })} />`)}
      </ul></nav>`}
    </div>
    ${shown
      ? html`<${JobView} key=${shown.id} id=${shown.id} onChanged=${load} onAgain=${begun} />`
      : html`<div class="atelier-empty"><p>${t("No job has run yet.")}</p><p>${t("Training, captioning and merging show here what they do. They go on when this page is closed.")}</p></div>`}
  </div>`;
}

function JobLine({ job, isShown, onOpen }) {
  const part = partOf(job.progress);
  return html`<li>
    <button type="button" class="atelier-job-line" data-state=${job.state} aria-current=${isShown ? "true" : undefined} onClick=${onOpen}>
      <${Icon} name=${SIGNS[job.state] ?? "more"} />
      <span class="atelier-grow"><b>${t(job.title)}</b><span class="atelier-muted">${standingOf(job)}</span></span>
      ${part !== null && html`<span class="atelier-muted">${Math.round(part * 100)} %</span>`}
    </button>
  </li>`;
}

/** All jobs, the newest first; looked at again while one of them is not done. */
function useJobs(api) {
  const [state, setState] = useState({ jobs: null, problem: "" });
  const load = () =>
    api.get("jobs").then(
      (jobs) => setState({ jobs, problem: "" }),
      (problem) => setState((all) => ({ ...all, problem: all.jobs ? "" : problem.message })),
    );
  useEffect(() => void load(), []);
  const isAtWork = state.jobs?.some((job) => !isEnded(job)) ?? false;
  useEffect(() => {
    if (!isAtWork) return undefined;
    const timer = setInterval(() => document.visibilityState === "visible" && load(), RHYTHM);
    return () => clearInterval(timer);
  }, [isAtWork]);
  return { ...state, load };
}
