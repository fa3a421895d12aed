// How is one of several forms chosen? By its name; the fields below are those of the form.

import { formOf, formsOf, kindOf } from "../schema.mjs";
import { html } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { SourceControl } from "./source.mjs";
import { TextControl } from "./text.mjs";

export function ChoiceControl(given) {
  const { id, root, schema, value, onChange, path, around, label, Form, Field } = given;
  const forms = formsOf(root, schema);
  const form = formOf(forms, value) ?? forms.find((one) => one.kind === "text") ?? forms[0];
  return html`<div class="atelier-choice">
    <select class="atelier-input" aria-label=${t("{label}: kind", { label })} value=${form.id} onChange=${(event) => onChange(forms[event.target.selectedIndex].make())}>
      ${forms.map((one) => html`<option value=${one.id}>${t(one.kind === "text" && schema["x-source"] ? "A stage or an input" : one.label)}</option>`)}
    </select>
    <${Inner} ...${{ id, root, schema, form, value, onChange, path, around, label, Form, Field }} />
  </div>`;
}

function Inner({ id, root, schema, form, value, onChange, path, around, label, Form, Field }) {
  const kind = kindOf(form.schema);
  if (kind === "object") return html`<div class="atelier-box"><${Form} ...${{ root, schema: form.schema, value, onChange, path, around }} /></div>`;
  if (kind === "text") {
    const Control = schema["x-source"] ? SourceControl : TextControl;
    return html`<${Control} ...${{ id, root, schema: { ...form.schema, ...("default" in schema ? { default: schema.default } : {}), "x-names": schema["x-names"], "x-source": schema["x-source"] }, value, onChange, path, around, label }} />`;
  }
  return html`<${Field} ...${{ root, name: "", schema: form.schema, value, onChange, path, around, label: t(form.label) }} isRequired />`;
}
