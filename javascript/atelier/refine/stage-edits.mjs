// What does an edit of the list of stages make of the recipe? New ones, copies, other orders and names; references follow.

import { moved, setAt, withAt, without } from "../paths.mjs";
import { kindOf, newObject, resolve, strip, tagOf } from "../schema.mjs";

/** The types of stages that the schema knows: [{type, about, schema}]. */
export function stageTypes(root) {
  const items = resolve(root, root.properties?.stages?.items ?? {});
  return (items.oneOf ?? items.anyOf ?? []).map((member) => {
    const schema = resolve(root, member);
    return { type: String(tagOf(root, schema)?.value ?? ""), about: schema.description ?? "", schema };
  });
}

/** The schema of a stage by its type, or null. */
export function schemaOf(root, stage) {
  return stageTypes(root).find((one) => one.type === stage.type)?.schema ?? null;
}

/** A name that neither a stage nor an input has: the wanted one, or that with a number. */
export function freeName(recipe, wanted) {
  const taken = new Set([...(recipe.stages ?? []).map((stage) => stage.id), ...Object.keys(recipe.inputs ?? {})]);
  if (!taken.has(wanted)) return wanted;
  const stem = wanted.replace(/-\d+$/, "");
  for (let number = 2; ; number += 1) if (!taken.has(`${stem}-${number}`)) return `${stem}-${number}`;
}

/** Whether stages of this schema take pictures. */
export function takesPictures(root, schema) {
  const takes = schema.properties?.takes;
  if (!takes) return false;
  const { schema: found } = strip(root, takes);
  const list = found.anyOf?.find((form) => form.type === "array") ?? found;
  return list.maxItems !== 0;
}

/** The recipe with a new stage at `place`. What takes pictures takes those of the stage before it. */
export function withStage(root, recipe, type, place) {
  const { schema } = stageTypes(root).find((one) => one.type === type);
  const stages = recipe.stages ?? [];
  const before = stages[place - 1]?.id ?? Object.entries(recipe.inputs ?? {}).find(([, input]) => input.type === "image")?.[0];
  const takes = takesPictures(root, schema) && before ? { takes: [before] } : {};
  const stage = { ...newObject(root, schema), id: freeName(recipe, type), type, ...takes };
  return { ...recipe, stages: withAt(stages, place, stage) };
}

/** The recipe with a copy of a stage after it. */
export function withCopy(recipe, place) {
  const stage = recipe.stages[place];
  return { ...recipe, stages: withAt(recipe.stages, place + 1, { ...stage, id: freeName(recipe, stage.id) }) };
}

/** The recipe without a stage; who took its pictures takes what it took. */
export function withoutStage(root, recipe, place) {
  const gone = recipe.stages[place];
  const instead = namesOf(gone.takes);
  const stages = without(recipe.stages, place).map((stage) => {
    const takes = namesOf(stage.takes);
    return takes.includes(gone.id) ? { ...stage, takes: [...new Set(takes.flatMap((name) => (name === gone.id ? instead : [name])))] } : stage;
  });
  return { ...recipe, stages };
}

/** The recipe with a stage at another place. */
export function withMoved(recipe, from, to) {
  return { ...recipe, stages: moved(recipe.stages, from, to) };
}

/** The recipe in which a stage or an input has another name, wherever the schema says that it is named, in paths and in variables. */
export function withName(root, recipe, old, name) {
  if (old === name || !name) return recipe;
  const stages = recipe.stages.map((stage) => {
    const schema = schemaOf(root, stage);
    const renamed = schema ? renamedIn(root, schema, stage, old, name) : stage;
    return stage.id === old ? { ...renamed, id: name } : renamed;
  });
  const key = (path) => (path === old ? name : path.replace(new RegExp(`^stages\\.${old}\\.`), `stages.${name}.`));
  const keys = (object) => Object.fromEntries(Object.entries(object).map(([path, value]) => [key(path), value]));
  return {
    ...recipe,
    stages,
    ...(recipe.inputs ? { inputs: keys(recipe.inputs) } : {}),
    ...(recipe.axes ? { axes: keys(recipe.axes) } : {}),
    ...(recipe.rows ? { rows: recipe.rows.map(keys) } : {}),
  };
}

/** What a stage at `place` may name: picture inputs and the stages before it. */
export function sourcesAt(recipe, place) {
  const inputs = Object.entries(recipe.inputs ?? {}).filter(([, input]) => input.type === "image" || input.type === "mask");
  return [
    ...(recipe.stages ?? []).slice(0, place).map((stage) => ({ name: stage.id, label: stage.title || stage.id, kind: stage.type })),
    ...inputs.map(([name, input]) => ({ name, label: input.label || name, kind: input.type })),
  ];
}

/** The variables that any field may use: inputs, and what rows and axes set that is no path. */
export function variablesOf(recipe) {
  const set = [...Object.keys(recipe.axes ?? {}), ...(recipe.rows ?? []).flatMap((row) => Object.keys(row))];
  return [...new Set([...Object.keys(recipe.inputs ?? {}), ...set.filter((name) => !name.includes("."))])];
}

/** The different values that rows and axes give an input. */
export function rowValues(recipe, name) {
  const given = [...(recipe.rows ?? []).filter((row) => row[name] !== undefined && row[name] !== "").map((row) => row[name]), ...(recipe.axes?.[name] ?? [])];
  return [...new Set(given)];
}

/** `takes` as a list. */
export function namesOf(takes) {
  return Array.isArray(takes) ? takes : takes ? [takes] : [];
}

/** A value in which names at x-source, and variables of that name, are replaced; guided by the schema. */
function renamedIn(root, schema, value, old, name, isSource = false) {
  if (typeof value === "string") return isSource && value === old ? name : value.replaceAll(`{${old}}`, `{${name}}`);
  if (typeof value !== "object" || value === null) return value;
  const { schema: found } = strip(root, schema);
  const source = isSource || Boolean(found["x-source"]);
  if (Array.isArray(value)) return value.map((inner) => renamedIn(root, found.items ?? formFor(root, found, inner), inner, old, name, source));
  const form = kindOf(found) === "choice" ? formFor(root, found, value) : found;
  return Object.entries(value).reduce((all, [key, inner]) => {
    const property = form.properties?.[key] ?? {};
    return setAt(all, [key], renamedIn(root, property, inner, old, name, Boolean(strip(root, property).schema["x-source"])));
  }, value);
}

function formFor(root, schema, value) {
  const members = (schema.anyOf ?? []).map((member) => resolve(root, member));
  const tagged = members.find((member) => {
    const tag = tagOf(root, member);
    return tag && value?.[tag.name] === tag.value;
  });
  return tagged ?? members.find((member) => member.properties && !tagOf(root, member)) ?? {};
}
