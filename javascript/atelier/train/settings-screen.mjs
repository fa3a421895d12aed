// With which settings is it trained? One of three presets by the GPU's memory, every field for experts, and what it will take.

import { Form } from "../form.mjs";
import { Icon } from "../icons.mjs";
import { same } from "../paths.mjs";
import { html, useState } from "../vendor/htm-preact.mjs";
import { bytes, duration, t } from "../words.mjs";
import { complete, notesOf, withPreset } from "./config.mjs";
import { looked } from "./look.mjs";

export function SettingsScreen({ app, known, draft, change, go, look }) {
  const [isExpert, setExpert] = useState(false);
  const { schema, presets } = known;
  const { training } = draft;
  const choose = (name) => change({ ...draft, preset: name, training: withPreset(training, presets, name) });
  const notes = notesOf(look.value !== null && same(look.value, training) ? look.findings : []);
  return html`<div class="atelier-train-columns">
    <div class="atelier-stack">
      <section class="atelier-card" aria-label=${t("Memory of the GPU")}><div class="atelier-section-head"><h3>${t("Memory of the GPU")}</h3></div>
        <div class="atelier-card-body atelier-train-presets" role="radiogroup" aria-label=${t("Memory of the GPU")}>
          ${presets.map(({ name, title, about }) => html`<label class="atelier-train-preset" key=${name} data-chosen=${draft.preset === name || undefined}>
            <input type="radio" name="atelier-train-preset" checked=${draft.preset === name} onChange=${() => choose(name)} /> <span><b>${t(title)}</b><span class="atelier-muted">${t(about)}</span></span>
          </label>`)}
        </div></section>
      <section class="atelier-card" aria-label=${t("Every setting")}><div class="atelier-section-head"><h3>${t("Every setting")}</h3>
          <label class="atelier-row-tight"><input type="checkbox" role="switch" class="atelier-switch" checked=${isExpert} onChange=${(event) => setExpert(event.target.checked)} /> ${t("Show")}</label></div>
        ${isExpert
          ? html`<div class="atelier-card-body"><${Form} root=${schema} schema=${schema} value=${training} onChange=${(next) => change({ ...draft, training: next })} around=${{ id: ["train", "all"], notes }} /></div>`
          : html`<p class="atelier-card-body atelier-muted">${t("The preset sets what matters; here is everything that the trainer can be told.")}</p>`}
      </section>
    </div>
    <${Estimate} ...${{ app, known, training, go }} />
  </div>`;
}

function Estimate({ app, known, training, go }) {
  const [state, setState] = useState({ value: null, told: null, problem: "", isBusy: false });
  async function estimate() {
    setState({ value: training, told: null, problem: "", isBusy: true });
    try {
      const { findings, problem } = await looked(app.api, "estimate", complete(training, known));
      setState({ value: training, told: findings.find((one) => one.event === "estimate") ?? null, problem, isBusy: false });
    } catch (problem) {
      setState({ value: training, told: null, problem: problem.message, isBusy: false });
    }
  }
  const isFresh = state.value !== null && same(state.value, training);
  return html`<section class="atelier-card" aria-label=${t("What it takes")}><div class="atelier-section-head"><h3>${t("What it takes")}</h3></div><div class="atelier-card-body atelier-stack">
    <div class="atelier-row">
      <button type="button" class="atelier-button" disabled=${state.isBusy} onClick=${estimate}><${Icon} name="spark" /> ${state.isBusy ? t("Estimating…") : t("Estimate")}</button>
      <button type="button" class="atelier-button" data-look="primary" onClick=${() => go("run")}>${t("On to the training")} <${Icon} name="forward" /></button>
    </div>
    <div role="status">
      ${isFresh && state.told && html`<${Told} told=${state.told} />`}
      ${isFresh && state.problem && html`<p class="atelier-note atelier-train-lines" data-severity="error"><${Icon} name="alert" /> <span>${state.problem}</span></p>`}
      ${!(isFresh && (state.told || state.problem)) && html`<p class="atelier-muted">${t("Memory, disk and time are worked out before anything is loaded.")}</p>`}
    </div>
  </div></section>`;
}

function Told({ told }) {
  const facts = [
    ["Memory", t("{needed} of {there}", { needed: bytes(told.memory), there: bytes(told.memory_there) }), told.memory > told.memory_there],
    ["Disk", t("{needed} of {there} free", { needed: bytes(told.disk), there: bytes(told.disk_there) }), told.disk > told.disk_there],
    ["Time", duration(told.seconds), false],
    ["Steps", String(told.steps), false],
    ["Device", `${told.device}, ${told.precision}`, false],
  ];
  return html`<dl class="atelier-train-facts">${facts.map(
    ([name, value, isShort]) => html`<div key=${name} data-short=${isShort || undefined}><dt class="atelier-muted">${t(name)}</dt><dd>${value}</dd></div>`,
  )}</dl>
  ${told.memory > told.memory_there && html`<p class="atelier-note" data-severity="warning"><${Icon} name="alert" /> <span>${t("It takes more memory than there is. Choose a smaller preset, a smaller batch or a lower resolution.")}</span></p>`}`;
}
