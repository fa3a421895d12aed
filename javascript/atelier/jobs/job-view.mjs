// What does this job do? How far it is, its plot, its pictures and its log, as they come.

import { useApp } from "../app.mjs";
import { Icon } from "../icons.mjs";
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { duration, t } from "../words.mjs";
import { isEnded, partOf, STATES, withNews } from "./account.mjs";
import { Plot } from "./plot.mjs";

const NEAR_END = 40; // pixels from the log's end within which it follows what comes

/** `id`: of the job. onChanged(): its state is another, or it is gone. onAgain(job): it was asked for once more, as that one. */
export function JobView({ id, onChanged, onAgain }) {
  const { api, toast, confirm } = useApp();
  const { job, problem, take } = useJob(api, id, onChanged);
  if (problem) return html`<div class="atelier-empty" role="alert"><p>${problem}</p></div>`;
  if (!job) return html`<div class="atelier-loading" role="status">${t("Loading…")}</div>`;

  async function doing(work) {
    try {
      await work();
      onChanged();
    } catch (refused) {
      toast(refused.message, { kind: "error" });
    }
  }
  const canWait = job.paused === true || job.paused === false; // a training, which can also be stopped with all it has saved
  const pause = () => doing(async () => take(await api.post(`jobs/${id}/${job.paused ? "continue" : "pause"}`)));
  const stop = () => doing(async () => (await api.post(`jobs/${id}/stop`), toast(t("It saves what it has, and stops."), { kind: "done" })));
  const cancel = () => doing(() => api.post(`jobs/${id}/cancel`));
  const again = () => doing(async () => onAgain?.(await api.post("jobs", { kind: job.kind, config: job.config })));
  const remove = async () => {
    const isSure = await confirm(t("Its log and its files are deleted with it."), { title: t("Delete this job?"), yes: t("Delete"), danger: true });
    if (isSure) await doing(() => api.delete(`jobs/${id}`));
  };
  return html`<section class="atelier-card atelier-job" aria-label=${t(job.title)}>
    <header class="atelier-job-head">
      <div class="atelier-grow"><h2>${t(job.title)}</h2><p class="atelier-muted" role="status">${standingOf(job)}</p></div>
      ${isEnded(job)
        ? html`<button type="button" class="atelier-button" onClick=${again}><${Icon} name="reset" /> ${canWait && job.state !== "done" ? t("Go on") : t("Once more")}</button>
            <button type="button" class="atelier-icon-button" title=${t("Delete")} aria-label=${t("Delete")} onClick=${remove}><${Icon} name="bin" /></button>`
        : canWait && job.state === "running"
          ? html`<button type="button" class="atelier-button" aria-pressed=${job.paused} onClick=${pause}><${Icon} name=${job.paused ? "play" : "pause"} /> ${job.paused ? t("Go on") : t("Pause")}</button>
              <button type="button" class="atelier-button" onClick=${stop}><${Icon} name="stop" /> ${t("Stop and save")}</button>`
          : html`<button type="button" class="atelier-button" onClick=${cancel}><${Icon} name="stop" /> ${t("Cancel")}</button>`}
    </header>
    ${!isEnded(job) && html`<${Progress} job=${job} />`}
    ${job.problem && html`<p class="atelier-note" data-severity=${job.state === "interrupted" ? "warning" : "error"} role="alert"><${Icon} name="alert" /> <span>${job.problem}</span></p>`}
    <div class="atelier-job-plots">${plotsOf(job.points).map((series) => html`<${Plot} key=${Object.keys(series)[0]} series=${series} />`)}</div>
    <${Pictures} job=${job} />
    <${Log} lines=${job.lines} />
  </section>`;
}

/** The job, followed until it has ended. */
function useJob(api, id, onChanged) {
  const [found, setFound] = useState({ job: null, problem: "" });
  useEffect(() => {
    let stream = null;
    let isHere = true;
    setFound({ job: null, problem: "" });
    const gone = (problem) => isHere && setFound({ job: null, problem: problem.message });
    api.get(`jobs/${id}`).then((job) => {
      if (!isHere) return;
      setFound({ job, problem: "" });
      if (isEnded(job)) return;
      let { state } = job;
      stream = api.events(`jobs/${id}/events?after=${job.place}`, {
        onEvent: ({ data }) => {
          setFound((all) => (all.job ? { ...all, job: withNews(all.job, data) } : all));
          if (data.state !== state) onChanged();
          state = data.state;
        },
        ended: ({ data }) => isEnded(data),
        onGone: gone,
      });
    }, gone);
    return () => {
      isHere = false;
      stream?.close();
    };
  }, [id]);
  const take = ({ paused }) => setFound((all) => (all.job ? { ...all, job: { ...all.job, paused } } : all));
  return { ...found, take };
}

function Progress({ job }) {
  const part = partOf(job.progress);
  const isAtWork = job.state === "running";
  return html`<div class="atelier-job-progress" data-shown=${isAtWork || undefined}>
    <div role="progressbar" aria-label=${t("Progress of the job")} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${part === null ? undefined : Math.round(part * 100)} data-unknown=${(isAtWork && part === null) || undefined}><span style=${`width: ${(part ?? 0) * 100}%`}></span></div>
    <p class="atelier-muted">${isAtWork ? [part !== null && t("{done} of {total}", job.progress), job.progress?.text, job.progress?.seconds_left && t("{time} left", { time: duration(job.progress.seconds_left) })].filter(Boolean).join(" · ") : ""}</p>
  </div>`;
}

/** Losses share a plot and its scale; what is measured otherwise has one of its own. */
function plotsOf(points) {
  const isLoss = ([name]) => name.includes("loss");
  const losses = Object.entries(points).filter(isLoss);
  const others = Object.entries(points).filter((one) => !isLoss(one));
  return [losses, ...others.map((one) => [one])].filter((group) => group.length > 0).map((group) => Object.fromEntries(group));
}

function Pictures({ job }) {
  const { api } = useApp();
  if (job.pictures.length === 0) return null;
  return html`<ul class="atelier-job-pictures" aria-label=${t("Pictures")}>
    ${job.pictures.map(({ file, title }) => {
      const address = api.url(`jobs/${job.id}/files/${file.split("/").map(encodeURIComponent).join("/")}`);
      return html`<li key=${file}><a href=${address} target="_blank" rel="noreferrer"><img src=${address} alt=${title || file} loading="lazy" /></a><span class="atelier-muted">${title}</span></li>`;
    })}
  </ul>`;
}

/** Its last lines; stays at the end while somebody looks there. */
function Log({ lines }) {
  const box = useRef(null);
  const follows = useRef(true);
  useEffect(() => {
    if (follows.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  const onScroll = ({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => (follows.current = scrollHeight - scrollTop - clientHeight < NEAR_END);
  return html`<div class="atelier-job-log">
    <h3 class="atelier-label">${t("Log")}</h3>
    <pre ref=${box} tabindex="0" role="log" aria-label=${t("Log")} onScroll=${onScroll}>${lines.join("\n")}</pre>
  </div>`;
}

/** How it stands, in a line. */
export function standingOf(job) {
  if (job.state === "queued" && job.before > 0) return t("Waiting, {count} before it", { count: job.before });
  const word = t(STATES[job.state] ?? job.state);
  return job.seconds ? t("{state}, {time}", { state: word, time: duration(job.seconds) }) : word;
}
