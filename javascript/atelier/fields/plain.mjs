// How are numbers, switches and choices set? A slider where the range is small, the keyboard everywhere.

import { choicesOf, kindOf, resolve } from "../schema.mjs";
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

const MOST_STEPS = 400; // that a slider can usefully have

/** The step of a number field: the schema's, 1 for whole numbers, a hundredth of a short range. */
export function stepOf(schema) {
  if (schema.step) return schema.step;
  if (kindOf(schema) === "integer") return 1;
  return schema.maximum !== undefined && schema.maximum - (schema.minimum ?? 0) <= 2 ? 0.01 : 0.1;
}

/** Whether a slider is of use. */
export function hasSlider(schema) {
  const { minimum, maximum } = schema;
  return minimum !== undefined && maximum !== undefined && (maximum - minimum) / stepOf(schema) <= MOST_STEPS;
}

export function NumberControl({ id, schema, value, isSet, onChange, label }) {
  const box = useRef(null);
  const [text, setText] = useState(null); // what is being typed, as long as it is
  const shown = text ?? (value === null || value === undefined ? "" : String(value));
  const typed = (event) => {
    setText(event.target.value);
    const number = Number(event.target.value);
    if (event.target.value.trim() !== "" && Number.isFinite(number)) onChange(number);
  };
  const left = () => {
    if (text !== null && text.trim() === "" && isSet) onChange(undefined);
    setText(null);
  };
  const shared = { min: schema.minimum, max: schema.maximum, step: stepOf(schema) };
  return html`<div class="atelier-number" data-slider=${hasSlider(schema) || undefined}>
    ${hasSlider(schema) &&
    html`<input type="range" class="atelier-range" ...${shared} value=${value ?? schema.minimum} aria-label=${label} tabindex="-1" style=${`--part: ${part(schema, value)}`} onInput=${(event) => onChange(Number(event.target.value))} />`}
    <input
      type="number" inputmode="decimal" id=${id} ref=${box} class="atelier-input" ...${shared} step="any" value=${shown}
      placeholder=${t("default")} aria-describedby=${`${id}-help ${id}-notes`}
      onInput=${typed} onBlur=${left} onKeyDown=${(event) => stepped(event, schema, value, (next) => (setText(null), onChange(next)))}
    />
  </div>`;
}

/** Arrow keys go by the schema's step, ten steps with Shift; the browser's own would go by 1. */
function stepped(event, schema, value, onChange) {
  const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  if (!direction) return;
  event.preventDefault();
  const step = stepOf(schema) * (event.shiftKey ? 10 : 1);
  const next = Number(((value ?? schema.minimum ?? 0) + direction * step).toFixed(6));
  onChange(Math.min(schema.maximum ?? Infinity, Math.max(schema.minimum ?? -Infinity, next)));
}

function part(schema, value) {
  const span = schema.maximum - schema.minimum || 1;
  return Math.min(1, Math.max(0, ((value ?? schema.minimum) - schema.minimum) / span)).toFixed(3);
}

export function ToggleControl({ id, value, onChange }) {
  return html`<input type="checkbox" role="switch" id=${id} class="atelier-switch" checked=${value === true} aria-describedby=${`${id}-help`} onChange=${(event) => onChange(event.target.checked)} />`;
}

export function EnumControl({ id, schema, value, onChange }) {
  const choices = choicesOf(schema);
  const isOdd = value !== undefined && value !== null && !choices.includes(value);
  return html`<select id=${id} class="atelier-input" value=${String(value ?? "")} aria-describedby=${`${id}-help ${id}-notes`} onChange=${(event) => onChange(choices[event.target.selectedIndex - (isOdd ? 1 : 0)] ?? value)}>
    ${isOdd && html`<option value=${String(value)}>${String(value)}</option>`}
    ${choices.map((choice) => html`<option value=${String(choice)}>${typeof choice === "string" ? t(choice) : String(choice)}</option>`)}
  </select>`;
}

/** A list with a fixed number of values, such as two sizes. */
export function TupleControl({ id, root, schema, value, onChange, label }) {
  const values = schema.prefixItems.map((_, place) => value?.[place]);
  return html`<div class="atelier-tuple" role="group" aria-label=${label}>
    ${schema.prefixItems.map(
      (inner, place) => html`<${NumberControl}
        id=${`${id}-${place}`} schema=${resolve(root, inner)} value=${values[place]} label=${`${label} ${place + 1}`}
        onChange=${(next) => onChange(values.map((one, other) => (other === place ? (next ?? 0) : (one ?? 0))))}
      />`,
    )}
  </div>`;
}

/** Keeps a text control's height at its text. */
export function useGrowing(box, text) {
  useEffect(() => {
    const area = box.current;
    if (!area || CSS.supports("field-sizing", "content")) return;
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight + 2}px`;
  }, [text]);
}
