// How is one cell of the table filled? In the way of its column: a picture, a number, one of several, a text.

import { useApp } from "../app.mjs";
import { useCell } from "../cell.mjs";
import { Combobox } from "../fields/combobox.mjs";
import { TypedInput } from "../fields/typed.mjs";
import { Icon } from "../icons.mjs";
import { pictureFile } from "../refine/picture-input.mjs";
import { html, useRef, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { kindOfColumn, valueOf } from "./table.mjs";

const IS_ID = /^[0-9a-f]{64}$/;
const TYPES = "image/png,image/jpeg,image/webp";
const NAMED = { lora: "loras", checkpoint: "checkpoints" };

/** label: what it is, for those who do not see where it stands. */
export function Cell({ recipe, name, value, label, onChange }) {
  const kind = kindOfColumn(recipe, name);
  if (kind === "image" || kind === "mask") return html`<${PictureCell} value=${value} label=${label} onChange=${onChange} />`;
  if (kind === "choice") {
    const choices = recipe.inputs[name].choices ?? [];
    const isOdd = value !== undefined && value !== "" && !choices.includes(value);
    return html`<select class="atelier-cell-input" aria-label=${label} value=${value ?? ""} onChange=${(event) => onChange(event.target.value || undefined)}>
      <option value=""></option>${isOdd && html`<option value=${value}>${String(value)}</option>`}${choices.map((choice) => html`<option key=${choice} value=${choice}>${choice}</option>`)}
    </select>`;
  }
  if (kind in NAMED) return html`<${NamedCell} kind=${NAMED[kind]} value=${value} label=${label} onChange=${onChange} />`;
  return html`<${TypedInput} class="atelier-cell-input" aria-label=${label} inputmode=${kind === "number" ? "decimal" : undefined} spellcheck=${false} autocomplete="off" value=${value ?? ""} onChange=${(text) => onChange(valueOf(kind, text))} />`;
}

function NamedCell({ kind, value, label, onChange }) {
  const { inventory } = useApp();
  useCell(inventory.cell);
  return html`<${Combobox} label=${label} value=${value ?? ""} options=${inventory.names(kind)} onChange=${(next) => onChange(next || undefined)} />`;
}

/** Small, and with the file's name where the picture itself is not here yet. */
function PictureCell({ value, label, onChange }) {
  const { api, toast } = useApp();
  const picker = useRef(null);
  const [isOver, setOver] = useState(false);
  const isHere = IS_ID.test(value ?? "");
  async function take(file) {
    if (!file) return;
    try {
      onChange((await api.upload(file)).id);
    } catch (problem) {
      toast(problem.message, { kind: "error" });
    }
  }
  const drop = {
    onDragOver: (event) => (event.preventDefault(), event.stopPropagation(), setOver(true)),
    onDragLeave: () => setOver(false),
    onDrop: (event) => {
      setOver(false);
      const dragged = event.dataTransfer.getData("application/x-atelier-picture");
      if (event.dataTransfer.files.length > 1 || (!dragged && !pictureFile(event.dataTransfer))) return; // several: the table matches them by name
      event.preventDefault();
      event.stopPropagation();
      if (dragged) onChange(dragged);
      else take(pictureFile(event.dataTransfer));
    },
  };
  return html`<span class="atelier-cell-picture" data-over=${isOver || undefined} ...${drop}>
    <button type="button" aria-label=${t("{label}: choose a picture", { label })} title=${isHere ? t("Choose another picture") : value ? t("This file is not here yet") : t("Choose a picture")} onClick=${() => picker.current.click()} onKeyDown=${(event) => event.key === "Delete" && onChange(undefined)}>
      ${isHere ? html`<img src=${api.thumbnail(value, 96)} alt="" loading="lazy" />` : value ? html`<span class="atelier-cell-missing"><${Icon} name="alert" />${value.split(/[\\/]/).at(-1)}</span>` : html`<${Icon} name="picture" />`}
    </button>
    ${value && html`<button type="button" class="atelier-tiny" aria-label=${t("Without {name}", { name: label })} onClick=${() => onChange(undefined)}><${Icon} name="close" /></button>`}
    <input ref=${picker} type="file" accept=${TYPES} hidden onChange=${(event) => (take(event.target.files[0]), (event.target.value = ""))} />
  </span>`;
}
