// How far is the run, and which pictures has it made? Followed by its events, asked for in short form, pictures by stage as they are needed.

import { makeCell } from "../cell.mjs";

const RHYTHM = 700; // milliseconds between two looks at a run that tells much
const PAGE = 100; // pictures that are asked for at once
const ENDED = ["done", "failed", "cancelled"];
const made = new WeakMap();

/** The app's one watch; it goes on while other pages are open. */
export function runWatchOf(app) {
  if (!made.has(app)) made.set(app, makeRunWatch(app.api));
  return made.get(app);
}

/**
 * {run, watch(id), pictures(stage), more(stage), stop()}.
 * `run` is a cell: null, or GET /runs/{id}?brief=1. pictures(stage) is a cell {list, done}: those known so far, and whether that is all.
 */
export function makeRunWatch(api, { later = setTimeout } = {}) {
  const run = makeCell(null);
  let id = "";
  let stream = null;
  let stages = new Map();
  let isLooking = false;
  let isWanted = false;

  async function look() {
    if (isLooking) return void (isWanted = true);
    isLooking = true;
    const mine = id;
    try {
      const told = await api.get(`runs/${mine}`, { brief: 1 });
      if (mine !== id) return undefined;
      run.set(told);
      for (const [stage, cell] of stages) if (cell.get().asked) more(stage);
    } catch (problem) {
      if (problem.status === 404 && mine === id) forget();
    } finally {
      later(() => {
        isLooking = false;
        if (isWanted) {
          isWanted = false;
          look();
        }
      }, RHYTHM);
    }
    return undefined;
  }

  function follow() {
    stream?.close();
    stream = api.events(`runs/${id}/events`, {
      onEvent: look,
      ended: ({ kind, data }) => kind === "state" && ENDED.includes(data?.state),
      onGone: look,
    });
  }

  function forget() {
    stream?.close();
    stream = null;
    id = "";
    stages = new Map();
    run.set(null);
  }

  function pictures(stage) {
    if (!stages.has(stage)) stages.set(stage, makeCell({ list: [], done: false, asked: false, busy: false }));
    return stages.get(stage);
  }

  async function more(stage) {
    const cell = pictures(stage);
    if (cell.get().busy) return;
    const mine = id;
    cell.set((all) => ({ ...all, asked: true, busy: true }));
    let got = [];
    try {
      got = await api.get(`runs/${mine}/pictures`, { stage, after: cell.get().list.length, limit: PAGE });
    } catch {
      got = []; // the next event asks again
    }
    cell.set((all) => {
      const known = new Set(all.list.map(keyOf));
      const list = [...all.list, ...got.filter((picture) => !known.has(keyOf(picture)))];
      return { list: list.length === all.list.length ? all.list : list, done: got.length < PAGE, asked: true, busy: false };
    });
  }

  return {
    run,
    pictures,
    more,
    watch(next) {
      if (next === id) return look();
      forget();
      id = next;
      follow();
      return look();
    },
    /** After a steering call answered: shows it at once, and follows again what had ended. */
    again() {
      if (!id) return undefined;
      follow();
      return look();
    },
    stop: forget,
  };
}

/** What tells a picture of a run from the others. */
export function keyOf(picture) {
  return `${picture.key}/${picture.number ?? 0}`;
}

export function isEnded(run) {
  return !run || ENDED.includes(run.state);
}
