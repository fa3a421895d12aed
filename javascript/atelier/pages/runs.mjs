// What was made before? All runs, the newest first: found again, gone on with, run again, deleted; and recipes out of pictures.

import { Icon } from "../icons.mjs";
import { openFile } from "../refine/recipes.mjs";
import { runWatchOf } from "../refine/run-watch.mjs";
import { whenText, withNews, workOf } from "../runs/again.mjs";
import { Disk } from "../runs/disk.mjs";
import { AT_WORK, RunCard, STATES } from "../runs/run-card.mjs";
import { beginRun } from "../runs/starting.mjs";
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

const PAGE = 48; // runs that are asked for at once
const RHYTHM = 3000; // milliseconds between two looks while a run is at work
const TYPING = 250; // milliseconds without a key after which is searched
const FILES = ".png,.webp,.jpg,.jpeg,.zip,.yaml,.yml,.json";

export function RunsPage({ app }) {
  const [asked, setAsked] = useState({ search: "", state: "" });
  const history = useHistory(app, asked);
  const [isOver, setOver] = useState(false);
  const acts = actsOn(app, history);
  const { list, isAll, problem } = history.state;
  const now = Date.now() / 1000;

  async function take(file) {
    setOver(false);
    const told = file && (await openFile(app, file));
    if (told) app.open("refine", told.run ? { run: told.run } : {});
  }
  const drop = {
    onDragOver: (event) => event.dataTransfer.types.includes("Files") && (event.preventDefault(), event.stopPropagation(), setOver(true)),
    onDragLeave: (event) => event.currentTarget === event.target && setOver(false),
    onDrop: (event) => (event.preventDefault(), event.stopPropagation(), take(event.dataTransfer.files[0])),
  };
  return html`<div class="atelier-runs" data-over=${isOver || undefined} ...${drop}>
    <div class="atelier-runs-head">
      <${Search} value=${asked.search} onChange=${(search) => setAsked((all) => ({ ...all, search }))} />
      <select class="atelier-input" aria-label=${t("State")} value=${asked.state} onChange=${(event) => setAsked((all) => ({ ...all, state: event.target.value }))}>
        <option value="">${t("All runs")}</option>
        ${Object.entries(STATES).filter(([state]) => state !== "new").map(([state, word]) => html`<option key=${state} value=${state}>${t(word)}</option>`)}
      </select>
      <label class="atelier-button atelier-file"><${Icon} name="upload" /> ${t("Recipe from a picture")}<input type="file" accept=${FILES} class="atelier-hidden" onChange=${(event) => (take(event.target.files[0]), (event.target.value = ""))} /></label>
      <span class="atelier-grow"></span>
      <${Disk} changed=${list?.length} onCleaned=${history.load} />
    </div>
    ${problem && html`<div class="atelier-empty" role="alert"><p>${problem}</p><button type="button" class="atelier-button" onClick=${history.load}>${t("Try again")}</button></div>`}
    ${list === null && !problem && html`<div class="atelier-loading" role="status">${t("Loading…")}</div>`}
    ${list?.length === 0 && html`<div class="atelier-empty"><p>${asked.search || asked.state ? t("No run is like that.") : t("Nothing has run yet.")}</p><p>${t("Drop a picture that Atelier made here to have its recipe again.")}</p></div>`}
    ${list?.length > 0 && html`<ul class="atelier-run-list">${list.map((run) => html`<${RunCard} key=${run.id} run=${run} acts=${acts} now=${now} />`)}</ul>`}
    ${list?.length > 0 && !isAll && html`<button type="button" class="atelier-button atelier-runs-more" onClick=${history.more}>${t("Show older runs")}</button>`}
    <div class="atelier-drop-veil" aria-hidden="true">${t("Drop it to open its recipe")}</div>
  </div>`;
}

function Search({ value, onChange }) {
  const [text, setText] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => text !== value && onChange(text), TYPING);
    return () => clearTimeout(timer);
  }, [text]);
  return html`<label class="atelier-search"><${Icon} name="search" /><input type="search" class="atelier-input" aria-label=${t("Search runs")} placeholder=${t("Search: recipe, prompt, id")} value=${text} onInput=${(event) => setText(event.target.value)} /></label>`;
}

/** Pages of the history; what is at work is looked at again and again. */
function useHistory(app, asked) {
  const [state, setState] = useState({ list: null, isAll: false, problem: "" });
  const latest = useRef(asked);
  latest.current = asked;
  const query = (more) => ({ search: asked.search, state: asked.state, limit: PAGE, ...more });
  const isStill = () => latest.current.search === asked.search && latest.current.state === asked.state;
  const failed = (problem) => isStill() && setState((all) => ({ ...all, problem: all.list ? "" : problem.message }));
  const load = () => app.api.get("runs", query()).then((list) => isStill() && setState({ list, isAll: list.length < PAGE, problem: "" }), failed);
  const more = () =>
    app.api.get("runs", query({ before: state.list.at(-1).id })).then(
      (older) => isStill() && setState((all) => ({ ...all, list: [...all.list, ...older], isAll: older.length < PAGE })),
      (problem) => app.toast(problem.message, { kind: "error" }),
    );
  useEffect(() => void load(), [asked.search, asked.state]);

  const isAtWork = state.list?.some((run) => AT_WORK.includes(run.state)) ?? false;
  useEffect(() => {
    if (!isAtWork) return undefined;
    const timer = setInterval(() => {
      if (document.visibilityState !== "visible") return;
      app.api.get("runs", query()).then((news) => isStill() && setState((all) => ({ ...all, list: withNews(all.list, news) })), () => {});
    }, RHYTHM);
    return () => clearInterval(timer);
  }, [isAtWork, asked.search, asked.state]);
  const without = (id) => setState((all) => ({ ...all, list: all.list.filter((run) => run.id !== id) }));
  return { state, load, more, without };
}

function actsOn(app, history) {
  const doing = (work) => async (run) => {
    try {
      await work(run);
    } catch (problem) {
      app.toast(problem.message, { kind: "error" });
    }
  };
  const steer = (word) => doing(async (run) => (await app.api.post(`runs/${run.id}/${word}?brief=1`), await history.load()));
  const show = (id) => (runWatchOf(app).watch(id), app.open("refine", { run: id }));
  const take = async (run) => app.store.open({ ...workOf(await app.api.get(`runs/${run.id}`)), base: "" });
  return {
    open: doing(async (run) => {
      if (app.store.state.get().recipe?.name !== run.name) await take(run);
      show(run.id);
    }),
    edit: doing(async (run) => {
      await take(run);
      show(run.id);
      app.toast(t("The recipe is as it ran, with its seeds. Undo leads back."));
    }),
    again: doing(async (run) => {
      const begun = await beginRun(app, workOf(await app.api.get(`runs/${run.id}`)));
      if (!begun) return;
      await history.load();
      app.toast(t("It runs again."), { kind: "done", action: { label: t("Show it"), run: () => show(begun.id) } });
    }),
    resume: steer("resume"),
    pause: steer("pause"),
    choose: (run) => app.open("review", { run: run.id }),
    remove: doing(async (run) => {
      const text = t("The run of {when} is forgotten. Its files stay in their folder; its pictures stay until you clean up.", { when: whenText(run.created, Date.now() / 1000) });
      if (!(await app.confirm(text, { yes: t("Delete"), danger: true, title: t("Delete this run?") }))) return;
      await app.api.delete(`runs/${run.id}`);
      history.without(run.id);
      if (runWatchOf(app).run.get()?.id === run.id) runWatchOf(app).stop();
    }),
  };
}
