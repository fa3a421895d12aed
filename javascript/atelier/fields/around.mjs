// What stands around every field's control? Its label and help, the way back to the default, the switch to a variable, its notes.

import { Icon } from "../icons.mjs";
import { variableIn } from "../schema.mjs";
import { html } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

/** The line above a control. */
export function FieldHead({ id, label, help, kind, canReset, canVary, usesVariable, onVary, onChange, toggle }) {
  const isGroup = ["list", "object", "map", "choice", "tuple"].includes(kind);
  return html`<div class="atelier-field-head">
    ${isGroup
      ? html`<span class="atelier-label" id=${`${id}-label`} title=${help}>${label}</span>`
      : html`<label class="atelier-label" for=${id} title=${help}>${label}</label>`}
    ${toggle && html`<input type="checkbox" role="switch" class="atelier-switch" checked=${toggle.isOn} aria-labelledby=${`${id}-label`} onChange=${(event) => toggle.onToggle(event.target.checked)} />`}
    <span class="atelier-field-tools">
      ${canVary &&
      html`<button type="button" class="atelier-tiny" aria-pressed=${usesVariable} title=${t("Use a variable here")} aria-label=${t("{label}: use a variable", { label })} onClick=${onVary}>
        {}
      </button>`}
      ${canReset &&
      html`<button type="button" class="atelier-tiny" title=${t("Back to the default")} aria-label=${t("{label}: back to the default", { label })} onClick=${() => onChange(undefined)}>
        <${Icon} name="reset" />
      </button>`}
    </span>
    ${help && html`<span class="atelier-hidden" id=${`${id}-help`}>${help}</span>`}
  </div>`;
}

/** What is to be said of a field: errors and warnings, each as a line of its own. */
export function FieldNotes({ notes, id }) {
  if (notes.length === 0) return null;
  return html`<div id=${`${id}-notes`}>
    ${notes.map((note) => html`<p class="atelier-note" data-severity=${note.severity} key=${note.message}><${Icon} name="alert" /> <span>${note.message}</span></p>`)}
  </div>`;
}

/** In place of a control: which variable gives the value. */
export function VariableControl({ id, value, onChange, around }) {
  const names = around.variables ?? [];
  const chosen = variableIn(value);
  return html`<select id=${id} class="atelier-input atelier-variable" value=${chosen} onChange=${(event) => onChange(event.target.value ? `{${event.target.value}}` : undefined)}>
    <option value="">${t("Choose a variable")}</option>
    ${(chosen && !names.includes(chosen) ? [...names, chosen] : names).map((name) => html`<option value=${name}>${`{${name}}`}</option>`)}
  </select>`;
}
