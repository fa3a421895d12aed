// Which rows are there? A table to type in, to paste into and to fill from a file; a column for each input or field that differs.

import { useApp } from "../app.mjs";
import { Combobox } from "../fields/combobox.mjs";
import { Icon } from "../icons.mjs";
import { withAt, without } from "../paths.mjs";
import { html, useState } from "../vendor/htm-preact.mjs";
import { t, tn } from "../words.mjs";
import { Cell } from "./cell.mjs";
import { columnsOf, csvOf, matched, missingFiles, offered, withCell, withoutColumn } from "./table.mjs";

const TABLES = ".csv,.tsv,.json,text/csv,application/json";
const AT_ONCE = 100; // rows that are shown before one asks for more

/** names: what may become a column. onChange(how): a function of the rows as they are then, for edits that come in quick succession. */
export function Rows({ recipe, names, onChange }) {
  const app = useApp();
  const rows = recipe.rows ?? [];
  const [more, setMore] = useState([]);
  const [shown, setShown] = useState(AT_ONCE);
  const columns = columnsOf(rows, more);
  const missing = missingFiles(recipe, rows);

  async function read(text, join) {
    try {
      const told = await app.api.upload(new Blob([text], { type: "text/csv" }), "rows");
      onChange((now) => (join ? [...now, ...told.rows] : told.rows));
      app.toast(tn("{count} row is in the table. Undo leads back.", "{count} rows are in the table. Undo leads back.", told.rows.length), { kind: "done" });
    } catch (problem) {
      app.toast(problem.message, { kind: "error" });
    }
  }

  async function takePictures(files) {
    const found = matched(missing, files);
    if (found.length === 0) return void app.toast(t("No row names one of these files."), { kind: "error" });
    const ids = new Map();
    try {
      for (const { file } of found) if (!ids.has(file)) ids.set(file, (await app.api.upload(file)).id);
    } catch (problem) {
      app.toast(problem.message, { kind: "error" });
    }
    const here = found.filter(({ file }) => ids.has(file));
    onChange((now) => here.reduce((all, { place, name, file }) => withCell(all, place, name, ids.get(file)), now));
    return undefined;
  }

  async function takeFiles(list) {
    const files = [...list];
    const table = files.find((file) => /\.(csv|tsv|json)$/i.test(file.name));
    if (table) await read(await table.text(), false);
    else await takePictures(files);
  }

  /** A table that was copied from a spreadsheet is added as rows; a plain text goes into the cell. */
  const onPaste = (event) => {
    const text = event.clipboardData.getData("text/plain");
    if (!/\n./.test(text) || !/[\t,;|]/.test(text.split("\n")[0])) return;
    event.preventDefault();
    read(text, rows.length > 0 && rows.some((row) => Object.keys(row).length > 0));
  };
  const drop = {
    onDragOver: (event) => event.dataTransfer.types.includes("Files") && (event.preventDefault(), event.stopPropagation()),
    onDrop: (event) => (event.preventDefault(), event.stopPropagation(), takeFiles(event.dataTransfer.files)),
  };
  return html`<section class="atelier-card atelier-rows" aria-label=${t("Rows")} onPaste=${onPaste} ...${drop}>
    <div class="atelier-section-head">
      <h3>${t("Rows")}<span class="atelier-muted"> ${t("one item each")}</span></h3>
      <span class="atelier-row-tight">
        <label class="atelier-button atelier-file" data-look="quiet"><${Icon} name="upload" /> ${t("CSV or JSON")}<input type="file" accept=${TABLES} class="atelier-hidden" onChange=${(event) => (takeFiles(event.target.files), (event.target.value = ""))} /></label>
        ${rows.length > 0 && html`<a class="atelier-icon-button" title=${t("Save the table as CSV")} aria-label=${t("Save the table as CSV")} download=${`${recipe.name || "rows"}.csv`} href=${`data:text/csv;charset=utf-8,${encodeURIComponent(csvOf(rows, columns))}`}><${Icon} name="download" /></a>`}
      </span>
    </div>
    ${missing.length > 0 && html`<${Missing} missing=${missing} onFiles=${takePictures} />`}
    ${columns.length > 0 &&
    html`<div class="atelier-table-box"><table class="atelier-table" onKeyDown=${goDown}>
      <thead><tr><th scope="col"><span class="atelier-hidden">${t("Row")}</span></th>
        ${columns.map((name) => html`<th scope="col" key=${name}><span>${recipe.inputs?.[name]?.label || shortName(name)}</span><button type="button" class="atelier-tiny" title=${name} aria-label=${t("Without the column {name}", { name })} onClick=${() => (setMore(more.filter((one) => one !== name)), onChange((now) => withoutColumn(now, name)))}><${Icon} name="close" /></button></th>`)}<td></td>
      </tr></thead>
      <tbody>
        ${rows.slice(0, shown).map(
          (row, place) => html`<tr key=${place}>
            <th scope="row">${place + 1}</th>
            ${columns.map((name) => html`<td key=${name}><${Cell} recipe=${recipe} name=${name} value=${row[name]} label=${t("{name}, row {row}", { name, row: place + 1 })} onChange=${(value) => onChange((now) => withCell(now, place, name, value))} /></td>`)}
            <td class="atelier-row-tight">
              <button type="button" class="atelier-tiny" title=${t("Duplicate")} aria-label=${t("Duplicate row {row}", { row: place + 1 })} onClick=${() => onChange((now) => withAt(now, place + 1, { ...now[place] }))}><${Icon} name="copy" /></button>
              <button type="button" class="atelier-tiny" title=${t("Remove")} aria-label=${t("Remove row {row}", { row: place + 1 })} onClick=${() => onChange((now) => without(now, place))}><${Icon} name="bin" /></button>
            </td>
          </tr>`,
        )}
      </tbody>
    </table></div>`}
    ${rows.length > shown && html`<button type="button" class="atelier-button" data-look="quiet" onClick=${() => setShown(shown + 5 * AT_ONCE)}>${t("Show more rows")}</button>`}
    <div class="atelier-rows-foot">
      <button type="button" class="atelier-button" disabled=${columns.length === 0} onClick=${() => onChange((now) => [...now, {}])}><${Icon} name="add" /> ${t("Row")}</button>
      <${AddName} label=${t("Add a column")} names=${offered(recipe, names, columns)} onAdd=${(name) => (setMore([...more, name]), rows.length === 0 && onChange(() => [{}]))} />
      ${columns.length === 0 && html`<span class="atelier-muted">${t("Or paste a table from a spreadsheet here.")}</span>`}
    </div>
  </section>`;
}

/** Enter and the arrows go to the same column of the next row, as in a spreadsheet. */
function goDown(event) {
  const way = { Enter: event.shiftKey ? -1 : 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!way || !event.target.matches("input.atelier-cell-input") || event.ctrlKey) return;
  const cell = event.target.closest("td");
  const row = way > 0 ? cell.parentElement.nextElementSibling : cell.parentElement.previousElementSibling;
  const next = row?.children[cell.cellIndex].querySelector("input, button");
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.select?.();
}

function Missing({ missing, onFiles }) {
  return html`<div class="atelier-note atelier-missing" data-severity="warning"><${Icon} name="alert" />
    <span>${tn("{count} cell names a picture that is not here yet.", "{count} cells name pictures that are not here yet.", missing.length)} ${t("Drop the files here; they are matched by name.")}</span>
    <label class="atelier-button atelier-file">${t("Choose the pictures")}<input type="file" accept="image/*" multiple class="atelier-hidden" onChange=${(event) => (onFiles([...event.target.files]), (event.target.value = ""))} /></label>
  </div>`;
}

/** A name that is typed or chosen: an input, a path, or a variable of one's own. */
export function AddName({ label, names, onAdd }) {
  const [text, setText] = useState("");
  const add = (name) => name.trim() && (onAdd(name.trim()), setText(""));
  return html`<form class="atelier-add-name" onSubmit=${(event) => (event.preventDefault(), add(text))}>
    <${Combobox} label=${label} value=${text} placeholder=${label} options=${names} onChange=${(next) => (names.includes(next) ? add(next) : setText(next))} />
    ${text && html`<button type="submit" class="atelier-icon-button" aria-label=${label}><${Icon} name="add" /></button>`}
  </form>`;
}

/** "stages.base.steps" → "base · steps". */
export function shortName(name) {
  return name.startsWith("stages.") ? name.slice("stages.".length).split(".").join(" · ") : name;
}
