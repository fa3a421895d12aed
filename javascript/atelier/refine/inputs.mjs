// What goes in? The recipe's named inputs, each in the way of its type; and the page on which they are named.

import { useApp } from "../app.mjs";
import { useCell } from "../cell.mjs";
import { Dialog } from "../dialog.mjs";
import { Combobox } from "../fields/combobox.mjs";
import { NumberControl } from "../fields/plain.mjs";
import { TypedInput } from "../fields/typed.mjs";
import { Form } from "../form.mjs";
import { Icon } from "../icons.mjs";
import { html, useState } from "../vendor/htm-preact.mjs";
import { t, tn } from "../words.mjs";
import { PictureInput } from "./picture-input.mjs";
import { freeName, rowValues, withName } from "./stage-edits.mjs";

const PICTURES = ["image", "mask"];
const isPicture = ([, declared]) => PICTURES.includes(declared.type);

export function Inputs({ root, recipe, inputs, notes }) {
  const { store } = useApp();
  const [isEditing, setEditing] = useState(false);
  const entries = Object.entries(recipe.inputs ?? {});
  return html`<section class="atelier-card atelier-inputs" aria-label=${t("Inputs")}>
    <div class="atelier-section-head">
      <h3>${t("Inputs")}</h3>
      <button type="button" class="atelier-button" data-look="quiet" onClick=${() => setEditing(true)}>
        <${Icon} name=${entries.length ? "edit" : "add"} /> ${entries.length ? t("Edit inputs") : t("Add an input")}
      </button>
    </div>
    ${entries.length > 0 &&
    html`<div class="atelier-card-body atelier-stack">
      ${[entries.filter(isPicture), entries.filter((entry) => !isPicture(entry))].map(
        (group, number) =>
          group.length > 0 &&
          html`<div class=${number === 0 ? "atelier-pictures" : "atelier-grid"} key=${number}>
            ${group.map(
              ([name, declared]) => html`<${InputField}
                key=${name} name=${name} declared=${declared} value=${inputs[name]} given=${rowValues(recipe, name)} notes=${notes[`inputs.${name}`] ?? notes[name] ?? []}
                onChange=${(value) => store.edit(["inputs", name], value)}
              />`,
            )}
          </div>`,
      )}
    </div>`}
    ${isEditing && html`<${InputsEditor} root=${root} recipe=${recipe} onClose=${() => setEditing(false)} />`}
  </section>`;
}

function InputField({ name, declared, value, given, onChange, notes }) {
  const label = declared.label || name;
  const id = `atelier-input-${name}`;
  const wantsPicture = isPicture([name, declared]);
  return html`<div class="atelier-field" data-kind=${declared.type} data-set=${value !== undefined || undefined}>
    <div class="atelier-field-head">
      <label class="atelier-label" for=${id} title=${declared.help}>${label}${declared.optional ? ` (${t("optional")})` : ""}</label>
    </div>
    ${given.length > 0
      ? html`<${FromRows} id=${id} given=${given} wantsPicture=${wantsPicture} />`
      : wantsPicture
      ? html`<${PictureInput} id=${id} label=${label} kind=${declared.type} value=${value ?? declared.default} isOwn=${value !== undefined} onChange=${onChange} />`
      : html`<${PlainInput} ...${{ id, label, declared, value, onChange }} />`}
    ${notes.map((note) => html`<p class="atelier-note" data-severity=${note.severity}><${Icon} name="alert" /> <span>${note.message}</span></p>`)}
  </div>`;
}

/** What the recipe's rows and axes set is not asked for here. */
function FromRows({ id, given, wantsPicture }) {
  const app = useApp();
  return html`<button type="button" id=${id} class="atelier-from-rows" title=${t("Set by the rows: open the catalogue")} onClick=${() => app.open("catalogue")}>
    ${wantsPicture
      ? html`<span class="atelier-fan">${given.slice(0, 4).map((one) => html`<img src=${app.api.thumbnail(one, 128)} alt="" />`)}</span>`
      : html`<span class="atelier-fan-words">${given.map(String).join(", ")}</span>`}
    <span class="atelier-muted">${tn("{count} value in the rows", "{count} values in the rows", given.length)}</span>
  </button>`;
}

function PlainInput({ id, label, declared, value, onChange }) {
  const shown = value ?? declared.default;
  if (declared.type === "number") return html`<${NumberControl} ...${{ id, label, value: shown, isSet: value !== undefined, onChange }} schema=${{ type: "number", minimum: declared.minimum ?? undefined, maximum: declared.maximum ?? undefined }} />`;
  if (declared.type === "choice") {
    return html`<select id=${id} class="atelier-input" value=${shown ?? ""} onChange=${(event) => onChange(event.target.value)}>
      ${shown === undefined || shown === null ? html`<option value="">${t("Choose")}</option>` : null}
      ${(declared.choices ?? []).map((choice) => html`<option value=${choice}>${choice}</option>`)}
    </select>`;
  }
  if (declared.type === "text") return html`<div class="prompt"><textarea id=${id} class="atelier-input" rows="1" value=${shown ?? ""} onInput=${(event) => onChange(event.target.value)}></textarea></div>`;
  return html`<${NamedFile} ...${{ id, label, kind: `${declared.type}s`, value: shown ?? "", onChange }} />`;
}

function NamedFile({ id, label, kind, value, onChange }) {
  const { inventory } = useApp();
  useCell(inventory.cell);
  return html`<${Combobox} id=${id} label=${label} value=${value} options=${inventory.names(kind)} placeholder=${t("none")} onChange=${onChange} />`;
}

/** Naming, adding and taking away inputs. Another name follows wherever the input is named. */
function InputsEditor({ root, recipe, onClose }) {
  const { store } = useApp();
  const schema = root.properties.inputs.additionalProperties;
  const entries = Object.entries(recipe.inputs ?? {});
  const change = (how) => store.change((draft) => ({ ...draft, recipe: how(draft.recipe) }));
  const add = (type) => change((all) => ({ ...all, inputs: { ...all.inputs, [freeName(all, type)]: { type, optional: true } } }));
  const remove = (name) => change((all) => ({ ...all, inputs: Object.fromEntries(Object.entries(all.inputs).filter(([other]) => other !== name)) }));
  return html`<${Dialog} title=${t("Inputs of this recipe")} wide onClose=${onClose}>
    <p class="atelier-muted">${t("Write {name} in any text to use an input there. Pictures are taken by their name.")}</p>
    ${entries.map(
      ([name, declared]) => html`<details class="atelier-box atelier-input-box" key=${name}>
        <summary><b>${name}</b> <span class="atelier-muted">${[declared.type, declared.label].filter(Boolean).join(" · ")}</span></summary>
        <div class="atelier-row atelier-box-head">
          <label class="atelier-row"><span class="atelier-label">${t("Name")}</span>
            <${TypedInput} class="atelier-input" style="width: 180px" value=${name} onChange=${(text) => change((all) => withName(root, all, name, freeName(all, text.trim() || name)))} />
          </label>
          <button type="button" class="atelier-button" data-look="quiet" onClick=${() => remove(name)}><${Icon} name="bin" /> ${t("Delete")}</button>
        </div>
        <${Form} root=${root} schema=${schema} value=${declared} around=${{ id: ["input", name] }} onChange=${(next) => store.edit(["recipe", "inputs", name], next)} />
      </details>`,
    )}
    <div class="atelier-row">
      <button type="button" class="atelier-button" onClick=${() => add("image")}><${Icon} name="picture" /> ${t("Add a picture")}</button>
      <button type="button" class="atelier-button" onClick=${() => add("text")}><${Icon} name="add" /> ${t("Add a text")}</button>
      <span class="atelier-grow"></span>
      <button type="button" class="atelier-button" data-look="primary" onClick=${onClose}>${t("Done")}</button>
    </div>
  </${Dialog}>`;
}
