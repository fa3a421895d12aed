// What is asked of a merge, and what was said of it before work: which files are named, which field a warning belongs to, what is tried.

import { t } from "../words.mjs";

export const COMMANDS = {
  merge: { title: "Merge LoRAs", about: "Several LoRAs become one." },
  bake: { title: "Bake into a checkpoint", about: "LoRAs, or another checkpoint, become part of a checkpoint." },
  extract: { title: "Extract a LoRA", about: "The difference of two checkpoints becomes a LoRA." },
  resize: { title: "Resize a LoRA", about: "A LoRA gets a lower rank." },
  convert: { title: "Convert a LoRA", about: "A LoRA gets other names, another precision, or another type." },
  inspect: { title: "Look into a file", about: "Its type, base model, ranks, strengths, precision and training tags." },
};

const STARTS = {
  merge: { loras: [{ file: "" }, { file: "" }] },
  bake: { checkpoint: { file: "" }, loras: [{ file: "" }] },
  extract: { base: { file: "" }, tuned: { file: "" } },
  resize: { file: "" },
  convert: { file: "" },
  inspect: { file: "" },
};

export const MOST_TRIED = 12;

/** What the form of a command begins with. */
export function startOf(command) {
  return STARTS[command];
}

/** Every file that a config names: [{path, file}], the empty ones too. */
export function filesOf(config, path = []) {
  if (config === null || typeof config !== "object") return [];
  const own = typeof config.file === "string" ? [{ path: [...path, "file"], file: config.file }] : [];
  return [...own, ...Object.entries(config).flatMap(([name, inner]) => filesOf(inner, [...path, name]))];
}

/** Whether all that must be named is. */
export function isComplete(config) {
  const files = filesOf(config);
  return files.length > 0 && files.every(({ file }) => file !== "") && (!Array.isArray(config.loras) || config.loras.length > 0 || Boolean(config.mix));
}

/** A file's name as messages have it: no folder, no ending, no hash. */
export function stem(name) {
  return name.replace(/ \[[0-9a-f]{8,64}\]$/i, "").replaceAll("\\", "/").split("/").at(-1).replace(/\.safetensors$/i, "");
}

/** {path: [{severity, message}]} of a check {problem, warnings}: beside the files that it names, else at "". */
export function notesOf(config, checked) {
  const notes = {};
  const told = [...(checked?.problem ? [{ severity: "error", message: checked.problem }] : []), ...(checked?.warnings ?? []).map(({ text, said, values }) => ({ severity: "warning", message: t(said, values), text }))];
  for (const { text, ...note } of told) {
    for (const path of placesOf(config, text ?? note.message)) (notes[path] ??= []).push(note);
  }
  return notes;
}

function placesOf(config, message) {
  const quoted = [...message.matchAll(/"([^"]+)"/g)].map(([, text]) => stem(text));
  const named = filesOf(config).filter(({ file }) => file && quoted.includes(stem(file)));
  if (named.length) return named.map(({ path }) => path.join("."));
  if (/^The weights /.test(message)) return ["loras"];
  const field = /^([a-z_]+(?:[.[][\w.\]]+)*) (?:is|has) /.exec(message)?.[1];
  return [field ? field.replaceAll(/\[(\d+)\]/g, ".$1") : ""];
}

/** Configs to try, each with a label and the name of its file: every method with every factor of all weights. */
export function candidates(config, methods, factors, prefix) {
  return methods.flatMap((method) =>
    factors.map((factor) => {
      const label = `${method.kind} ${factor}`;
      const loras = config.loras.map((lora) => ({ ...lora, weight: Number(((lora.weight ?? 1) * factor).toFixed(4)) }));
      return { label, config: { ...config, loras, method, output: { ...config.output, folder: "", name: `${prefix}${method.kind}-${Math.round(factor * 100)}` } } };
    }),
  ).slice(0, MOST_TRIED);
}

/** A recipe that draws the prompt once with each of the LoRAs, side by side; `settings` are those that are drawn with otherwise. */
export function tryRecipe(names, prompt, settings = {}) {
  return {
    version: 1,
    name: "merges",
    title: prompt,
    axes: { lora: names },
    settings: { seed: 7, ...settings, prompt, loras: [{ name: "{lora}", weight: 1 }] },
    stages: [
      { id: "drawn", type: "txt2img" },
      { id: "sheet", type: "sheet", takes: "drawn", labels: "{lora}" },
    ],
  };
}

/** A recipe that draws the prompt once with a LoRA, or by a checkpoint, of this name. */
export function previewRecipe(kind, name, prompt, settings = {}) {
  const by = kind === "loras" ? { loras: [{ name, weight: 1 }] } : { checkpoint: name };
  return { version: 1, name: "preview", title: prompt, settings: { seed: 7, ...settings, prompt, ...by }, stages: [{ id: "drawn", type: "txt2img" }] };
}

/** Whether two merges, told with all defaults, give the same values: where they go and what they are called does not matter. */
export function isSameMerge(one, other) {
  const values = ({ loras, method, base }) => JSON.stringify([loras, method, base]);
  return Boolean(one && other) && Array.isArray(one.loras) && values(one) === values(other);
}

/** What the schema of a command's config becomes on the page: results go below the folder of models, and only what differs from a part's own defaults counts as set. */
export function onPage(schema) {
  const told = structuredClone(schema);
  const folder = told.$defs?.Output?.properties.folder;
  if (folder) Object.assign(folder, { default: "", description: "Below the folder of the WebUI's LoRAs or checkpoints; empty: there itself." });
  for (const { properties } of [told, ...Object.values(told.$defs ?? {})]) {
    for (const property of Object.values(properties ?? {})) {
      const own = told.$defs?.[property.$ref?.split("/").at(-1)]?.properties;
      if (own && property.default) property.default = Object.fromEntries(Object.entries(property.default).filter(([name, value]) => name !== "folder" && value !== own[name]?.default));
    }
  }
  return told;
}
