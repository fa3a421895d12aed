// Which names can a field suggest? What the backends have, as they were last asked; loaded when a field first needs it.

import { makeCell } from "./cell.mjs";

/** {names(kind) → texts, cell, fresh()}: `kind` is what a schema's x-names says. */
export function makeInventory(api) {
  const cell = makeCell(null);
  let asked = null;

  const load = (query) =>
    api.get("inventory", query).then(
      (told) => cell.set(told),
      () => (asked = null), // asked again by the next field
    );

  return {
    cell,
    names(kind) {
      asked ??= load();
      return (cell.get()?.[kind] ?? []).map(nameOf);
    },
    /** Asks the backends again. */
    fresh: () => load({ fresh: 1 }),
  };
}

/** Lists hold names, or objects that have one. */
function nameOf(entry) {
  return typeof entry === "string" ? entry : (entry.name ?? entry.title ?? entry.label ?? "");
}
