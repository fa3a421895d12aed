// How is one stage edited? A card: what it is and what the plan says of it at a glance, its fields when it is unfolded.

import { useApp } from "../app.mjs";
import { useCell } from "../cell.mjs";
import { Form } from "../form.mjs";
import { Icon } from "../icons.mjs";
import { capital, strip } from "../schema.mjs";
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { t, tn } from "../words.mjs";
import { useNear } from "./filmstrip.mjs";
import { stageBadge } from "./plan-words.mjs";
import { runWatchOf } from "./run-watch.mjs";

const IN_HEAD = ["id", "title", "enabled"]; // shown in the card's head
const MOST_TOLD = 4; // settings in the line of a folded card

export function StageCard({ root, schema, stage, place, count, isOpen, onToggle, onChange, onRename, tools, planned, progress, notes, around, drag }) {
  const [isNaming, setNaming] = useState(false);
  const isOff = stage.enabled === false;
  const badge = stageBadge(planned);
  const loud = Object.values(notes).flat();
  const name = stage.title || stage.id;
  const reasons = (planned?.why ?? []).filter((reason) => reason !== "new");
  return html`<li class="atelier-card atelier-stage" data-stage=${stage.id} data-off=${isOff || undefined} data-open=${isOpen || undefined} data-dragged=${drag.isDragged || undefined} data-target=${drag.target || undefined} ...${drag.card}>
    <div class="atelier-stage-head">
      <button type="button" class="atelier-tiny atelier-handle" aria-label=${t("Move {name}: arrow keys, or drag", { name })} title=${t("Move: arrow keys, or drag")} ...${drag.handle}><${Icon} name="drag" /></button>
      <button type="button" class="atelier-stage-face" aria-expanded=${isOpen} onClick=${onToggle}>
        <${StagePicture} stage=${stage.id} />
        <span class="atelier-stage-words">
          <span class="atelier-stage-name"><b>${name}</b> <span class="atelier-muted">${stage.type}</span></span>
          <span class="atelier-stage-told atelier-muted">${isOff ? t("switched off") : summary(root, schema, stage).map((one) => html`<span key=${one}>${one}</span>`)}</span>
        </span>
        <span class="atelier-badges">
          ${loud.length > 0 && html`<span class="atelier-badge" data-kind=${loud.some((note) => note.severity === "error") ? "error" : "warning"}><${Icon} name="alert" />${loud.length}<span class="atelier-hidden"> ${tn("note", "notes", loud.length)}</span></span>`}
          ${!isOff && badge.text && html`<span class="atelier-badge" data-kind=${badge.kind} title=${(planned?.why ?? []).join("\n")}>${badge.text}</span>`}
        </span>
        <${Icon} name=${isOpen ? "up" : "down"} />
      </button>
      <${StageBar} progress=${progress} />
    </div>
    ${isOpen &&
    html`<div class="atelier-stage-body">
      <div class="atelier-stage-tools">
        <input type="checkbox" role="switch" class="atelier-switch" checked=${!isOff} aria-label=${t("{name}: switched on", { name })} title=${t("Switch on or off")} onChange=${(event) => onChange(event.target.checked ? without(stage, "enabled") : { ...stage, enabled: false })} />
        ${isNaming
          ? html`<form class="atelier-row-tight atelier-grow" onSubmit=${(event) => (event.preventDefault(), onRename(event.target.elements.id.value.trim(), event.target.elements.title.value.trim()), setNaming(false))}>
              <input class="atelier-input" name="id" aria-label=${t("Name, as others take it")} value=${stage.id} pattern="[A-Za-z_][A-Za-z0-9_\\-]*" required autofocus />
              <input class="atelier-input" name="title" aria-label=${t("Title")} placeholder=${t("Title")} value=${stage.title ?? ""} />
              <button type="submit" class="atelier-icon-button" aria-label=${t("Keep the name")}><${Icon} name="check" /></button>
            </form>`
          : html`<span class="atelier-grow"></span><button type="button" class="atelier-button" data-look="quiet" onClick=${() => setNaming(true)}><${Icon} name="edit" /> ${t("Rename")}</button>`}
        <button type="button" class="atelier-icon-button" title=${t("Move up")} aria-label=${t("Move up")} disabled=${place === 0} onClick=${() => tools.move(place - 1)}><${Icon} name="up" /></button>
        <button type="button" class="atelier-icon-button" title=${t("Move down")} aria-label=${t("Move down")} disabled=${place === count - 1} onClick=${() => tools.move(place + 1)}><${Icon} name="down" /></button>
        <button type="button" class="atelier-icon-button" title=${t("Duplicate")} aria-label=${t("Duplicate")} onClick=${tools.copy}><${Icon} name="copy" /></button>
        <button type="button" class="atelier-icon-button" title=${t("Delete")} aria-label=${t("Delete")} onClick=${tools.remove}><${Icon} name="bin" /></button>
      </div>
      ${reasons.length > 0 && html`<p class="atelier-why">${reasons.join(" · ")}</p>`}
      ${(notes[""] ?? []).map((note) => html`<p class="atelier-note" data-severity=${note.severity}><${Icon} name="alert" /> <span>${note.message}</span></p>`)}
      ${schema ? html`<${Form} root=${root} schema=${schema} value=${stage} onChange=${onChange} around=${around} hidden=${IN_HEAD} />` : html`<p class="atelier-note" data-severity="error"><${Icon} name="alert" /> <span>${t('"{type}" is no type of stage that this server knows.', { type: stage.type })}</span></p>`}
    </div>`}
  </li>`;
}

/** The newest picture of the stage, where the run has one. */
function StagePicture({ stage }) {
  const app = useApp();
  const watch = runWatchOf(app);
  const box = useRef(null);
  const isNear = useNear(box);
  const done = useCell(watch.run, (run) => run?.stages?.find((one) => one.stage === stage)?.done ?? 0);
  const { list, asked } = useCell(watch.pictures(stage));
  useEffect(() => void (isNear && done > 0 && !asked && watch.more(stage)), [isNear, done > 0, asked]);
  const last = list.at(-1);
  return html`<span class="atelier-cover atelier-stage-picture" ref=${box}>${last ? html`<img src=${app.api.thumbnail(last.id, 96)} alt="" loading="lazy" />` : html`<${Icon} name="picture" />`}</span>`;
}

function StageBar({ progress }) {
  if (!progress || progress.total === 0 || progress.left + progress.running === 0) return null;
  return html`<div class="atelier-bar" role="progressbar" aria-valuemin="0" aria-valuemax=${progress.total} aria-valuenow=${progress.done} aria-label=${t("Progress of this stage")}><span style=${`width: ${(100 * progress.done) / progress.total}%`}></span></div>`;
}

/** What was set, in the schema's own words: ["Denoising strength 0.4", "Batch size 2"]. */
export function summary(root, schema, stage) {
  const told = [];
  for (const [name, value] of Object.entries(stage)) {
    const property = schema?.properties?.[name];
    if (!property || IN_HEAD.includes(name) || "const" in property || value === undefined) continue;
    const { schema: found } = strip(root, property);
    if (JSON.stringify(value) === JSON.stringify(found.default)) continue;
    told.push({ text: toldOf(t(found.title ?? capital(name)), value), rank: found["x-source"] ? 0 : found["x-advanced"] ? 3 : found["x-prompt"] ? 2 : 1 });
  }
  const shown = told.filter((one) => one.text).sort((a, b) => a.rank - b.rank);
  return shown.slice(0, MOST_TOLD).map((one) => one.text);
}

function toldOf(label, value) {
  if (Array.isArray(value)) {
    if (value.length === 0) return "";
    return value.every((one) => typeof one !== "object") ? `${label} ${value.join(", ")}` : `${label} × ${value.length}`;
  }
  if (typeof value === "object" && value !== null) return value.kind ? `${label}: ${value.kind}` : label;
  if (typeof value === "boolean") return value ? label : "";
  const text = typeof value === "string" && value.length > 40 ? `${value.slice(0, 38)}…` : String(value ?? "");
  return text === "" ? "" : `${label} ${text}`;
}

function without(stage, name) {
  return Object.fromEntries(Object.entries(stage).filter(([key]) => key !== name));
}
