// What becomes of a training's settings on their way from the form to the trainer? Values in, values out.

import { pathOf, pathText, setAt, getAt } from "../paths.mjs";

const NAMED = /^([a-z_][\w.[\]]*) (?:is|has|does|must|names|cannot|trains)\b/;

/** The settings with a preset's in place of those of the preset before; what a preset does not speak of stays. */
export function withPreset(training, presets, name) {
  let next = training;
  for (const preset of presets) for (const [path] of leaves(preset.config)) next = setAt(next, path, undefined);
  const chosen = presets.find((preset) => preset.name === name);
  for (const [path, value] of leaves(chosen?.config ?? {})) next = setAt(next, path, value);
  return next;
}

/** What is sent: the finished file goes into the host's folder of LoRAs where nothing else was said, and one sample shows the trigger. */
export function complete(training, { lora_folder: loras }) {
  let next = training;
  if (loras && getAt(next, ["output", "lora_folder"]) === undefined) next = setAt(next, ["output", "lora_folder"], loras);
  const { trigger, fallback } = getAt(next, ["data", "concepts", 0]) ?? {};
  if (getAt(next, ["run", "samples"]) === undefined && (trigger || fallback)) next = setAt(next, ["run", "samples"], [{ prompt: trigger || fallback }]);
  return next;
}

/** Whether there is enough to look at: a folder and a base model. */
export function isReady(training) {
  return Boolean(training.name && training.model?.checkpoint && training.data?.concepts?.[0]?.folder);
}

/** Mistakes as notes beside the fields that they name: {path: [{severity, message}]}. */
export function notesOf(findings) {
  const notes = {};
  for (const { event, text } of findings) {
    const named = event === "mistake" ? NAMED.exec(text) : null;
    if (named) (notes[pathText(pathOf(named[1]))] ??= []).push({ severity: "error", message: text });
  }
  return notes;
}

/** [[path, value], …] of everything in an object that is no object itself. */
function leaves(value, path = []) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [[path, value]];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]));
}
