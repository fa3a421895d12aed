// Whose pictures are meant? A stage or an input by its name, one or several, chosen from those that there are.

import { Icon } from "../icons.mjs";
import { html } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

/** For a text: one name. For a list, or a text that may be a list: several. */
export function SourceControl(given) {
  const isOne = given.schema.type === "string";
  return isOne ? html`<${One} ...${given} />` : html`<${Several} ...${given} />`;
}

/** What may be named, with what is named although it is not there. */
function offered(around, named) {
  const sources = around.sources ?? [];
  const variables = (around.variables ?? []).map((name) => ({ name: `{${name}}`, label: `{${name}}` }));
  const known = [...sources, ...variables];
  return [...known, ...named.filter((name) => name && !known.some((one) => one.name === name)).map((name) => ({ name, label: name }))];
}

function One({ id, schema, value, onChange, around, label }) {
  return html`<select id=${id} class="atelier-input" aria-label=${label} value=${value ?? ""} aria-describedby=${`${id}-help ${id}-notes`} onChange=${(event) => onChange(event.target.value)}>
    <option value="">${!("default" in schema) ? t("Choose") : schema["x-source"] === "picture" ? t("the picture that is taken") : t("none")}</option>
    ${offered(around, [value]).map((one) => html`<option value=${one.name}>${one.label}</option>`)}
  </select>`;
}

function Several({ id, label, value, onChange, around }) {
  const names = Array.isArray(value) ? value : value ? [value] : [];
  const free = offered(around, []).filter((one) => !names.includes(one.name));
  const labels = Object.fromEntries(offered(around, names).map((one) => [one.name, one.label]));
  return html`<div class="atelier-chips" role="group" aria-label=${label}>
    ${names.map(
      (name) => html`<span class="atelier-chip" key=${name}>
        ${labels[name]}
        <button type="button" class="atelier-tiny" aria-label=${t("Without {name}", { name })} onClick=${() => onChange(names.filter((one) => one !== name))}><${Icon} name="close" /></button>
      </span>`,
    )}
    ${(free.length > 0 || names.length === 0) &&
    html`<select id=${id} class="atelier-input" value="" aria-label=${t("{label}: add", { label })} onChange=${(event) => onChange([...names, event.target.value])}>
      <option value="">${names.length ? t("Add…") : t("Nothing")}</option>
      ${free.map((one) => html`<option value=${one.name}>${one.label}</option>`)}
    </select>`}
  </div>`;
}
