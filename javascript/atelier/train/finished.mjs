// What did a finished training leave behind, and which of its files is proposed? Out of what its job told.

/**
 * {last, best, proposed, isThere, trigger, saves, findings}. `last`: the finished file; `best`: {file, step} of a save that is better,
 * if one is; `proposed`: the name of the best save, be it the last or not; `isThere`: whether the files lie in the folder of LoRAs.
 */
export function finishedOf({ findings: told, config }) {
  const of = (event) => told.filter((one) => one.event === event);
  const [own, hosts] = of("file").map((one) => one.file); // in the run's folder, and the host's
  const compared = of("evaluation").at(-1);
  const isThere = Boolean(config.output?.lora_folder && hosts);
  return {
    last: (isThere ? hosts : own) ?? "",
    best: compared?.file ? { file: compared.file, step: compared.step } : null,
    proposed: compared?.best ?? "",
    isThere,
    trigger: config.data?.concepts?.[0]?.trigger ?? "",
    saves: compared ? of("save") : [],
    findings: of("finding").map((one) => one.text),
  };
}

/** Of a LoRA, as it stands in a prompt. */
export function nameOf(file) {
  return file.split(/[/\\]/).at(-1).replace(/\.safetensors$/, "");
}
