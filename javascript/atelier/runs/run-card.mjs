// How is one run shown among others? Its last picture, how it stands, and what can be done with it.

import { useApp } from "../app.mjs";
import { Icon } from "../icons.mjs";
import { html } from "../vendor/htm-preact.mjs";
import { duration, t } from "../words.mjs";
import { whenText } from "./again.mjs";

const STATES = { new: "Begins", running: "At work", paused: "Paused", waiting: "Waits for a choice", done: "Done", failed: "Failed", cancelled: "Cancelled" };
const CAN_GO_ON = ["paused", "failed", "cancelled"];
const LONG = 1.6; // times as long as wide
const AT_WORK = ["new", "running"];

export { AT_WORK, STATES };

/** acts: {open, edit, again, resume, choose, pause, remove}, each told the run. */
export function RunCard({ run, acts, now }) {
  const { api } = useApp();
  const { total, done, failed, left_out: leftOut } = run.counts;
  const isAtWork = AT_WORK.includes(run.state);
  const name = run.title || run.name;
  const label = (word) => `${word}: ${name}, ${whenText(run.created, now)}`;
  return html`<li class="atelier-card atelier-run-card" data-state=${run.state}>
    <button type="button" class="atelier-run-face" onClick=${() => acts.open(run)}>
      <span class="atelier-hidden">${t("Open")}: </span>
      <span class="atelier-cover atelier-run-cover">${run.cover ? html`<img src=${api.thumbnail(run.cover, 384)} alt="" loading="lazy" decoding="async" onLoad=${({ target }) => target.toggleAttribute("data-long", isLong(target))} />` : html`<${Icon} name="picture" />`}</span>
      <span class="atelier-run-words">
        <b>${name}</b>
        <span class="atelier-muted">${[whenText(run.created, now), `${done} / ${total - leftOut}`, run.seconds >= 1 && duration(run.seconds)].filter(Boolean).join(" · ")}</span>
      </span>
    </button>
    <span class="atelier-badge atelier-run-state" data-kind=${{ failed: "error", waiting: "warning", new: "run", running: "run" }[run.state]}>${t(STATES[run.state])}${failed > 0 && run.state !== "failed" ? ` · ${t("{failed} failed", { failed })}` : ""}</span>
    ${run.message && run.state === "failed" && html`<p class="atelier-note atelier-run-message" data-severity="error" title=${run.message}>${run.message}</p>`}
    <div class="atelier-run-acts">
      ${run.state === "waiting" && html`<button type="button" class="atelier-button" data-look="primary" onClick=${() => acts.choose(run)}><${Icon} name="eye" /> ${t("Choose")}</button>`}
      ${CAN_GO_ON.includes(run.state) && html`<button type="button" class="atelier-button" onClick=${() => acts.resume(run)}><${Icon} name="play" /> ${t("Go on")}</button>`}
      ${isAtWork && html`<button type="button" class="atelier-button" onClick=${() => acts.pause(run)}><${Icon} name="pause" /> ${t("Pause")}</button>`}
      <span class="atelier-grow"></span>
      <${Act} icon="edit" label=${t("Edit its recipe")} of=${label} onClick=${() => acts.edit(run)} />
      <${Act} icon="reset" label=${t("Run it again")} of=${label} onClick=${() => acts.again(run)} />
      <a class="atelier-icon-button" href=${api.url(`runs/${run.id}/files.zip`)} download=${`${run.id}.zip`} title=${t("All its files")} aria-label=${label(t("All its files"))} aria-disabled=${done === 0 || undefined}><${Icon} name="download" /></a>
      <${Act} icon="bin" label=${t("Delete")} of=${label} disabled=${isAtWork || run.pinned} onClick=${() => acts.remove(run)} />
    </div>
    ${isAtWork && total > 0 && html`<div class="atelier-bar" role="progressbar" aria-label=${label(t("Progress"))} aria-valuemin="0" aria-valuemax=${total} aria-valuenow=${done + failed}><span style=${`width: ${(100 * (done + failed)) / total}%`}></span></div>`}
  </li>`;
}

/** Whether so much would be cut off a picture, such as a sheet, that it says nothing any more. */
function isLong({ naturalWidth: width, naturalHeight: height }) {
  return Math.max(width, height) > LONG * Math.min(width, height);
}

function Act({ icon, label, of, ...rest }) {
  return html`<button type="button" class="atelier-icon-button" title=${label} aria-label=${of(label)} ...${rest}><${Icon} name=${icon} /></button>`;
}
