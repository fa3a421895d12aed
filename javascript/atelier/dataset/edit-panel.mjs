// What is to become of the captions that are meant? One edit, its difference word by word before anything is written, and the way back from each.

import { useApp } from "../app.mjs";
import { Form } from "../form.mjs";
import { Icon } from "../icons.mjs";
import { html, useEffect, useState } from "../vendor/htm-preact.mjs";
import { t, tn } from "../words.mjs";
import { isMeant } from "./captions.mjs";
import { differenceOf, shortened } from "./difference.mjs";
import { Difference, Thumbnail } from "./picture-parts.mjs";

const PAUSE = 400; // milliseconds after an edit before it is tried
const KINDS = { add: "Add", remove: "Remove", replace: "Replace", text: "Replace text", sort: "Sort", tidy: "Tidy", set: "Set" };

/** meant(): Promise of {filter, names};  count: how many captions that are;  mark: changes when what is meant does;  tags: to choose from. */
export function EditPanel({ known, draft, change, meant, count, mark, tags, history, onChanged, onUndo }) {
  const { api, toast } = useApp();
  const [isBusy, setBusy] = useState(false);
  const kind = draft.edit?.kind in KINDS ? draft.edit.kind : "add";
  const edit = { ...draft.edits?.[kind], kind };
  const schema = known.forms.edits[kind];
  const body = async () => ({ folder: draft.folder, nested: draft.nested, ending: draft.ending, ...(await meant()), edits: [edit] });
  const tried = useTried(api, isMeant(schema, edit) ? body : null, `${mark} ${JSON.stringify(edit)}`);
  const set = (next) => change((now) => ({ ...now, edits: { ...now.edits, [kind]: next } }));
  const suggest = ([field]) => (["tags", "tag", "by"].includes(field) && kind !== "text" ? tags : undefined);

  async function apply() {
    setBusy(true);
    try {
      const { done, refused, title } = await api.post("dataset/edit", await body());
      for (const [name, why] of refused.slice(0, 3)) toast(`${name}: ${why}`, { kind: "error" });
      const text = tn("{title}: {count} caption", "{title}: {count} captions", done, { title: t(title) });
      if (done > 0) toast(text, { kind: "done", action: { label: t("Undo"), run: onUndo } });
      onChanged();
    } catch (problem) {
      toast(problem.message, { kind: "error" });
    } finally {
      setBusy(false);
    }
  }
  return html`<section class="atelier-card atelier-dataset-edit" aria-label=${t("Edit captions")}>
    <div class="atelier-section-head"><h3>${t("Edit captions")}</h3><span class="atelier-muted">${tn("{count} caption", "{count} captions", count)}</span></div>
    <div class="atelier-card-body atelier-stack">
      <div class="atelier-dataset-kinds" role="group" aria-label=${t("What to do")}>
        ${Object.entries(KINDS).map(([name, title]) => html`<button type="button" key=${name} class="atelier-chip" aria-pressed=${name === kind} title=${t(known.forms.edits[name]?.description ?? "")} onClick=${() => change((now) => ({ ...now, edit: { kind: name } }))}>${t(title)}</button>`)}
      </div>
      <div><${Form} key=${kind} root=${schema} schema=${schema} value=${edit} onChange=${set} around=${{ id: ["dataset", kind], suggest }} /></div>
      <div class="atelier-row">
        <button type="button" class="atelier-button" data-look="primary" disabled=${isBusy || !tried.told?.changes} onClick=${apply}><${Icon} name="check" /> ${tried.told?.changes ? tn("Change {count} caption", "Change {count} captions", tried.told.changes) : t("Change captions")}</button>
        <span class="atelier-muted atelier-grow" role="status">${isBusy ? t("At work…") : standing(tried)}</span>
      </div>
      ${tried.problem && html`<p class="atelier-note" data-severity="error" role="alert"><${Icon} name="alert" /> <span>${tried.problem}</span></p>`}
      ${tried.told?.changes > 0 && html`<${Differences} folder=${draft.folder} told=${tried.told} />`}
    </div>
    ${history.length > 0 && html`<${History} history=${history} onUndo=${onUndo} />`}
  </section>`;
}

function standing({ told, isLooking, problem }) {
  if (isLooking || problem || !told) return "";
  return told.changes === 0 ? t("Nothing would change.") : "";
}

function Differences({ folder, told }) {
  const left = told.changes - told.differences.length;
  return html`<ul class="atelier-dataset-differences" aria-label=${t("What would change")} tabindex="0">
    ${told.differences.map(({ name, before, after, changed }) => html`<li key=${name}><span class="atelier-dataset-thumb"><${Thumbnail} folder=${folder} picture=${{ name, changed }} alt=${name} /></span>
      <${Difference} parts=${shortened(differenceOf(before, after))} /></li>`)}
    ${left > 0 && html`<li class="atelier-muted">${t("and {count} more", { count: left })}</li>`}
  </ul>`;
}

function History({ history, onUndo }) {
  const last = history.find(({ undone }) => !undone);
  return html`<details class="atelier-more atelier-dataset-history">
    <summary><${Icon} name="forward" /> ${t("History")}<span class="atelier-count">${history.length}</span></summary>
    <ol>${history.map(({ number, title, time, files, undone }) => html`<li key=${number} data-undone=${undone || undefined}>
      <span class="atelier-grow">${undone ? html`<del>${t(title)}</del>` : t(title)}<span class="atelier-muted">${tn("{count} caption", "{count} captions", files)} · ${new Date(time).toLocaleString(document.documentElement.lang || undefined, { dateStyle: "short", timeStyle: "short" })}</span></span>
      ${number === last?.number && html`<button type="button" class="atelier-button" data-look="quiet" onClick=${onUndo}><${Icon} name="undo" /> ${t("Undo")}</button>`}
    </li>`)}</ol>
  </details>`;
}

/** {told, isLooking, problem}: what an edit would change, once it stood still for a moment; what was told last stays until then. */
function useTried(api, body, mark) {
  const [state, setState] = useState({ told: null, isLooking: false, problem: "" });
  useEffect(() => {
    if (!body) return setState({ told: null, isLooking: false, problem: "" });
    let isHere = true;
    setState((all) => ({ ...all, isLooking: true }));
    const timer = setTimeout(async () => {
      try {
        const told = await api.post("dataset/preview", await body());
        if (isHere) setState({ told, isLooking: false, problem: "" });
      } catch (problem) {
        if (isHere) setState({ told: null, isLooking: false, problem: problem.message });
      }
    }, PAUSE);
    return () => {
      isHere = false;
      clearTimeout(timer);
    };
  }, [mark, body === null]);
  return state;
}
