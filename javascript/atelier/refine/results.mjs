// What has the run made? The picture that is looked at, and below it a strip for each stage.

import { useApp } from "../app.mjs";
import { useCell } from "../cell.mjs";
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { Filmstrip } from "./filmstrip.mjs";
import { usePreview } from "./preview.mjs";
import { isEnded, keyOf, runWatchOf } from "./run-watch.mjs";
import { seedLock } from "./seeds.mjs";
import { Lightbox, Viewer } from "./viewer.mjs";

export function Results({ recipe }) {
  const app = useApp();
  const watch = runWatchOf(app);
  const run = useCell(watch.run);
  const [view, setView] = useState({ picture: null, other: null, isOpen: false, follows: true });
  const preview = usePreview(app.api, run, view.follows && !view.other);
  const stages = (run?.stages ?? []).filter((stage) => stage.total > 0);
  const titles = Object.fromEntries((recipe.stages ?? []).map((stage) => [stage.id, stage.title]));
  const newest = useNewest(watch, stages, run);

  useEffect(() => setView({ picture: null, other: null, isOpen: false, follows: true }), [run?.id]);
  const picture = view.follows ? (newest ?? view.picture) : view.picture;
  const strips = useInSight(picture);
  const choose = (next, { compare: isBeside = false } = {}) =>
    setView((all) => (isBeside && picture ? { ...all, picture, other: next, follows: false } : { ...all, picture: next, other: all.other && keyOf(all.other) !== keyOf(next) ? all.other : null, follows: false }));

  function compare() {
    if (view.other) return setView((all) => ({ ...all, other: null }));
    const other = before(watch, stages, picture);
    if (!other) return app.toast(t("There is nothing yet to compare it with. Shift-click another picture."));
    return setView((all) => ({ ...all, picture, other, follows: false }));
  }

  function step(along, down) {
    const order = stages.map((stage) => watch.pictures(stage.stage).get().list).filter((list) => list.length);
    const row = order.findIndex((list) => list.some((one) => keyOf(one) === keyOf(picture)));
    if (row < 0) return;
    const place = order[row].findIndex((one) => keyOf(one) === keyOf(picture));
    const list = order[Math.min(order.length - 1, Math.max(0, row + down))];
    choose(list[Math.min(list.length - 1, Math.max(0, place + along))]);
  }

  const open = (next) => setView((all) => ({ ...all, picture: next, isOpen: true, follows: false }));
  return html`<section class="atelier-results" id="atelier_results" aria-label=${t("Pictures")}>
    <${Viewer}
      ...${{ picture: titled(picture, titles), other: titled(view.other, titles), preview }}
      seed=${picture && seedLock(app.store, recipe, picture)}
      onCompare=${compare}
      onOpen=${() => picture && open(picture)}
      empty=${html`<p class="atelier-muted">${run && !isEnded(run) ? t("The first picture is on its way.") : t("Pictures appear here.")}</p>`}
    />
    <div class="atelier-strips" ref=${strips}>
      ${stages.map(
        (stage) => html`<${Filmstrip} key=${`${run.id} ${stage.stage}`} run=${run} stage=${{ ...stage, title: titles[stage.stage] }} chosen=${picture ? keyOf(picture) : ""} other=${view.other ? keyOf(view.other) : ""} onChoose=${choose} onOpen=${open} />`,
      )}
    </div>
    ${view.isOpen && picture && html`<${Lightbox} ...${{ picture: titled(picture, titles), other: titled(view.other, titles) }} onStep=${step} onCompare=${compare} onClose=${() => setView((all) => ({ ...all, isOpen: false }))} />`}
  </section>`;
}

function titled(picture, titles) {
  return picture && { ...picture, title: titles[picture.stage] };
}

/** The strip of the picture that is shown large is brought into sight, where the strips scroll by themselves. */
function useInSight(picture) {
  const strips = useRef(null);
  useEffect(() => {
    const box = strips.current;
    const strip = picture && box.querySelector(`[data-strip="${CSS.escape(picture.stage)}"]`);
    if (!strip || box.scrollHeight <= box.clientHeight) return;
    const top = strip.offsetTop - box.offsetTop;
    if (top < box.scrollTop || top + strip.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = top;
  }, [picture?.stage]);
  return strips;
}

/** The last picture of the stage that made one last; before anything was made here, of the last stage that has some. */
function useNewest(watch, stages, run) {
  const [, redraw] = useState(0);
  const names = stages.map((stage) => stage.stage).join(" ");
  useEffect(() => {
    const ends = stages.map((stage) => watch.pictures(stage.stage).listen(() => redraw((count) => count + 1)));
    return () => ends.forEach((end) => end());
  }, [run?.id, names]);
  const seen = useRef({ run: "", done: {}, latest: "" });
  if (run && seen.current.run !== run.id) seen.current = { run: run.id, done: {}, latest: lastBegun(stages) };
  const { done } = seen.current;
  for (const stage of stages) {
    if (stage.stage in done && stage.done > done[stage.stage]) seen.current.latest = stage.stage;
    done[stage.stage] = stage.done;
  }
  seen.current.latest ||= lastBegun(stages); // a quick run is done when its stages are first told
  const { latest } = seen.current;
  useEffect(() => void (latest && watch.more(latest)), [run?.id, latest, done[latest]]);
  return latest ? (watch.pictures(latest).get().list.at(-1) ?? null) : null;
}

/** The last stage with results among those up to the first that is not complete. */
function lastBegun(stages) {
  const open = stages.findIndex((stage) => stage.left + stage.running > 0);
  const begun = (open < 0 ? stages : stages.slice(0, open + 1)).filter((stage) => stage.done > 0);
  return begun.at(-1)?.stage ?? "";
}

/** The picture of the same item in the stage before, to compare with. */
function before(watch, stages, picture) {
  const row = stages.findIndex((stage) => stage.stage === picture.stage);
  for (const stage of stages.slice(0, Math.max(0, row)).reverse()) {
    const { list } = watch.pictures(stage.stage).get();
    const same = list.find((one) => one.item === picture.item && one.width) ?? list[0];
    if (same) return same;
  }
  const { list } = watch.pictures(picture.stage).get();
  return list.find((one) => keyOf(one) !== keyOf(picture)) ?? null;
}
