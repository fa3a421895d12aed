// Which pictures are there, what do their captions say, and what becomes of them? The filter at one side, the pictures, the edit at the other.

import { Icon } from "../icons.mjs";
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { t, tn } from "../words.mjs";
import { clean, conditionsOf } from "./captions.mjs";
import { withBox } from "./crop-box.mjs";
import { EditPanel } from "./edit-panel.mjs";
import { Gallery } from "./gallery.mjs";
import { PictureView } from "./picture-view.mjs";
import { usePictures } from "./pictures.mjs";
import { allSelected, countOf, meantBy, newSelection, withRange, withToggled } from "./selection.mjs";
import { Side } from "./side.mjs";

const SORTS = { name: "By name", caption: "By caption", tags: "By number of tags" };
const VIEWS = { gallery: ["Gallery", "grid"], table: ["Table", "table"] };
const ROOM = 1180; // pixels from which the edit stands beside the pictures from the beginning

/** params.picture: the name of the one that is looked at alone. onTold(told) is told what is in the folder;  leaving: as PictureView has it. */
export function PicturesScreen({ app, known, draft, change, params, onTold, leaving }) {
  const { folder, nested, ending, filter, sort, trigger } = draft;
  const list = usePictures(app.api, { folder, nested, ending, filter, sort, trigger });
  const [selection, setSelection] = useState(newSelection);
  const [at, setAt] = useState(0);
  const [isFiltering, setFiltering] = useState(false); // where there is no room for the filter beside the pictures
  const [isUndoing, setUndoing] = useState(false);
  const anchor = useRef(0);
  const mark = useCount(selection);
  const asked = JSON.stringify([folder, nested, filter]);
  useEffect(() => (setSelection(newSelection()), setAt(0)), [asked]);
  useEffect(() => void (list.told && onTold(list.told)), [list.told]);
  const place = usePlaceOf(app, list, params.picture);

  if (list.problem && !list.told) return html`<div class="atelier-empty" role="alert"><p>${list.problem}</p><div class="atelier-row"><button type="button" class="atelier-button" onClick=${() => list.reload(0)}>${t("Try again")}</button>
    ${Object.keys(filter).length > 0 && html`<button type="button" class="atelier-button" onClick=${() => change((now) => ({ ...now, filter: {} }))}>${t("Clear the filter")}</button>`}</div></div>`;
  if (!list.told || (params.picture && place < 0)) return html`<div class="atelier-loading" role="status">${t("Loading…")}</div>`;
  const { told } = list;
  const tags = told.counts.tags.map(([tag]) => tag);
  const open = (to) => app.open("dataset", list.at(to) ? { picture: list.at(to).name } : {});
  const undo = async () => {
    if (isUndoing) return;
    setUndoing(true);
    try {
      const { done, refused } = await app.api.post("dataset/undo", { folder, nested, ending });
      for (const [name, why] of refused.slice(0, 3)) app.toast(`${name}: ${why}`, { kind: "error" });
      app.toast(tn("{count} caption is as it was.", "{count} captions are as they were.", done), { kind: "done" });
    } catch (problem) {
      app.toast(problem.message, { kind: "error" });
    }
    setUndoing(false);
    list.reload();
  };
  const similar = (name) => (app.open("dataset"), change((now) => ({ ...now, filter: clean({ ...filter, similar: name }) })));
  const boxes = draft.prepare?.boxes ?? {};
  if (params.picture) {
    const setBox = (name, box) => change((now) => ({ ...now, prepare: { ...now.prepare, boxes: withBox(now.prepare?.boxes, name, box) } }));
    const step = (to) => (setAt(to), open(to));
    const back = () => (setAt(place), app.open("dataset"), list.reload());
    return html`<${PictureView} where=${{ folder, nested, ending }} list=${list} place=${place} tags=${tags} onStep=${step} onBack=${back} onSimilar=${similar} boxes=${boxes} onBox=${setBox} leaving=${leaving} />`;
  }

  const select = async (to, { range = false, from = anchor.current }) => {
    const name = list.at(to)?.name;
    if (!name) return;
    if (!range) setSelection((now) => withToggled(now, name));
    else setSelection(withRange(selection, await namesBetween(list, from, to)));
    anchor.current = to;
  };
  const count = countOf(selection, told.matching);
  const meant = async () => meantBy(selection, filter, selection.isAll && selection.names.size > 0 ? await list.names() : []);
  const isEditing = draft.isEditing ?? window.innerWidth >= ROOM;
  const leftOut = new Set(draft.prepare?.leave_out ?? []);
  const setLeftOut = (names) => change((now) => ({ ...now, prepare: { ...now.prepare, leave_out: [...names] } }));
  const areOut = !selection.isAll && [...selection.names].every((name) => leftOut.has(name));
  const takeIn = () => setLeftOut([...leftOut].filter((name) => !selection.names.has(name)));
  const leaveOut = async () => {
    const names = selection.isAll ? (await list.names()).filter((name) => !selection.names.has(name)) : [...selection.names];
    setLeftOut(new Set([...leftOut, ...names]));
    app.toast(tn("{count} picture is left out when the folder is prepared.", "{count} pictures are left out when the folder is prepared.", names.length), { kind: "done", action: { label: t("Prepare"), run: () => app.open("dataset", { screen: "prepare" }) } });
  };
  const chosen = count === 1 && !selection.isAll ? [...selection.names][0] : "";
  const last = told.history.find(({ undone }) => !undone);
  return html`<div class="atelier-dataset-columns" data-editing=${isEditing || undefined}>
    <aside class="atelier-dataset-side" data-open=${isFiltering || undefined} aria-label=${t("Filter and tags")}>
      <${Side} known=${known} draft=${draft} change=${change} told=${told} names=${namesThere(list)} />
    </aside>
    <div class="atelier-dataset-main">
      <div class="atelier-dataset-bar" role="toolbar" aria-label=${t("Pictures")}>
        <p role="status" class="atelier-dataset-standing"><b>${told.matching === told.total ? tn("{count} picture", "{count} pictures", told.total) : t("{count} of {total}", { count: told.matching, total: told.total })}</b>
          <span class="atelier-muted">${isUndoing ? t("At work…") : count > 0 ? t("{count} selected", { count }) : ""}</span></p>
        <button type="button" class="atelier-button" data-look="quiet" title=${t("Ctrl+A")} disabled=${told.matching === 0} onClick=${() => setSelection(count === told.matching ? newSelection() : allSelected())}>${count > 0 && count === told.matching ? t("Select none") : t("Select all")}</button>
        ${chosen && html`<button type="button" class="atelier-button" data-look="quiet" onClick=${() => similar(chosen)}><${Icon} name="search" /> ${t("Similar")}</button>`}
        ${count > 0 && html`<button type="button" class="atelier-button" data-look="quiet" title=${t("Leave them out when the folder is prepared")} onClick=${areOut ? takeIn : leaveOut}><${Icon} name=${areOut ? "add" : "minus"} /> ${areOut ? t("Take in again") : t("Leave out")}</button>`}
        <span class="atelier-grow"></span>
        <button type="button" class="atelier-button atelier-dataset-narrow" data-look="quiet" aria-expanded=${isFiltering} onClick=${() => setFiltering(!isFiltering)}><${Icon} name="filter" /> ${t("Filter")}</button>
        <button type="button" class="atelier-icon-button" disabled=${!last || isUndoing} title=${last ? t("Undo: {title}", { title: t(last.title) }) : t("Undo")} aria-label=${t("Undo the last edit of captions")} onClick=${undo}><${Icon} name="undo" /></button>
        <select class="atelier-input atelier-dataset-sort" aria-label=${t("Order")} value=${sort} onChange=${(event) => change((now) => ({ ...now, sort: event.target.value }))}>${Object.entries(SORTS).map(([name, title]) => html`<option value=${name} selected=${name === sort}>${t(title)}</option>`)}</select>
        <span class="atelier-row-tight" role="group" aria-label=${t("View")}>${Object.entries(VIEWS).map(([name, [title, icon]]) => html`<button type="button" key=${name} class="atelier-icon-button" aria-pressed=${draft.view === name} title=${t(title)} aria-label=${t(title)} onClick=${() => change((now) => ({ ...now, view: name }))}><${Icon} name=${icon} /></button>`)}</span>
        <button type="button" class="atelier-button" aria-pressed=${isEditing} onClick=${() => change((now) => ({ ...now, isEditing: !isEditing }))}><${Icon} name="edit" /> ${t("Edit")}</button>
      </div>
      <${Conditions} filter=${filter} onChange=${(next) => change((now) => ({ ...now, filter: next }))} />
      ${list.problem && html`<p class="atelier-note" data-severity="error" role="alert"><${Icon} name="alert" /> <span>${list.problem}</span></p>`}
      <div class="atelier-dataset-body">${isEditing && html`<div class="atelier-dataset-panel"><${EditPanel} ...${{ known, draft, change, meant, tags, history: told.history }} count=${count || told.matching} mark=${`${mark} ${asked} ${JSON.stringify(told.history[0] ?? null)}`} onChanged=${() => list.reload()} onUndo=${undo} /></div>`}
      <div class="atelier-dataset-pictures" aria-busy=${!list.isFresh && !list.problem}>
        ${told.matching === 0
          ? html`<div class="atelier-empty"><p>${told.total === 0 ? t("There are no pictures in this folder.") : t("No picture is as the filter asks.")}</p>${told.total > 0 && html`<button type="button" class="atelier-button" onClick=${() => change((now) => ({ ...now, filter: {} }))}>${t("Clear the filter")}</button>`}</div>`
          : html`<${Gallery} key=${draft.view} folder=${folder} list=${list} view=${draft.view} selection=${selection} at=${Math.min(at, told.matching - 1)} onAt=${setAt} onSelect=${select} onAll=${() => setSelection(allSelected())} onNone=${() => setSelection(newSelection())} onOpen=${open} asked=${filter.has ?? []} leftOut=${leftOut} boxes=${boxes} />
            <p class="atelier-muted atelier-dataset-hint">${t("A click or Space selects, with Shift all up to there, Ctrl+A all that match. Enter or a double click opens the caption.")}</p>`}
      </div></div>
    </div>
  </div>`;
}

/** What the filter asks, one by one, each with the way to ask it no more. */
function Conditions({ filter, onChange }) {
  const all = conditionsOf(filter);
  if (all.length === 0) return null;
  return html`<div class="atelier-chips atelier-dataset-conditions" role="group" aria-label=${t("What the filter asks")}>
    ${all.map(({ word, value, without }, place) => html`<span class="atelier-chip" key=${`${word} ${value}`}>
      ${place > 0 && html`<span class="atelier-muted">${filter.match === "any" ? t("or") : t("and")}</span>`}<span data-word=${word}>${wordsOf(word, value)}</span>
      <button type="button" class="atelier-tiny" aria-label=${t("Without {name}", { name: wordsOf(word, value) })} onClick=${() => onChange(without)}><${Icon} name="close" /></button></span>`)}
  </div>`;
}

/** What one condition asks, in words. */
function wordsOf(word, value) {
  if (word === "has") return t("has {value}", { value });
  if (word === "lacks") return t("lacks {value}", { value });
  if (word === "text") return t("text: {value}", { value });
  if (word === "pattern") return t("pattern: {value}", { value });
  if (word === "similar") return t("like {value}", { value });
  if (word === "contradicted") return t("the tagger contradicts");
  return value;
}

/** The names from one place to another, whether they are there yet or not. */
async function namesBetween(list, one, other) {
  const [first, last] = [Math.min(one, other), Math.max(one, other)];
  const there = Array.from({ length: last - first + 1 }, (_, offset) => list.at(first + offset)?.name);
  return there.every(Boolean) ? there : (await list.names()).slice(first, last + 1);
}

function namesThere(list) {
  return Array.from({ length: Math.min(list.told.matching, 300) }, (_, place) => list.at(place)?.name).filter(Boolean);
}

/** Where the picture stands that is looked at alone; -1 until that is known. One that is no longer among those that match leads back. */
function usePlaceOf(app, list, name) {
  const [found, setFound] = useState({ name: "", place: -1 });
  const here = name && list.told ? list.placeOf(name) : -1;
  useEffect(() => {
    if (!name || !list.told || here >= 0) return;
    list.names().then((names) => {
      const place = names.indexOf(name);
      if (place < 0) app.open("dataset");
      else (list.want(place, place + 1), setFound({ name, place }));
    }, () => {});
  }, [name, Boolean(list.told), here >= 0]);
  if (here >= 0) return here;
  return found.name === name ? found.place : -1;
}

/** A number that is another whenever the value is. */
function useCount(value) {
  const last = useRef({ value, count: 0 });
  if (last.current.value !== value) last.current = { value, count: last.current.count + 1 };
  return last.current.count;
}

