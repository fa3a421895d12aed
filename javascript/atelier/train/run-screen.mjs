// How does the training go? Start, the queue of trainings, the one that is looked at, and the finished LoRA's way into a prompt.

import { Icon } from "../icons.mjs";
import { isEnded } from "../jobs/account.mjs";
import { JobView, standingOf } from "../jobs/job-view.mjs";
import { loraWord, toggled } from "../host/networks.mjs";
import { html, useEffect, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { complete, isReady } from "./config.mjs";
import { finishedOf, nameOf } from "./finished.mjs";

const RHYTHM = 2500; // milliseconds between two looks while a training is not done
const TABS = ["txt2img", "img2img"];
const FIGURES = [["validation_loss", "Validation loss"], ["agreement", "Agreement with the prompt"], ["likeness", "Likeness to the pictures"], ["kept", "Kept of the base model"]];

export function RunScreen({ app, known, draft, go, job }) {
  const [jobs, setJobs] = useState(null);
  const [refused, setRefused] = useState("");
  const load = () => app.api.get("jobs").then((all) => setJobs(all.filter((one) => one.kind === "train")), () => {});
  useEffect(() => void load(), []);
  const isAtWork = jobs?.some((one) => !isEnded(one)) ?? false;
  useEffect(() => {
    if (!isAtWork) return undefined;
    const timer = setInterval(() => document.visibilityState === "visible" && load(), RHYTHM);
    return () => clearInterval(timer);
  }, [isAtWork]);

  async function start() {
    setRefused("");
    try {
      const begun = await app.api.post("jobs", { kind: "train", config: complete(draft.training, known) });
      await load();
      go("run", { job: begun.id });
    } catch (problem) {
      setRefused(problem.message);
    }
  }
  const shown = jobs?.find((one) => one.id === job) ?? jobs?.find((one) => one.state === "running") ?? jobs?.[0];
  return html`<div class="atelier-train-columns" data-wide-end>
    <div class="atelier-stack">
      <section class="atelier-card" aria-label=${t("Start")}><div class="atelier-section-head"><h3>${draft.training.name || t("A new LoRA")}</h3></div><div class="atelier-card-body atelier-stack">
        ${!isReady(draft.training) && html`<p class="atelier-muted">${t("A name, a base model and a folder of pictures are still missing.")} <button type="button" class="atelier-link" onClick=${() => go("pictures")}>${t("Pictures")}</button></p>`}
        <div class="atelier-row"><button type="button" class="atelier-button" data-look="primary" disabled=${!isReady(draft.training)} onClick=${start}><${Icon} name="play" /> ${isAtWork ? t("Put it into the queue") : t("Train")}</button></div>
        ${refused && html`<p class="atelier-note atelier-train-lines" data-severity="error" role="alert"><${Icon} name="alert" /> <span>${refused}</span></p>`}
        <p class="atelier-muted">${t("The settings are frozen with the training; later edits do not reach it. It goes on when this page is closed.")}</p>
      </div></section>
      ${jobs?.length > 0 && html`<nav class="atelier-card" aria-label=${t("Trainings")}><ul class="atelier-job-list">
        ${jobs.map((one) => html`<li key=${one.id}><button type="button" class="atelier-job-line" data-state=${one.state} aria-current=${one.id === shown?.id ? "true" : undefined} onClick=${() => go("run", { job: one.id })}>
          <span class="atelier-grow"><b>${one.title}</b><span class="atelier-muted">${standingOf(one)}</span></span>
        </button></li>`)}
      </ul></nav>`}
    </div>
    <div class="atelier-stack">
      ${shown?.state === "done" && html`<${Finished} key=${shown.id} app=${app} id=${shown.id} />`}
      ${shown
        ? html`<${JobView} key=${`${shown.id} view`} id=${shown.id} onChanged=${load} onAgain=${(begun) => go("run", { job: begun.id })} />`
        : jobs && html`<div class="atelier-empty"><p>${t("Nothing was trained yet.")}</p></div>`}
    </div>
  </div>`;
}

/** Where the file went, which of the saves is proposed and why, and one click into a prompt. */
function Finished({ app, id }) {
  const [made, setMade] = useState(null);
  const [isLast, setLast] = useState(false);
  useEffect(() => {
    app.api.get(`jobs/${id}`).then((job) => setMade(finishedOf(job)), () => {});
    app.inventory.fresh(); // the backends look for new LoRAs
  }, [id]);
  if (!made?.last) return null;
  const { best, last, isThere, trigger, saves, findings } = made;
  const file = best && !isLast ? best.file : last;
  const name = nameOf(file);
  const intoOurs = () => {
    const { recipe } = app.store.state.get();
    if (recipe?.stages?.length) {
      const { settings = {} } = recipe;
      app.store.change((draft) => ({ ...draft, recipe: { ...recipe, settings: { ...settings, prompt: toggled(settings.prompt ?? "", loraWord(name)) } } }));
    } else {
      app.store.open({ recipe: { version: 1, name: "try-a-lora", settings: { prompt: `${trigger} ${loraWord(name)}`.trim() }, stages: [{ id: "base", type: "txt2img" }] }, inputs: {}, base: "" });
    }
    app.toast(t("It stands in the prompt now."), { kind: "done", action: { label: t("Refine"), run: () => app.open("refine") } });
  };
  return html`<section class="atelier-card" aria-label=${t("The LoRA is ready")}><div class="atelier-section-head"><h3>${t("The LoRA is ready")}</h3></div><div class="atelier-card-body atelier-stack">
    <code class="atelier-code">${file}</code>
    ${best && html`<p>${t("The save of step {step} seems to be the best.", { step: best.step })} <button type="button" class="atelier-link" onClick=${() => setLast(!isLast)}>${isLast ? t("Take that one") : t("Take the last one instead")}</button></p>`}
    ${!isThere && html`<p class="atelier-note" data-severity="warning"><${Icon} name="alert" /> <span>${t("It lies in the run's folder only. Copy it into the folder of LoRAs, or name that under Output before the training.")}</span></p>`}
    <div class="atelier-row">
      <button type="button" class="atelier-button" data-look="primary" onClick=${intoOurs}><${Icon} name="add" /> ${t("Into the prompt: {word}", { word: loraWord(name) })}</button>
      ${app.exchange && TABS.map((tab) => html`<button type="button" class="atelier-button" key=${tab} title=${t("Into the prompt of {tab}", { tab })} onClick=${() => app.exchange.insertInto(tab, loraWord(name))}>${tab}</button>`)}
    </div>
    ${findings.map((text) => html`<p class="atelier-note atelier-train-lines" data-severity="warning" key=${text}><${Icon} name="alert" /> <span>${text}</span></p>`)}
    ${saves.length > 0 && html`<${Saves} saves=${saves} proposed=${made.proposed} />`}
  </div></section>`;
}

/** What was measured of each save. */
function Saves({ saves, proposed }) {
  const shown = FIGURES.filter(([key]) => saves.some((save) => typeof save[key] === "number"));
  return html`<div class="atelier-table-box"><table class="atelier-table" aria-label=${t("The saves compared")}>
    <thead><tr><th scope="col">${t("Step")}</th>${shown.map(([key, word]) => html`<th scope="col" key=${key}>${t(word)}</th>`)}</tr></thead>
    <tbody>${saves.map((save) => html`<tr key=${save.file} aria-current=${save.file === proposed ? "true" : undefined}><th scope="row">${save.step}${save.file === proposed ? ` ${t("(the best)")}` : ""}</th>${shown.map(([key]) => html`<td key=${key}>${typeof save[key] === "number" ? save[key].toFixed(3) : "–"}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}
