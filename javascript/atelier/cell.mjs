// How does a value that changes reach what shows it? A cell holds it; components that use the cell are drawn anew when it changes.

import { useEffect, useState } from "./vendor/htm-preact.mjs";

/** A value with listeners. `set` takes the next value, or a function of the present one; an equal value tells nobody. */
export function makeCell(first) {
  let value = first;
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      const given = typeof next === "function" ? next(value) : next;
      if (Object.is(given, value)) return;
      value = given;
      for (const listener of [...listeners]) listener(value);
    },
    /** Calls `listener` at each change; the answer ends that. */
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The part of a cell's value that `pick` takes; the component is drawn anew only when that part changes. */
export function useCell(cell, pick = (value) => value) {
  const [, redraw] = useState(0);
  const picked = pick(cell.get());
  useEffect(() => {
    let last = pick(cell.get());
    const look = () => {
      const next = pick(cell.get());
      if (Object.is(next, last)) return;
      last = next;
      redraw((count) => count + 1);
    };
    if (!Object.is(last, picked)) redraw((count) => count + 1);
    return cell.listen(look);
  }, [cell]);
  return picked;
}
