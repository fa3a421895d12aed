// What was done, to be undone? States one after the other; edits of the same place in quick succession are one step.

const MOST = 200; // steps that are kept
const TOGETHER = 1000; // milliseconds within which edits of one place are one step

/** An empty history whose present state is `present`. */
export function newHistory(present) {
  return { past: [], present, future: [], place: "", at: 0 };
}

/** The history after an edit. `place` names what was edited; '' is a step of its own. */
export function edited(history, present, place, now) {
  if (Object.is(present, history.present)) return history;
  const goesOn = place !== "" && place === history.place && now - history.at < TOGETHER && history.past.length > 0;
  const past = goesOn ? history.past : [...history.past, history.present].slice(-MOST);
  return { past, present, future: [], place, at: now };
}

/** The history one step back; itself where there is none. */
export function undone(history) {
  if (history.past.length === 0) return history;
  const past = history.past.slice(0, -1);
  return { past, present: history.past.at(-1), future: [history.present, ...history.future], place: "", at: 0 };
}

/** The history one step forward again; itself where there is none. */
export function redone(history) {
  if (history.future.length === 0) return history;
  const [present, ...future] = history.future;
  return { past: [...history.past, history.present], present, future, place: "", at: 0 };
}
