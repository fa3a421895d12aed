// How do merges compare before one is kept? Candidates under names of their own, drawn on one sheet, and deleted again.

import { useApp } from "../app.mjs";
import { isEnded } from "../jobs/account.mjs";
import { beginRun } from "../runs/starting.mjs";
import { html, useEffect, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { candidates, tryRecipe } from "./config.mjs";
import { keepTried, triedLast } from "./tried.mjs";
import { TriedSheet } from "./tried-sheet.mjs";

const LOOK = 700; // milliseconds
const METHODS = ["concatenate", "linear", "svd", "ties", "dare", "prune"];

/** `config`: of a merge, complete; onTake(config): its method and weights are wanted. */
export function TryCard({ config, prefix, onTake }) {
  const app = useApp();
  const [tried, setTried] = useState([]);
  const [methods, setMethods] = useState(["concatenate"]);
  const [factors, setFactors] = useState("0.7, 1");
  const [prompt, setPrompt] = useState(triedLast().prompt);
  const [standing, setStanding] = useState("");
  const [last, setLast] = useState(triedLast());
  const keep = (next) => setLast(keepTried(next));
  const load = () => app.api.get("merging").then((told) => setTried(told.tried), () => {});
  useEffect(() => void load(), []);

  const numbers = factors.split(/[\s,;]+/).filter(Boolean).map(Number).filter(Number.isFinite);
  const own = config.method ?? { kind: "concatenate" };
  const chosen = methods.map((kind) => (own.kind === kind ? own : { kind }));
  const all = candidates(config, chosen, numbers, prefix);

  async function remove() {
    for (const name of tried) await app.api.delete(`merging/tried/${encodeURIComponent(name)}`);
    await Promise.all([load(), app.inventory.fresh()]);
    keep({ made: [], run: "" });
  }
  async function begin() {
    const done = [];
    for (const [place, one] of all.entries()) {
      setStanding(t("Merging {place} of {count}", { place: place + 1, count: all.length }));
      done.push({ ...one, ...(await merged(app.api, one.config)) });
    }
    setStanding(t("Looking for the new LoRAs"));
    await Promise.all([load(), app.inventory.fresh()]);
    const { prompt: before, loras, ...settings } = app.store.state.get().recipe?.settings ?? {};
    const run = await beginRun(app, { recipe: tryRecipe(done.map(({ name }) => name), prompt, settings), inputs: {} });
    keep({ made: done, run: run?.id ?? "", prompt });
  }
  const doing = (work) => async () => {
    setStanding(t("At work"));
    try {
      await work();
    } catch (problem) {
      app.toast(problem.message, { kind: "error" });
    }
    setStanding("");
  };
  const toggle = (kind) => setMethods(methods.includes(kind) ? methods.filter((one) => one !== kind) : [...methods, kind]);
  return html`<section class="atelier-card" aria-label=${t("Try before saving")}>
    <div class="atelier-section-head"><h3>${t("Try before saving")}</h3></div>
    <div class="atelier-card-body atelier-stack">
      <p class="atelier-muted">${t("Each is merged under a name of its own and drawn with the same prompt, on one sheet.")}</p>
      <div role="group" aria-label=${t("Methods to try")} class="atelier-row">
        ${METHODS.map((kind) => html`<label key=${kind} class="atelier-merge-pick"><input type="checkbox" checked=${methods.includes(kind)} onChange=${() => toggle(kind)} /> ${kind}</label>`)}
      </div>
      <label><span class="atelier-label">${t("All weights times")}</span>
        <input type="text" class="atelier-input" inputmode="decimal" value=${factors} onInput=${(event) => setFactors(event.target.value)} /></label>
      <label class="prompt"><span class="atelier-label">${t("Prompt of the sheet")}</span>
        <textarea class="atelier-input" rows="2" value=${prompt} onInput=${(event) => setPrompt(event.target.value)}></textarea></label>
      <div class="atelier-row">
        <button type="button" class="atelier-button" disabled=${!all.length || !prompt.trim() || standing !== ""} onClick=${doing(begin)}>${t("Draw {count} of them", { count: all.length })}</button>
        ${tried.length > 0 && html`<button type="button" class="atelier-button" data-look="danger" disabled=${standing !== ""} onClick=${doing(remove)}>${t("Delete what was tried ({count})", { count: tried.length })}</button>`}
        <span class="atelier-muted" role="status">${standing}</span>
      </div>
      ${last.run && html`<${TriedSheet} key=${last.run} id=${last.run} />`}
      ${last.made.length > 0 && html`<ul class="atelier-stack">${last.made.map((one) => html`<li class="atelier-row" key=${one.name}><span class="atelier-grow">${one.name}</span>
        <button type="button" class="atelier-button" data-look="quiet" onClick=${() => onTake({ ...config, loras: one.config.loras, method: one.config.method })}>${t("Take its settings")}</button></li>`)}</ul>`}
    </div>
  </section>`;
}

/** {name, asked} of the LoRA that a merge made, when it has. */
async function merged(api, config) {
  let job = await api.post("jobs", { kind: "merge", config });
  while (!isEnded(job)) {
    await new Promise((go) => setTimeout(go, LOOK));
    job = await api.get(`jobs/${job.id}`);
  }
  const file = job.findings?.find(({ event }) => event === "result")?.file;
  if (job.state !== "done" || !file) throw new Error(job.problem || t("It was not merged."));
  return { name: file.replace(/\.safetensors$/, ""), asked: job.config };
}
