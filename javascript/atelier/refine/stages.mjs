// Which stages follow each other? The list of cards: unfolded, put in another order by hand or keyboard, and added to.

import { useApp } from "../app.mjs";
import { useCell } from "../cell.mjs";
import { Dialog } from "../dialog.mjs";
import { Icon } from "../icons.mjs";
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { MaskTools } from "./mask-tools.mjs";
import { runWatchOf } from "./run-watch.mjs";
import { StageCard } from "./stage-card.mjs";
import { freeName, schemaOf, sourcesAt, stageTypes, variablesOf, withCopy, withMoved, withName, withoutStage, withStage } from "./stage-edits.mjs";

export function Stages({ root, recipe, plan, notes }) {
  const app = useApp();
  const run = useCell(runWatchOf(app).run);
  const [open, setOpen] = useState(() => new Set());
  const [isAdding, setAdding] = useState(false);
  const [said, setSaid] = useState("");
  const list = useRef(null);
  const stages = recipe.stages ?? [];
  const change = (how) => app.store.change((draft) => ({ ...draft, recipe: how(draft.recipe) }));
  const toggle = (id) => setOpen((all) => (all.has(id) ? new Set([...all].filter((one) => one !== id)) : new Set([...all, id])));

  function move(from, to) {
    if (to < 0 || to >= stages.length) return;
    change((all) => withMoved(all, from, to));
    setSaid(t("{name} is now stage {place} of {count}.", { name: stages[from].id, place: to + 1, count: stages.length }));
  }
  const drag = useDragging(list, move);

  function rename(stage, id, title) {
    const free = id === stage.id ? id : freeName(recipe, id);
    change((all) => {
      const named = withName(root, all, stage.id, free);
      return { ...named, stages: named.stages.map((one) => (one.id === free ? { ...one, title: title || undefined } : one)) };
    });
    setOpen((all) => (all.has(stage.id) ? new Set([...all, free]) : all));
  }

  return html`<section class="atelier-stages" aria-label=${t("Stages")}>
    <ol ref=${list}>
      ${stages.map((stage, place) => {
        const own = notes[stage.id] ?? {};
        return html`<${StageCard}
          key=${stage.id}
          ...${{ root, stage, place, notes: own, count: stages.length, schema: schemaOf(root, stage), isOpen: open.has(stage.id) }}
          planned=${plan?.stages?.find((one) => one.stage === stage.id)}
          progress=${run?.state === "running" ? run.stages?.find((one) => one.stage === stage.id) : null}
          around=${aroundOf(recipe, place, own)}
          onToggle=${() => toggle(stage.id)}
          onChange=${(next, field = "") => app.store.edit(["recipe", "stages", place, ...(field ? [field] : [])], field ? next[field] : next)}
          onRename=${(id, title) => rename(stage, id, title)}
          tools=${{ move: (to) => move(place, to), copy: () => change((all) => withCopy(all, place)), remove: () => change((all) => withoutStage(root, all, place)) }}
          drag=${drag(place)}
        />`;
      })}
    </ol>
    <button type="button" class="atelier-button atelier-add-stage" onClick=${() => setAdding(true)}><${Icon} name="add" /> ${t("Add a stage")}</button>
    <div class="atelier-hidden" role="status" aria-live="assertive">${said}</div>
    ${isAdding &&
    html`<${AddStage}
      root=${root}
      onClose=${() => setAdding(false)}
      onAdd=${(type) => {
        const id = freeName(recipe, type);
        change((all) => withStage(root, all, type, all.stages?.length ?? 0));
        setOpen((all) => new Set([...all, id]));
        setAdding(false);
      }}
    />`}
  </section>`;
}

function aroundOf(recipe, place, notes) {
  return { id: ["stage", recipe.stages[place].id], depth: 1, inherited: recipe.settings ?? {}, sources: sourcesAt(recipe, place), variables: variablesOf(recipe), notes, beside: besideOf(recipe.stages[place].id) };
}

/** A mask is looked at and drawn where it is set. */
const besideOf = (stage) => ({ schema, path, value, label }) =>
  schema["x-source"] === "mask" && path.length === 1 && html`<${MaskTools} stage=${stage} field=${path[0]} value=${value} label=${label} />`;

function AddStage({ root, onAdd, onClose }) {
  return html`<${Dialog} title=${t("Add a stage")} wide onClose=${onClose}>
    <div class="atelier-types">
      ${stageTypes(root).map(
        ({ type, about }, place) => html`<button type="button" class="atelier-type" key=${type} autofocus=${place === 0} onClick=${() => onAdd(type)}><b>${t(type)}</b><span class="atelier-muted">${t(about).replaceAll("`", "")}</span></button>`,
      )}
    </div>
  </${Dialog}>`;
}

/** Cards are moved by their handle: dragged with a mouse, pen or finger, or with the arrow keys. */
function useDragging(list, move) {
  const [state, setState] = useState(null); // {from, to} while one is dragged
  const latest = useRef(move);
  latest.current = move;
  const focusAfter = useRef(null);
  useEffect(() => {
    if (focusAfter.current === null) return;
    list.current.children[focusAfter.current]?.querySelector(".atelier-handle")?.focus();
    focusAfter.current = null;
  });

  const start = (place) => (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    const handle = event.currentTarget;
    handle.setPointerCapture(event.pointerId);
    let to = place;
    const onMove = ({ clientY }) => {
      const middles = [...list.current.children].map((card) => card.getBoundingClientRect()).map((box) => box.top + box.height / 2);
      to = middles.filter((middle, other) => other !== place && middle < clientY).length;
      setState({ from: place, to });
    };
    const onEnd = ({ type }) => {
      handle.removeEventListener("pointermove", onMove);
      setState(null);
      if (type === "pointerup" && to !== place) latest.current(place, to);
    };
    handle.addEventListener("pointermove", onMove);
    handle.addEventListener("pointerup", onEnd, { once: true });
    handle.addEventListener("pointercancel", onEnd, { once: true });
  };
  const onKeyDown = (place) => (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    focusAfter.current = place + step;
    latest.current(place, place + step);
  };
  return (place) => ({
    isDragged: state?.from === place,
    target: state && state.to === place && state.from !== place ? (state.to < state.from ? "before" : "after") : "",
    handle: { onPointerDown: start(place), onKeyDown: onKeyDown(place) },
    card: {},
  });
}
