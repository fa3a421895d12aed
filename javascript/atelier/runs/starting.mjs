// How is a run begun? With what is edited or was run before; one that is larger than is likely meant is asked about first.

import { t } from "../words.mjs";

/** Begins a run of {recipe, inputs}; its short form, or null where somebody thought better of it. */
export async function beginRun(app, { recipe, inputs }) {
  const begin = (confirm) => app.api.post("runs", { recipe, inputs, ...(confirm ? { confirm } : {}) });
  try {
    return await begin(false);
  } catch (problem) {
    if (!/confirm/i.test(problem.message)) throw problem;
    return (await app.confirm(problem.message, { yes: t("Run all of it"), title: t("This is a large run") })) ? begin(true) : null;
  }
}
