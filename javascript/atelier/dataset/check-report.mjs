// What did a check find, and what of it is left out? Findings by their kind, each with its picture and what is proposed.

import { useApp } from "../app.mjs";
import { Icon } from "../icons.mjs";
import { html, useEffect, useState } from "../vendor/htm-preact.mjs";
import { t, tn } from "../words.mjs";
import { groupsOf } from "./clusters.mjs";
import { Thumbnail } from "./picture-parts.mjs";

const REPORT = "report";
const KINDS = {
  broken: "Cannot be used",
  twin: "The same picture",
  alike: "Alike",
  tiny: "Tiny",
  blurred: "Blurred",
  dark: "Too dark",
  bright: "Too bright",
  clipped: "Black or white in large parts",
  subject: "Subject cut by the crop",
  cut: "Cut by the crop",
  shape: "Of another shape than the others",
  turned: "Turned by EXIF",
  transparent: "Transparent",
  odd: "Of an odd kind",
};
const TOGETHER = ["twin", "alike"]; // kinds whose pictures are seen beside each other
const MOST = 60; // findings of a kind, groups, and pictures of a group that are shown; the report has all

/** job: a check that is done;  leftOut: names;  onLeaveOut(names) sets them;  onPrepare() goes on. */
export function CheckReport({ job, folder, leftOut, onLeaveOut, onPrepare }) {
  const { api } = useApp();
  const [report, setReport] = useState(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let isHere = true;
    setReport(null);
    api.get(`jobs/${job.id}/files/${REPORT}.json`).then(
      (told) => isHere && setReport(told),
      (refused) => isHere && setProblem(refused.message),
    );
    return () => (isHere = false);
  }, [job.id]);
  if (problem) return html`<p class="atelier-note" data-severity="warning"><${Icon} name="alert" /> <span>${problem}</span></p>`;
  if (!report) return html`<div class="atelier-loading" role="status">${t("Loading…")}</div>`;
  const crops = Object.fromEntries(report.pictures.map(({ name, crop, kept }) => [name, kept < 0.999 ? crop : null]));
  const kinds = [...new Set(report.findings.map(({ kind }) => kind))];
  const toggle = (name) => onLeaveOut(leftOut.includes(name) ? leftOut.filter((one) => one !== name) : [...leftOut, name]);
  return html`<section class="atelier-card" aria-label=${t("Findings")}>
    <div class="atelier-section-head"><h2>${report.findings.length === 0 ? t("Nothing was found") : tn("{count} finding", "{count} findings", report.findings.length)}</h2>
      <a class="atelier-button" data-look="quiet" href=${api.url(`jobs/${job.id}/files/${REPORT}.html`)} target="_blank" rel="noreferrer"><${Icon} name="full" /> ${t("The whole report")}</a></div>
    <div class="atelier-card-body atelier-stack">
      <${Buckets} buckets=${report.buckets} />
      ${kinds.map((kind) => html`<${Kind} key=${kind} folder=${folder} kind=${kind} crops=${crops} findings=${report.findings.filter((one) => one.kind === kind)} clusters=${kind === "alike" ? report.clusters : []} leftOut=${leftOut} onToggle=${toggle} onLeaveOut=${onLeaveOut} />`)}
      ${leftOut.length > 0 && html`<div class="atelier-row"><button type="button" class="atelier-button" data-look="primary" onClick=${onPrepare}>${tn("Prepare without {count} picture", "Prepare without {count} pictures", leftOut.length)} <${Icon} name="forward" /></button>
        <button type="button" class="atelier-button" data-look="quiet" onClick=${() => onLeaveOut([])}>${t("Leave none out")}</button></div>`}
    </div>
  </section>`;
}

function Kind({ folder, kind, crops, findings, clusters, leftOut, onToggle, onLeaveOut }) {
  const groups = TOGETHER.includes(kind) ? groupsOf(findings, clusters) : null;
  const left = (groups ?? findings).length - MOST;
  const names = [...new Set(findings.map(({ name }) => name))];
  const isAll = names.every((name) => leftOut.includes(name));
  return html`<div class="atelier-dataset-findings">
    <div class="atelier-row"><h3 class="atelier-grow">${t(KINDS[kind] ?? kind)} <span class="atelier-muted">${findings.length}</span></h3>
      <button type="button" class="atelier-button" data-look="quiet" aria-pressed=${isAll} onClick=${() => onLeaveOut(isAll ? leftOut.filter((one) => !names.includes(one)) : [...new Set([...leftOut, ...names])])}>${t("Leave these out")}</button></div>
    ${groups && groups.slice(0, MOST).map((group) => html`<${Group} key=${group.names[0]} folder=${folder} group=${group} leftOut=${leftOut} onToggle=${onToggle} />`)}
    ${!groups && html`<ul>${findings.slice(0, MOST).map(({ name, what, proposal }, place) => html`<li key=${place} data-out=${leftOut.includes(name) || undefined}>
      <${Framed} folder=${folder} name=${name} crop=${crops[name]} />
      <div class="atelier-grow"><b>${name}</b><span>${what}</span><span class="atelier-muted">${proposal}</span></div>
      <${LeaveOut} name=${name} leftOut=${leftOut} onToggle=${onToggle} />
    </li>`)}</ul>`}
    ${left > 0 && html`<p class="atelier-muted">${t("and {count} more", { count: left })}</p>`}
  </div>`;
}

/** Pictures that are alike, beside each other; the one that is proposed to be kept comes first. */
function Group({ folder, group: { names, findings }, leftOut, onToggle }) {
  const about = Object.fromEntries(findings.map((one) => [one.name, one.what]));
  return html`<section class="atelier-dataset-group" aria-label=${tn("{count} picture", "{count} pictures", names.length)}>
    <p class="atelier-muted">${tn("{count} picture", "{count} pictures", names.length)} · ${findings[0].proposal}</p>
    <ul>${names.slice(0, MOST).map((name) => html`<li key=${name} data-out=${leftOut.includes(name) || undefined}>
      <${Framed} folder=${folder} name=${name} />
      <b title=${about[name] ? `${name}: ${about[name]}` : name}>${name}</b>
      <${LeaveOut} name=${name} leftOut=${leftOut} onToggle=${onToggle} />
    </li>`)}</ul>
    ${names.length > MOST && html`<p class="atelier-muted">${t("and {count} more", { count: names.length - MOST })}</p>`}
  </section>`;
}

function LeaveOut({ name, leftOut, onToggle }) {
  return html`<label class="atelier-row-tight"><input type="checkbox" checked=${leftOut.includes(name)} onChange=${() => onToggle(name)} /> ${t("Leave out")}<span class="atelier-hidden"> ${name}</span></label>`;
}

/** A picture with a frame around what a training's crop leaves of it. */
function Framed({ folder, name, crop }) {
  const percent = (share) => `${(100 * share).toFixed(1)}%`;
  const style = crop && `left: ${percent(crop.left)}; top: ${percent(crop.top)}; width: ${percent(crop.right - crop.left)}; height: ${percent(crop.bottom - crop.top)}`;
  return html`<span class="atelier-dataset-framed"><span><${Thumbnail} folder=${folder} picture=${{ name }} alt="" />${crop && html`<i style=${style}></i>`}</span></span>`;
}

/** Into which shapes a training sorts the pictures. */
function Buckets({ buckets }) {
  if (!buckets?.length) return null;
  return html`<div><h3 class="atelier-label">${t("Sizes that a training makes of them")}</h3><ul class="atelier-buckets" aria-label=${t("Sizes")}>${buckets.map(
    ({ width, height, pictures }) => html`<li key=${`${width} ${height}`}><span style=${`aspect-ratio: ${width} / ${height}`} aria-hidden="true"></span><b>${pictures}</b><span class="atelier-muted">${width} × ${height}</span></li>`,
  )}</ul></div>`;
}
