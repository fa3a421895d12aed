// How do LoRAs and checkpoints become others? What is asked for, what is strange about it, and the job that does it.

import { Form } from "../form.mjs";
import { Icon } from "../icons.mjs";
import { isEnded } from "../jobs/account.mjs";
import { JobView } from "../jobs/job-view.mjs";
import { COMMANDS, isComplete, notesOf, onPage, startOf } from "../merge/config.mjs";
import { ContentsCard } from "../merge/contents-card.mjs";
import { ModelPicker } from "../merge/model-picker.mjs";
import { ResultCard } from "../merge/result-card.mjs";
import { TryCard } from "../merge/try-card.mjs";
import { formOf, formsOf } from "../schema.mjs";
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

let kept = {}; // what was asked for, by command, while other pages are looked at
const PAUSE = 700; // milliseconds after an edit, before it is looked at

/** `params.do`: the command; `params.job`: the job that is shown; `params.file`: what is looked into. */
export function MergePage({ app, params = {} }) {
  const command = params.do in COMMANDS ? params.do : "merge";
  const [told, setTold] = useState({ kinds: null, about: null, problem: "" });
  const [configs, setConfigs] = useState(kept);
  const [job, setJob] = useState(null);
  useEffect(() => {
    Promise.all([app.api.get("jobs/kinds"), app.api.get("merging")]).then(
      ([kinds, about]) => setTold({ kinds, about, problem: "" }),
      (problem) => setTold({ kinds: null, about: null, problem: problem.message }),
    );
  }, []);
  const id = params.job ?? "";
  const load = () => (id ? app.api.get(`jobs/${id}`).then(setJob, () => setJob(null)) : setJob(null));
  useEffect(() => void load(), [id]);
  useNewNames(app, job);
  useEffect(() => void (kept = configs), [configs]);
  useEffect(() => {
    if (id) return;
    const show = (jobs) => {
      const found = jobs.find((one) => one.kind in COMMANDS && !isEnded(one));
      if (found && app.page.get().name === "merge") app.open("merge", { do: found.kind, job: found.id });
    };
    app.api.get("jobs").then(show, () => {});
  }, []);
  useEffect(() => {
    if (job && job.kind in COMMANDS) setConfigs((all) => (all[job.kind] ? all : { ...all, [job.kind]: job.config }));
  }, [job?.id]);

  const config = configs[command] ?? (params.file ? { file: params.file } : startOf(command));
  const checked = useCheck(app.api, command, config);
  if (told.problem) return html`<div class="atelier-empty" role="alert"><p>${told.problem}</p></div>`;
  if (!told.kinds) return html`<div class="atelier-loading" role="status">${t("Loading…")}</div>`;

  const set = (next) => setConfigs((all) => ({ ...all, [command]: next }));
  const go = (name, more = {}) => app.open("merge", { do: name, ...more });
  const schema = onPage(told.kinds[command]);
  const notes = notesOf(config, checked.told);
  const around = { id: ["merge", command], notes, beside: (given) => html`<${Beside} ...${given} presets=${told.about.presets} />` };
  const start = async () => {
    try {
      go(command, { job: (await app.api.post("jobs", { kind: command, config })).id });
    } catch (problem) {
      app.toast(problem.message, { kind: "error" });
    }
  };
  return html`<div class="atelier-merge">
    <nav class="atelier-merge-commands" aria-label=${t("What to do")}>
      ${Object.entries(COMMANDS).map(([name, { title }]) => html`<button type="button" key=${name} class="atelier-button" data-look="quiet" aria-pressed=${name === command} onClick=${() => go(name)}>${t(title)}</button>`)}
    </nav>
    <div class="atelier-merge-columns">
      <section class="atelier-card" aria-label=${t(COMMANDS[command].title)}>
        <div class="atelier-section-head"><h2>${t(COMMANDS[command].title)}</h2></div>
        <div class="atelier-card-body">
          <p class="atelier-muted">${t(COMMANDS[command].about)}</p>
          <${Form} key=${command} root=${schema} schema=${schema} value=${config} onChange=${set} around=${around} hidden=${["plot", "contents"]} />
          <${Before} command=${command} config=${config} checked=${checked} notes=${notes[""] ?? []} onStart=${start} />
        </div>
      </section>
      <div class="atelier-stack">
        ${job?.state === "done" && job.kind === "inspect" && html`<${ContentsCard} key=${job.id} id=${job.id} />`}
        ${job?.state === "done" && html`<${ResultCard} job=${job} onInspect=${(file) => (setConfigs((all) => ({ ...all, inspect: { file } })), go("inspect"))} />`}
        ${id && html`<${JobView} key=${id} id=${id} onChanged=${load} onAgain=${(begun) => go(command, { job: begun.id })} />`}
        ${command === "merge" && isComplete(config) && html`<${TryCard} config=${config} prefix=${told.about.try} onTake=${set} />`}
        ${!id && html`<div class="atelier-empty"><p>${t("Old files are never touched: a name that is taken gets a number.")}</p></div>`}
      </div>
    </div>
  </div>`;
}

/** What is known before it is started, and the button. */
function Before({ command, config, checked, notes, onStart }) {
  const { told, isLooking } = checked;
  return html`<div class="atelier-merge-before">
    ${notes.map(({ severity, message }) => html`<p class="atelier-note" key=${message} data-severity=${severity} role=${severity === "error" ? "alert" : undefined}><${Icon} name="alert" /> <span>${message}</span></p>`)}
    <div class="atelier-row">
      <button type="button" class="atelier-button" data-look="primary" disabled=${!isComplete(config) || Boolean(told?.problem)} onClick=${onStart}><${Icon} name="play" /> ${t(COMMANDS[command].title)}</button>
      <span class="atelier-muted atelier-grow" role="status">${isLooking ? t("Looking at the files…") : becoming(told)}</span>
    </div>
  </div>`;
}

function becoming(told) {
  if (!told?.name) return "";
  return told.family === "unknown" ? t("Becomes {name}", told) : t("Becomes {name} ({family})", told);
}

/** What stands below a field: presets of block weights, and what a method does. */
function Beside(given) {
  const { root, schema, value, path, onChange } = given;
  if (path.at(-1) === "blocks") return html`<${Presets} ...${given} />`;
  if (schema["x-names"]) return html`<${ModelPicker} kind=${schema["x-names"]} name=${value} onPick=${onChange} />`;
  const about = path.length === 1 && path[0] === "method" && formOf(formsOf(root, schema), value)?.schema.description;
  return about ? html`<p class="atelier-muted atelier-merge-about">${t(about)}</p>` : null;
}

function Presets({ value, onChange, presets, label }) {
  return html`<div class="atelier-merge-presets" role="group" aria-label=${t("{label}: presets", { label })}>
    ${presets.map((name) => html`<button type="button" key=${name} class="atelier-chip" aria-pressed=${value === name} onClick=${() => onChange(value === name ? undefined : name)}>${name}</button>`)}
  </div>`;
}

/** {told, isLooking}: what a check said of the config, once it stood still for a moment. */
function useCheck(api, command, config) {
  const [state, setState] = useState({ told: null, isLooking: false });
  const text = JSON.stringify(config);
  useEffect(() => {
    setState({ told: null, isLooking: false });
    if (command === "inspect" || !isComplete(config)) return undefined;
    let isHere = true;
    const timer = setTimeout(() => {
      setState({ told: null, isLooking: true });
      const done = (told) => isHere && setState({ told, isLooking: false });
      api.post("merging/check", { kind: command, config }).then(done, () => done(null));
    }, PAUSE);
    return () => {
      isHere = false;
      clearTimeout(timer);
    };
  }, [command, text]);
  return state;
}

/** Has the backends look for new files when a job that was watched is done. */
function useNewNames(app, job) {
  const before = useRef("");
  useEffect(() => {
    if (job?.state === "done" && before.current === job.id) {
      void app.inventory.fresh();
      if (job.kind !== "inspect") app.exchange?.lookForNew(job.kind === "bake" ? "checkpoints" : "loras");
    }
    before.current = job && !isEnded(job) ? job.id : "";
  }, [job?.id, job?.state]);
}
