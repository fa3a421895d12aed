// Which recipe is being edited? The draft: loaded from the server, edited here, kept there, and planned after each edit.

import { makeCell } from "./cell.mjs";
import { edited, newHistory, redone, undone } from "./history.mjs";
import { setAt } from "./paths.mjs";

const DELAY = 400; // milliseconds after the last edit
const AGAIN = 4000; // milliseconds before keeping is tried again when the server was not reached

/**
 * The draft of `api`. Its cell `state` holds
 *   phase: "loading" | "ready" | "failed", problem: why it failed
 *   recipe, inputs, base, changed: as GET /draft tells them; canUndo, canRedo
 *   saving: "saved" | "waiting" | "saving" | "offline"
 *   plan: the last answer of POST /plan, planning: whether a newer one is on its way
 *   refusal: null, or {detail, stage, field} of a recipe that does not load
 */
export function makeStore(api, { later = setTimeout, drop = clearTimeout, now = Date.now, say = () => {} } = {}) {
  const state = makeCell({
    phase: "loading", problem: null, recipe: null, inputs: {}, base: "", changed: false, canUndo: false, canRedo: false,
    saving: "saved", plan: null, planning: false, refusal: null,
  });
  let history = newHistory({ recipe: null, inputs: {}, base: "" });
  let revision = 0;
  let timer = null;
  let planned = 0; // the number of the last plan that was asked for
  let keeping = false; // one PUT at a time: each needs the revision that the one before gave
  const set = (part) => state.set((all) => ({ ...all, ...part }));

  function take(next) {
    history = next;
    set({ ...history.present, canUndo: history.past.length > 0, canRedo: history.future.length > 0 });
  }

  function changeTo(next, place = "") {
    const before = history;
    take(edited(history, next, place, now()));
    if (history !== before) keepSoon();
  }

  function keepSoon(wait = DELAY) {
    set({ saving: "waiting", changed: true, planning: true });
    drop(timer);
    timer = later(keep, wait);
  }

  async function keep() {
    if (keeping) return keepSoon();
    const { recipe, inputs, base } = history.present;
    keeping = true;
    set({ saving: "saving" });
    plan();
    try {
      const told = await api.put("draft", { revision, recipe, inputs, base });
      revision = told.revision;
      const isLatest = history.present.recipe === recipe && history.present.inputs === inputs;
      set({ saving: isLatest ? "saved" : "waiting", changed: told.changed ?? true });
    } catch (problem) {
      if (problem.status === 409 && problem.body.draft) otherWins(problem.body.draft);
      else if (problem.status === 0) {
        set({ saving: "offline" });
        drop(timer);
        timer = later(keep, AGAIN);
      } else set({ saving: "waiting", refusal: { detail: problem.message, stage: "", field: "" } });
    } finally {
      keeping = false;
    }
    return undefined;
  }

  /** Another page edited it meanwhile: theirs is shown, ours is one step back. */
  function otherWins(draft) {
    revision = draft.revision;
    take(edited(history, { recipe: draft.recipe, inputs: draft.inputs ?? {}, base: draft.base ?? "" }, "", now()));
    set({ saving: "saved", changed: draft.changed ?? true });
    say("elsewhere");
    plan();
  }

  async function plan() {
    const { recipe, inputs } = history.present;
    planned += 1;
    const mine = planned;
    if (!recipe?.stages?.length) return set({ plan: null, planning: false, refusal: null });
    set({ planning: true });
    try {
      const told = await api.post("plan", { recipe, inputs });
      if (mine === planned) set({ plan: told, planning: false, refusal: null });
    } catch (problem) {
      if (mine !== planned || problem.name === "AbortError") return undefined;
      const where = problem.body?.where ?? {};
      const refusal = problem.status === 0 ? null : { detail: problem.message, stage: where.stage ?? "", field: where.field ?? "" };
      set({ planning: false, refusal, ...(refusal ? { plan: null } : {}) });
    }
    return undefined;
  }

  return {
    state,
    async load() {
      try {
        const told = await api.get("draft");
        revision = told.revision;
        history = newHistory({ recipe: told.recipe, inputs: told.inputs ?? {}, base: told.base ?? "" });
        take(history);
        set({ phase: "ready", problem: null, changed: told.changed ?? false });
        plan();
      } catch (problem) {
        set({ phase: "failed", problem });
      }
    },
    /** Sets one place: ["recipe", "stages", 0, "steps"] or ["inputs", "product"]; undefined takes it away. */
    edit: (path, value) => changeTo(setAt(history.present, path, value), path.join(".")),
    /** Any other change: a function of {recipe, inputs, base} to the next one. */
    change: (how) => changeTo(how(history.present)),
    /** Another recipe altogether, such as one that was opened; one step back leads to the present one. */
    open(next) {
      changeTo({ recipe: next.recipe, inputs: next.inputs ?? {}, base: next.base ?? "" });
      drop(timer);
      return keep();
    },
    undo() {
      const before = history;
      take(undone(history));
      if (history !== before) keepSoon();
    },
    redo() {
      const before = history;
      take(redone(history));
      if (history !== before) keepSoon();
    },
    replan: plan,
    /** Keeps what is not kept yet, at once. */
    flush() {
      drop(timer);
      return state.get().saving === "saved" ? undefined : keep();
    },
  };
}
