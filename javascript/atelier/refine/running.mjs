// What do the buttons of a run do, whichever page they are on? One thing at a time; what the server says against it is shown.

import { useCell } from "../cell.mjs";
import { Icon } from "../icons.mjs";
import { beginRun } from "../runs/starting.mjs";
import { html, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { isEnded, runWatchOf } from "./run-watch.mjs";

const AT_WORK = ["running", "new"];

/** {run, isBusy, isRunning, isOpen, doing(work), start(), steer(word)}: of the run that is watched. */
export function useRunning(app) {
  const watch = runWatchOf(app);
  const run = useCell(watch.run);
  const [isBusy, setBusy] = useState(false);

  async function doing(work) {
    if (isBusy) return;
    setBusy(true);
    try {
      await work();
    } catch (problem) {
      app.toast(problem.message, { kind: "error" });
    } finally {
      setBusy(false);
    }
  }
  const steer = (word) => doing(async () => (await app.api.post(`runs/${run.id}/${word}?brief=1`), await watch.again()));
  const start = () =>
    doing(async () => {
      const { recipe, inputs } = app.store.state.get();
      await app.store.flush();
      const begun = await beginRun(app, { recipe, inputs });
      if (begun) await watch.watch(begun.id);
    });
  return { run, isBusy, isRunning: isAtWork(run), isOpen: Boolean(run) && !isEnded(run), doing, start, steer };
}

export function isAtWork(run) {
  return Boolean(run) && AT_WORK.includes(run.state);
}

/** The buttons that choose, pause and go on. */
export function SteerButtons({ app, running: { run, isBusy, isRunning, steer } }) {
  return html`${run?.reviews?.length > 0 && html`<button type="button" class="atelier-button" data-look="primary" onClick=${() => app.open("review", { run: run.id })}><${Icon} name="eye" /> ${t("Choose")}</button>`}
    ${isRunning && html`<button type="button" class="atelier-button" disabled=${isBusy} onClick=${() => steer("pause")}><${Icon} name="pause" /> ${t("Pause")}</button>`}
    ${run?.state === "paused" && html`<button type="button" class="atelier-button" disabled=${isBusy} onClick=${() => steer("resume")}><${Icon} name="play" /> ${t("Go on")}</button>`}`;
}
