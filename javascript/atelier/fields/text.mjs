// How is a text written? In one line or several, with names to choose from where the schema says what is named.

import { useCell } from "../cell.mjs";
import { useApp } from "../app.mjs";
import { html, useEffect, useRef } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { Combobox } from "./combobox.mjs";
import { useGrowing } from "./plain.mjs";

export function TextControl(given) {
  const { schema } = given;
  if (schema["x-names"]) return html`<${NameControl} ...${given} />`;
  if (schema["x-prompt"] || schema["x-multiline"]) return html`<${LongText} ...${given} />`;
  const { id, value, onChange, path, around } = given;
  const suggested = around.suggest?.(path);
  if (suggested) return html`<${Combobox} id=${id} value=${value ?? ""} options=${suggested} onChange=${onChange} />`;
  return html`<input type="text" id=${id} class="atelier-input" value=${value ?? ""} spellcheck=${false} autocomplete="off" aria-describedby=${`${id}-help ${id}-notes`} onInput=${(event) => onChange(event.target.value)} />`;
}

/** A prompt box is one for the host's keys and for tag completion as well. */
function LongText({ id, schema, value, onChange }) {
  const box = useRef(null);
  useGrowing(box, value);
  useEffect(() => {
    if (schema["x-prompt"]) window.addAutocompleteToArea?.(box.current);
  }, []);
  return html`<div class=${schema["x-prompt"] ? "prompt" : ""}>
    <textarea id=${id} ref=${box} class="atelier-input" rows="2" value=${value ?? ""} aria-describedby=${`${id}-help ${id}-notes`} onInput=${(event) => onChange(event.target.value)}></textarea>
  </div>`;
}

/** A name of what the backends have; one that they lack may be written all the same. */
function NameControl({ id, schema, value, onChange, around }) {
  const { inventory } = useApp();
  useCell(inventory.cell);
  const names = inventory.names(schema["x-names"]);
  const variables = (around.variables ?? []).map((name) => `{${name}}`);
  const base = typeof schema.default === "string" && schema.default !== "" && !names.includes(schema.default) ? [schema.default] : [];
  return html`<${Combobox} id=${id} value=${value ?? ""} options=${[...base, ...names, ...variables]} placeholder=${"default" in schema ? t("default") : t("Choose")} onChange=${onChange} />`;
}
