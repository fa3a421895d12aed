// How does the name of a LoRA get into a prompt, and out of it again?

const WEIGHT = 0.8;

/** "<lora:name:0.8>" */
export function loraWord(name, weight = WEIGHT) {
  return `<lora:${name}:${weight}>`;
}

/** The prompt with the word at its end, or at `caret`; without it where it stands there already, at whatever weight. */
export function toggled(prompt, word, caret = prompt.length) {
  const same = matcher(word);
  if (same.test(prompt)) return prompt.replace(same, "").replace(/ {2,}/g, " ").trim();
  const before = prompt.slice(0, caret);
  const after = prompt.slice(caret);
  const space = (one, other) => (one && other && !/\s$/.test(one) && !/^[\s,.;)]/.test(other) ? " " : "");
  return `${before}${space(before, word)}${word}${space(word, after)}${after}`;
}

/** Whether the word stands in the prompt, at whatever weight. */
export function holds(prompt, word) {
  return matcher(word).test(prompt);
}

function matcher(word) {
  const [, kind, name] = /^<([^:>]+):([^:>]+)/.exec(word) ?? [];
  const escaped = (text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return name === undefined ? new RegExp(escaped(word)) : new RegExp(`<${escaped(kind)}:${escaped(name)}(:[^>]*)?>`);
}
