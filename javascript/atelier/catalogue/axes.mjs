// What is every row made with? Axes: a name and its values, each value once with every row.

import { Icon } from "../icons.mjs";
import { setAt, without } from "../paths.mjs";
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { Cell } from "./cell.mjs";
import { AddName, shortName } from "./rows.mjs";
import { offered } from "./table.mjs";

/** names: what may become an axis. onChange(how): a function of the axes as they are then. */
export function Axes({ recipe, names, onChange }) {
  const [waiting, setWaiting] = useState([]); // axes without a value yet: the recipe has none such
  const given = recipe.axes ?? {};
  const axes = { ...given, ...Object.fromEntries(waiting.filter((name) => !(name in given)).map((name) => [name, []])) };
  const set = (name, how) => onChange((now) => Object.fromEntries(Object.entries({ ...now, [name]: how(now[name] ?? []) }).filter(([, values]) => values.length > 0)));
  const remove = (name) => (setWaiting(waiting.filter((one) => one !== name)), name in given && set(name, () => []));
  const drop = (name, place) => set(name, (values) => without(values, place));
  return html`<section class="atelier-card atelier-axes" aria-label=${t("Axes")}>
    <div class="atelier-section-head"><h3>${t("Axes")}<span class="atelier-muted"> ${t("every row with each value")}</span></h3></div>
    ${Object.entries(axes).map(
      ([name, values]) => html`<div class="atelier-axis" key=${name} role="group" aria-label=${name}>
        <span class="atelier-axis-name" title=${name}>${recipe.inputs?.[name]?.label || shortName(name)}</span>
        <div class="atelier-axis-values">
          ${values.map(
            (value, place) => html`<span class="atelier-axis-value" key=${place}>
              <${Cell} recipe=${recipe} name=${name} value=${value} label=${t("{name}, value {place}", { name, place: place + 1 })} onChange=${(next) => (next === undefined || next === "" ? drop(name, place) : set(name, (all) => setAt(all, [place], next)))} />
              <button type="button" class="atelier-tiny" aria-label=${t("Without value {place} of {name}", { name, place: place + 1 })} onClick=${() => drop(name, place)}><${Icon} name="close" /></button>
            </span>`,
          )}
          <${NewValue} key=${values.length} recipe=${recipe} name=${name} isOpen=${values.length === 0} onAdd=${(value) => set(name, (all) => [...all, value])} />
        </div>
        <button type="button" class="atelier-tiny" title=${t("Remove")} aria-label=${t("Without the axis {name}", { name })} onClick=${() => remove(name)}><${Icon} name="bin" /></button>
      </div>`,
    )}
    <div class="atelier-rows-foot"><${AddName} label=${t("Add an axis")} names=${offered(recipe, names, Object.keys(axes))} onAdd=${(name) => setWaiting([...waiting, name])} /></div>
  </section>`;
}

function NewValue({ recipe, name, onAdd, isOpen }) {
  const [isAdding, setAdding] = useState(isOpen);
  const box = useRef(null);
  useEffect(() => void box.current?.querySelector("input:not([hidden]), select, button").focus(), [isAdding]);
  if (!isAdding) return html`<button type="button" class="atelier-button" data-look="quiet" onClick=${() => setAdding(true)}><${Icon} name="add" /> ${t("Value")}</button>`;
  return html`<span class="atelier-axis-value" ref=${box}>
    <${Cell} recipe=${recipe} name=${name} value="" label=${t("New value of {name}", { name })} onChange=${(value) => value !== undefined && value !== "" && onAdd(value)} />
  </span>`;
}
