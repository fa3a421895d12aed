// How is a list edited? Each element in a box of its own, or as a chip where it is a plain text; added, moved, copied, taken out.

import { useApp } from "../app.mjs";
import { useCell } from "../cell.mjs";
import { Icon } from "../icons.mjs";
import { moved, setAt, withAt, without } from "../paths.mjs";
import { choicesOf, defaultOf, formOf, formsOf, kindOf, strip } from "../schema.mjs";
import { html, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { Combobox } from "./combobox.mjs";

export function ListControl(given) {
  const { root, schema } = given;
  const { schema: inner } = strip(root, schema.items ?? {});
  const kind = kindOf(inner);
  return kind === "text" || kind === "enum" ? html`<${Chips} ...${given} inner=${inner} />` : html`<${Boxes} ...${given} inner=${inner} />`;
}

/** Elements with fields of their own. Where there are several forms, adding asks which. */
function Boxes({ id, root, schema, inner, value, onChange, path, around, label, Field, Form }) {
  const list = Array.isArray(value) ? value : [];
  const forms = kindOf(inner) === "choice" ? formsOf(root, inner).filter((form) => form.tag || form.kind === "object") : [];
  const add = (made) => onChange([...list, made]);
  const change = (place, next) => onChange(setAt(list, [place], next));
  return html`<div class="atelier-boxes" role="group" aria-labelledby=${`${id}-label`}>
    ${list.map(
      (element, place) => html`<div class="atelier-box" key=${place}>
        <div class="atelier-box-head">
          <span class="atelier-box-name">${elementName(root, inner, element, label, place)}</span>
          <span class="atelier-row-tight">
            <${Tool} icon="up" label=${t("Move up")} disabled=${place === 0} onClick=${() => onChange(moved(list, place, place - 1))} />
            <${Tool} icon="down" label=${t("Move down")} disabled=${place === list.length - 1} onClick=${() => onChange(moved(list, place, place + 1))} />
            <${Tool} icon="copy" label=${t("Duplicate")} onClick=${() => onChange(withAt(list, place + 1, element))} />
            <${Tool} icon="bin" label=${t("Remove")} onClick=${() => onChange(without(list, place))} />
          </span>
        </div>
        <${Element} ...${{ root, inner, element, place, path, around, Field, Form }} onChange=${(next) => change(place, next)} />
      </div>`,
    )}
    ${forms.length > 1
      ? html`<select id=${id} class="atelier-input atelier-add-select" value="" aria-label=${t("{label}: add", { label })} onChange=${(event) => (add(forms[event.target.selectedIndex - 1].make()), (event.target.value = ""))}>
          <option value="">${t("Add…")}</option>
          ${forms.map((form) => html`<option value=${form.id}>${t(form.label)}</option>`)}
        </select>`
      : html`<button type="button" id=${id} class="atelier-button atelier-add" data-look="quiet" onClick=${() => add(forms[0]?.make() ?? defaultOf(root, schema.items ?? {}))}>
          <${Icon} name="add" /> ${t("Add")}<span class="atelier-hidden">: ${label}</span>
        </button>`}
  </div>`;
}

function Element({ root, inner, element, place, path, around, onChange, Field, Form }) {
  const where = [...path, place];
  const form = kindOf(inner) === "choice" ? formOf(formsOf(root, inner), element) : null;
  const schema = form?.schema ?? inner;
  if (kindOf(schema) === "object" && typeof element === "object") return html`<${Form} ...${{ root, schema, value: element, onChange, path: where, around }} />`;
  return html`<${Field} ...${{ root, name: String(place), schema: inner, value: element, onChange, path: where, around, label: t("Value") }} isRequired />`;
}

/** An element's own word for what it is: its tag, else its number. */
function elementName(root, inner, element, label, place) {
  const form = kindOf(inner) === "choice" ? formOf(formsOf(root, inner), element) : null;
  return form ? t(form.label) : `${label} ${place + 1}`;
}

function Tool({ icon, label, ...rest }) {
  return html`<button type="button" class="atelier-tiny" title=${label} aria-label=${label} ...${rest}><${Icon} name=${icon} /></button>`;
}

/** Plain texts, such as styles. */
function Chips({ id, inner, value, onChange, label, path, around }) {
  const app = useApp();
  useCell(app.inventory.cell);
  const [text, setText] = useState("");
  const list = Array.isArray(value) ? value : [];
  const names = around.suggest?.(path) ?? (inner["x-names"] ? app.inventory.names(inner["x-names"]) : choicesOf(inner));
  const add = (name) => (name.trim() && onChange([...list, name.trim()]), setText(""));
  return html`<div class="atelier-chips" role="group" aria-labelledby=${`${id}-label`}>
    ${list.map(
      (name, place) => html`<span class="atelier-chip" key=${place}>
        ${String(name)}
        <button type="button" class="atelier-tiny" aria-label=${t("Without {name}", { name })} onClick=${() => onChange(without(list, place))}><${Icon} name="close" /></button>
      </span>`,
    )}
    <form class="atelier-row-tight" onSubmit=${(event) => (event.preventDefault(), add(text))}>
      <${Combobox} id=${id} label=${t("{label}: add", { label })} value=${text} placeholder=${t("Add…")} options=${names.filter((name) => !list.includes(name))} onChange=${setText} onChoose=${add} />
    </form>
  </div>`;
}
