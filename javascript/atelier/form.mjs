// How is a form drawn? One field for each property of an object schema, whatever it is of: recipes, training, merging.

import { Icon } from "./icons.mjs";
import { ChoiceControl } from "./fields/choice.mjs";
import { ListControl } from "./fields/list.mjs";
import { MapControl, AnyControl } from "./fields/free.mjs";
import { EnumControl, NumberControl, ToggleControl, TupleControl } from "./fields/plain.mjs";
import { SourceControl } from "./fields/source.mjs";
import { TextControl } from "./fields/text.mjs";
import { FieldHead, FieldNotes, VariableControl } from "./fields/around.mjs";
import { getAt, pathText, setAt } from "./paths.mjs";
import { capital, defaultOf, kindOf, newObject, resolve, strip, tagOf, variableIn } from "./schema.mjs";
import { html, useState } from "./vendor/htm-preact.mjs";
import { t, tn } from "./words.mjs";

/**
 * The fields of an object.
 *   root, schema: the whole schema, and the object's own in it;  value, onChange(next)
 *   path: where the value stands, as notes name it;  hidden: names that are shown elsewhere
 *   around: what fields may need to know, all optional
 *     {names(kind), sources: [{name, label, kind}], variables: [names], notes: {path: [{severity, message}]}, inherited: {name: value}, readOnly, beside(given): what stands below a control,
 *      suggest(path): texts to choose from for a text or a list of texts, or undefined}
 */
export function Form({ root, schema, value, onChange, path = [], around = {}, hidden = [] }) {
  const found = resolve(root, schema);
  if (found["x-exactly-one"]) return html`<${OneOfMany} ...${{ root, schema: found, value, onChange, path, around }} />`;
  const tag = tagOf(root, found)?.name;
  const names = Object.keys(found.properties ?? {})
    .filter((name) => name !== tag && !hidden.includes(name) && strip(root, found.properties[name]).schema.maxItems !== 0)
    .sort((a, b) => rankOf(root, found.properties[a]) - rankOf(root, found.properties[b]));
  const isSet = (name) => value?.[name] !== undefined;
  const isFolded = (name) => strip(root, found.properties[name]).schema["x-advanced"] === true;
  const field = (name) => html`<${Field}
    key=${name}
    root=${root}
    name=${name}
    schema=${found.properties[name]}
    isRequired=${found.required?.includes(name) ?? false}
    value=${value?.[name]}
    onChange=${(next) => onChange(setAt(value ?? {}, [name], next), name)}
    path=${[...path, name]}
    around=${around}
  />`;
  const folded = names.filter(isFolded);
  return html`${names.some((name) => !isFolded(name)) && html`<div class="atelier-grid">${names.filter((name) => !isFolded(name)).map(field)}</div>`}
    ${folded.length > 0 &&
    html`<${Folded} count=${folded.length} set=${folded.filter(isSet).length} hasNotes=${folded.some((name) => hasNotes(around, [...path, name]))}>
      <div class="atelier-grid">${folded.map(field)}</div>
    </${Folded}>`}`;
}

/** One value of any schema, with its label, notes, and the way back to its default. */
export function Field({ root, name, schema, isRequired = false, value, onChange, path, around, label }) {
  const { schema: found, variable, nullable } = strip(root, schema);
  const kind = kindOf(found);
  const inherited = around.inherited && path.length === around.depth ? around.inherited[name] : undefined;
  const base = inherited !== undefined ? inherited : found.default;
  const shown = value === undefined ? (base === undefined ? emptyOf(kind) : base) : value;
  const id = `atelier-field-${(around.id ?? []).concat(path).join("-")}`;
  const [wantsVariable, setWantsVariable] = useState(false);
  const usesVariable = variable && kind !== "text" && (variableIn(value) !== "" || wantsVariable);
  const given = { root, schema: found, value: shown, isSet: value !== undefined, onChange, path, around, id, label: label ?? t(found.title ?? capital(name)) };
  const isOptional = nullable && kind === "object";
  const isLeftOut = isOptional && (shown === null || shown === undefined) && !usesVariable;
  const Control = usesVariable ? VariableControl : isLeftOut ? Nothing : controlOf(found, kind);
  return html`<div
    class="atelier-field"
    data-kind=${usesVariable ? "variable" : kind}
    data-wide=${isWide(found, kind) || undefined}
    data-set=${value !== undefined || undefined}
    data-path=${pathText(path)}
    data-problem=${hasNotes(around, path, true) || undefined}
  >
    <${FieldHead}
      ...${given}
      kind=${kind}
      help=${found.description ? t(found.description) : ""}
      canReset=${value !== undefined && !isRequired && !isOptional}
      toggle=${isOptional && !usesVariable ? { isOn: !isLeftOut, onToggle: (isOn) => onChange(isOn ? newObject(root, found) : inherited ? null : undefined) } : null}
      canVary=${variable && kind !== "text" && (around.variables?.length ?? 0) > 0}
      usesVariable=${usesVariable}
      onVary=${() => {
        setWantsVariable(!usesVariable);
        if (variableIn(value)) onChange(isRequired ? defaultOf(root, schema) : undefined);
      }}
    />
    <${Control} ...${given} />
    ${around.beside?.(given)}
    <${FieldNotes} notes=${notesAt(around, path, isLeaf(kind))} id=${id} />
  </div>`;
}

/** In place of an object that is not there. */
function Nothing() {
  return null;
}

/** The order of a form: whose pictures, texts, plain settings, then what has parts. */
function rankOf(root, schema) {
  const { schema: found } = strip(root, schema);
  if (found["x-source"] && kindOf(found) !== "text") return kindOf(found) === "choice" && found.anyOf.some((form) => form.type === "object") ? 1 : 0;
  if (found["x-prompt"] || found["x-multiline"]) return 2;
  return isWide(found, kindOf(found)) ? 4 : 3;
}

/** The control for a kind. What names a stage, an input or a file is offered what there is, whatever its kind. */
function controlOf(schema, kind) {
  if (schema["x-source"] && (kind === "text" || (kind === "choice" && schema.anyOf.every((form) => form.type === "string" || form.items?.type === "string")))) {
    return SourceControl;
  }
  if (schema["x-source"] && kind === "list") return SourceControl;
  return CONTROLS[kind] ?? AnyControl;
}

const CONTROLS = {
  boolean: ToggleControl,
  integer: NumberControl,
  number: NumberControl,
  enum: EnumControl,
  text: TextControl,
  list: (given) => html`<${ListControl} ...${given} Field=${Field} Form=${Form} />`,
  tuple: TupleControl,
  object: ({ root, schema, value, onChange, path, around }) => html`<${Form} ...${{ root, schema, value, onChange, path, around }} />`,
  map: MapControl,
  choice: (given) => html`<${ChoiceControl} ...${given} Field=${Field} Form=${Form} />`,
  any: AnyControl,
};

/** An object in which exactly one name may be set: which one is a choice. */
function OneOfMany({ root, schema, value, onChange, path, around }) {
  const names = Object.keys(schema.properties);
  const chosen = names.find((name) => value?.[name] !== undefined && value[name] !== null && value[name] !== false) ?? names[0];
  const start = (name) => {
    const { schema: inner } = strip(root, schema.properties[name]);
    const kind = kindOf(inner);
    return kind === "boolean" ? true : (defaultOf(root, { ...inner, default: undefined }) ?? Math.max(1, inner.minimum ?? 1));
  };
  const isSwitch = kindOf(strip(root, schema.properties[chosen]).schema) === "boolean";
  return html`<div class="atelier-one-of">
    <select class="atelier-input" aria-label=${t("Operation")} value=${chosen} onChange=${(event) => onChange({ [event.target.value]: start(event.target.value) })}>
      ${names.map((name) => html`<option value=${name}>${t(strip(root, schema.properties[name]).schema.title ?? capital(name))}</option>`)}
    </select>
    ${!isSwitch &&
    html`<${Field}
      root=${root} name=${chosen} schema=${schema.properties[chosen]} isRequired value=${getAt(value, [chosen])}
      onChange=${(next) => onChange({ [chosen]: next })} path=${[...path, chosen]} around=${around}
    />`}
  </div>`;
}

function Folded({ count, set, hasNotes: isNoted, children }) {
  const [isOpen, setOpen] = useState(false);
  return html`<details class="atelier-more" open=${isOpen || isNoted} onToggle=${(event) => setOpen(event.target.open)}>
    <summary>
      <${Icon} name="forward" /> ${tn("{count} more setting", "{count} more settings", count)}
      ${set > 0 && html`<span class="atelier-count">${t("{set} set", { set })}</span>`}
    </summary>
    ${(isOpen || isNoted) && children}
  </details>`;
}

function isLeaf(kind) {
  return !["list", "object", "choice", "tuple"].includes(kind);
}

/** Notes of exactly this path; for a leaf those of what is inside it as well. */
function notesAt(around, path, withInner) {
  const here = pathText(path);
  return Object.entries(around.notes ?? {}).flatMap(([where, notes]) => (where === here || (withInner && where.startsWith(`${here}.`)) ? notes : []));
}

function hasNotes(around, path, onlyHere = false) {
  const here = pathText(path);
  return Object.keys(around.notes ?? {}).some((where) => where === here || (!onlyHere && where.startsWith(`${here}.`)));
}

function isWide(schema, kind) {
  if (kind === "list" && schema["x-names"]) return false;
  return ["list", "object", "map", "choice", "any"].includes(kind) || schema["x-multiline"] === true || schema["x-prompt"] === true;
}

function emptyOf(kind) {
  return { list: [], object: {}, map: {}, boolean: false }[kind];
}
