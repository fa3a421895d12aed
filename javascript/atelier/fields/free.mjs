// How is written what the schema leaves open? As JSON, checked while it is typed; names and their values one by one.

import { Icon } from "../icons.mjs";
import { html, useEffect, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

/** The value that a text means: JSON where it is JSON, else the text itself. Where `strict`, what looks like broken JSON is an error. */
export function readFree(text, strict = true) {
  const trimmed = text.trim();
  if (trimmed === "") return { value: undefined };
  try {
    return { value: JSON.parse(trimmed) };
  } catch (problem) {
    return strict && /^[[{"]/.test(trimmed) && !/^\{[A-Za-z_][\w-]*\}$/.test(trimmed) ? { problem: problem.message } : { value: text };
  }
}

/** The text that readFree reads back to the value. */
export function writeFree(value) {
  if (value === undefined || value === null) return "";
  return typeof value === "string" && readFree(value).value === value ? value : JSON.stringify(value, null, 1).replaceAll(/\n\s*/g, " ");
}

export function AnyControl({ id, value, onChange }) {
  const [text, setText] = useState(writeFree(value));
  const [problem, setProblem] = useState("");
  useEffect(() => {
    const { value: typed } = readFree(text);
    if (JSON.stringify(typed) !== JSON.stringify(value)) setText(writeFree(value));
  }, [value]);
  const typed = (event) => {
    setText(event.target.value);
    const read = readFree(event.target.value);
    setProblem(read.problem ?? "");
    if (!read.problem) onChange(read.value);
  };
  return html`<textarea id=${id} class="atelier-input atelier-code" rows="1" spellcheck=${false} value=${text} aria-invalid=${problem !== "" || undefined} onInput=${typed}></textarea>
    ${problem && html`<p class="atelier-note" data-severity="error"><${Icon} name="alert" /> <span>${t("This is no JSON yet: {problem}", { problem })}</span></p>`}`;
}

/** Names of one's own, each with a value of any kind. */
export function MapControl({ id, value, onChange, label }) {
  const [name, setName] = useState("");
  const entries = Object.entries(value ?? {});
  const add = (event) => {
    event.preventDefault();
    if (name.trim() && !(name.trim() in (value ?? {}))) onChange({ ...value, [name.trim()]: "" });
    setName("");
  };
  const change = (key, next) => onChange({ ...value, [key]: next ?? "" });
  const remove = (key) => onChange(Object.fromEntries(entries.filter(([other]) => other !== key)));
  return html`<div class="atelier-map" role="group" aria-labelledby=${`${id}-label`}>
    ${entries.map(
      ([key, inner]) => html`<div class="atelier-map-row" key=${key}>
        <label class="atelier-label" for=${`${id}-${key}`}>${key}</label>
        <div><${AnyControl} id=${`${id}-${key}`} value=${inner} onChange=${(next) => change(key, next)} /></div>
        <button type="button" class="atelier-tiny" aria-label=${t("Without {name}", { name: key })} onClick=${() => remove(key)}><${Icon} name="bin" /></button>
      </div>`,
    )}
    <form class="atelier-row-tight" onSubmit=${add}>
      <input id=${id} type="text" class="atelier-input" placeholder=${t("Name")} aria-label=${t("{label}: name of a new one", { label })} value=${name} onInput=${(event) => setName(event.target.value)} />
      <button type="submit" class="atelier-button" data-look="quiet"><${Icon} name="add" /> ${t("Add")}</button>
    </form>
  </div>`;
}
