// How did every item turn out? One stage's pictures in the places of their rows and axes; what failed is tried again there.

import { useApp } from "../app.mjs";
import { useCell } from "../cell.mjs";
import { Icon } from "../icons.mjs";
import { useRowsInSight } from "../in-sight.mjs";
import { labelsOf } from "../refine/filmstrip.mjs";
import { isEnded, keyOf, runWatchOf } from "../refine/run-watch.mjs";
import { Lightbox } from "../refine/viewer.mjs";
import { html, useEffect, useMemo, useRef, useState } from "../vendor/htm-preact.mjs";
import { t, tn } from "../words.mjs";
import { cellsOf, combinations, isForEach, stageToShow, valuesOfItem } from "./sheet-places.mjs";
import { countItems } from "./table.mjs";

const IS_ID = /^[0-9a-f]{64}$/;
const GAP = 6; // pixels between cells
const WIDEST = 12; // columns; more combinations flow

export function ContactSheet() {
  const app = useApp();
  const watch = runWatchOf(app);
  const run = useCell(watch.run);
  const whole = useWhole(app, run);
  const [asked, setAsked] = useState("");
  const recipe = whole?.recipe ?? { rows: [], axes: {} };
  const items = countItems(recipe.rows ?? [], recipe.axes ?? {});
  const stages = (run?.stages ?? []).filter((stage) => stage.total > 0);
  const name = stages.some((stage) => stage.stage === asked) ? asked : stageToShow(stages, items);
  const { list, done } = useCell(watch.pictures(name));
  const cells = useMemo(() => cellsOf(list, (whole?.stages ?? []).filter((node) => node.stage === name)), [list, whole, name]);
  useEffect(() => void (name && watch.more(name)), [name, run?.id]);
  useEffect(() => void (name && !done && list.length > 0 && watch.more(name)), [name, list.length, done]);
  const [open, setOpen] = useState(null);
  if (!run || !whole || stages.length === 0) return null;

  const retry = async (key) => {
    try {
      await app.api.post(`runs/${run.id}/retry?brief=1`, key ? { key } : {});
      await watch.again();
    } catch (problem) {
      app.toast(problem.message, { kind: "error" });
    }
  };
  const failed = stages.reduce((all, stage) => all + stage.failed, 0);
  const step = (along) => {
    const at = list.findIndex((one) => keyOf(one) === keyOf(open));
    setOpen(list[Math.min(list.length - 1, Math.max(0, at + along))]);
  };
  const shared = { cells, retry, onOpen: setOpen, run: run.id, isBusy: !isEnded(run) };
  return html`<section class="atelier-sheet" aria-label=${t("Contact sheet")}>
    <header class="atelier-row">
      <h3>${t("Contact sheet")}</h3>
      <select class="atelier-input" aria-label=${t("Stage")} value=${name} onChange=${(event) => setAsked(event.target.value)}>${stages.map((stage) => html`<option key=${stage.stage} value=${stage.stage}>${`${stage.stage} · ${stage.done} / ${stage.total}`}</option>`)}</select>
      ${failed > 0 && html`<button type="button" class="atelier-button" onClick=${() => retry("")}><${Icon} name="reset" /> ${tn("Try {count} failed one again", "Try {count} failed ones again", failed)}</button>`}
      <span class="atelier-grow"></span>
      <a class="atelier-button" href=${app.api.url(`runs/${run.id}/files.zip`)} download=${`${run.id}.zip`}><${Icon} name="download" /> ${t("All files")}</a>
    </header>
    ${isForEach(stages, name, items) && combinations(recipe.axes ?? {}).length <= WIDEST && items > 1
      ? html`<${Matrix} recipe=${recipe} items=${items} ...${shared} />`
      : html`<${Flow} recipe=${recipe} ...${shared} />`}
    ${open && html`<${Lightbox} picture=${open} other=${null} onStep=${(along) => step(along)} onCompare=${() => {}} onClose=${() => setOpen(null)} />`}
  </section>`;
}

/** Rows go down, the axes' combinations across. */
function Matrix({ recipe, items, ...shared }) {
  const columns = combinations(recipe.axes ?? {});
  const rows = recipe.rows?.length ? recipe.rows : [{}];
  const body = useRef(null);
  const { first, last, above, below } = useRowsInSight(body, rows.length, (element) => {
    const cell = element.querySelector(".atelier-sheet-cell");
    return { height: (cell?.offsetHeight ?? 0) + GAP, across: 1 };
  });
  const room = (height) => height > 0 && html`<tr aria-hidden="true"><td style=${`height: ${height - GAP}px`}></td></tr>`;
  return html`<div class="atelier-table-box"><table class="atelier-sheet-table" style=${`--across: ${columns.length}`} aria-rowcount=${rows.length + 1}>
    <thead><tr><td><span class="atelier-sheet-widest">${widestOf(rows)}</span></td>${columns.map((one, at) => Object.keys(one).length > 0 && html`<th scope="col" key=${at}><${Values} values=${one} /></th>`)}</tr></thead>
    <tbody ref=${body}>${room(above)}${rows.slice(first, last).map(
      (row, at) => html`<tr key=${first + at} aria-rowindex=${first + at + 2}><th scope="row"><${Values} values=${row} number=${first + at + 1} /></th>${columns.map((_, column) => {
        const item = (first + at) * columns.length + column + 1;
        return html`<td key=${item}>${item <= items && html`<${ItemCell} item=${item} cell=${shared.cells[item]} ...${shared} />`}</td>`;
      })}</tr>`,
    )}${room(below)}</tbody>
  </table></div>`;
}

/** The longest of the rows' words: whichever rows are there, their column is as wide as if all were. */
function widestOf(rows) {
  return rows.map((row) => wordsOf(row).join(", ")).reduce((one, other) => (other.length > one.length ? other : one), "");
}

/** One after the other, as many in a line as there is room for. */
function Flow({ recipe, ...shared }) {
  const box = useRef(null);
  const items = Object.keys(shared.cells);
  const { above, below, from, to } = useRowsInSight(box, items.length, (element) => ({
    height: (element.querySelector("figure")?.offsetHeight ?? 0) + GAP,
    across: getComputedStyle(element.querySelector(".atelier-sheet-flow")).gridTemplateColumns.split(" ").length,
  }));
  return html`<div ref=${box} style=${`padding: ${above}px 0 ${below}px`}><div class="atelier-sheet-flow">
    ${items.slice(from, to).map((item) => html`<figure key=${item}><${ItemCell} item=${Number(item)} cell=${shared.cells[item]} ...${shared} /><figcaption class="atelier-muted">${labelsOf({ labels: valuesOfItem(recipe, Number(item)) })}</figcaption></figure>`)}
  </div></div>`;
}

/** What a row or a column stands for: pictures as pictures, the rest as words. */
function Values({ values, number }) {
  const { api } = useApp();
  const pictures = Object.values(values).filter((value) => IS_ID.test(value));
  const words = wordsOf(values);
  return html`<span class="atelier-sheet-values">${pictures.slice(0, 2).map((id) => html`<img key=${id} src=${api.thumbnail(id, 96)} alt="" loading="lazy" />`)}<span title=${words.join(", ")}>${words.join(", ") || (pictures.length ? "" : number)}</span></span>`;
}

function wordsOf(values) {
  const told = Object.values(values).filter((value) => value !== "" && value !== null && value !== undefined && !IS_ID.test(value));
  return told.map(String).filter((word) => !/\.(png|jpe?g|webp)$/i.test(word));
}

/** One item's place. Many are there, and while the sheet is scrolled or others come nothing about it changes. */
function ItemCell({ item, cell, retry, onOpen, isBusy, run }) {
  const { api } = useApp();
  const { pictures = [], node = null } = cell ?? {};
  return useMemo(() => face({ api, item, pictures, node, retry, onOpen, isBusy }), [run, item, pictures[0]?.id, pictures.length, node?.key, node?.state, node?.message, isBusy]);
}

/** Its pictures, that it failed and why, or that it is still to come. */
function face({ api, item, pictures, node, retry, onOpen, isBusy }) {
  const [first] = pictures;
  if (first) {
    const label = t("Item {item}: {labels}", { item, labels: labelsOf(first) });
    return html`<button type="button" class="atelier-sheet-cell" title=${labelsOf(first)} onClick=${() => onOpen(first)}>
      <span class="atelier-hidden">${label}</span>
      <img src=${api.thumbnail(first.id, 256)} alt="" loading="lazy" decoding="async" />
      ${pictures.length > 1 && html`<span class="atelier-badge">${pictures.length}</span>`}
    </button>`;
  }
  if (node && (node.state === "failed" || node.state === "left out")) {
    return html`<div class="atelier-sheet-cell" data-state="failed" title=${node.message}>
      <${Icon} name="alert" /><span>${node.message || (node.state === "failed" ? t("Failed") : t("Left out: a stage before it failed."))}</span>
      <button type="button" class="atelier-button" disabled=${isBusy && node.state !== "failed"} onClick=${() => retry(node.key)}>${t("Try again")}</button>
    </div>`;
  }
  return html`<div class="atelier-sheet-cell" data-state=${isBusy ? "coming" : "none"}><span class="atelier-hidden">${isBusy ? t("To come") : t("Nothing")}</span></div>`;
}

/** The whole run: its recipe once, its stage instances again whenever another number of them has failed, and at its end. */
function useWhole(app, run) {
  const [whole, setWhole] = useState(null);
  const failed = (run?.stages ?? []).reduce((all, stage) => all + stage.failed + stage.left_out, 0);
  useEffect(() => {
    if (!run) return setWhole(null);
    let isHere = true;
    app.api.get(`runs/${run.id}`).then((told) => isHere && setWhole(told), () => {});
    return () => (isHere = false);
  }, [run?.id, failed, isEnded(run)]);
  return whole?.id === run?.id ? whole : null;
}
