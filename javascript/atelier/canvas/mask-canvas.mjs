// How is a mask drawn by hand? Tools over a picture: painted, outlined, filled, found by the server and then edited.

import { useApp } from "../app.mjs";
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { AutomaticMask } from "./automatic.mjs";
import { makeBoard } from "./board.mjs";
import { loadMask, loadPicture } from "./loading.mjs";
import { coverage } from "./mask.mjs";
import { nextSize } from "./painting.mjs";
import { maskFile } from "./png.mjs";
import { Foot, Options, Tools } from "./tool-bars.mjs";
import { meaningOf } from "./tools.mjs";

const remembered = { tool: "brush", hardness: 1, erases: false, tolerance: null, size: 0 }; // from one mask to the next

/**
 * Draws a mask over a picture, both by their ids; `mask` may be null. onSave(Blob) gets a greyscale PNG of the picture's size.
 * onCancel() ends it; `onDirty(isChanged)` tells whether something would be lost then.
 */
export function MaskCanvas({ picture, mask, onSave, onCancel, onDirty = () => {} }) {
  const { api } = useApp();
  const [loaded, setLoaded] = useState({ picture: null, mask: null, problem: "" });
  useEffect(() => {
    let isHere = true;
    const load = async () => {
      const found = await loadPicture(api, picture);
      return { picture: found, mask: await loadMask(api, mask, found), problem: "" };
    };
    load().then(
      (all) => isHere && setLoaded(all),
      (problem) => isHere && setLoaded({ picture: null, mask: null, problem: problem.message }),
    );
    return () => (isHere = false);
  }, [picture, mask]);
  if (loaded.problem) return html`<div class="atelier-empty" role="alert"><p>${loaded.problem}</p><button type="button" class="atelier-button" onClick=${onCancel}>${t("Close")}</button></div>`;
  if (!loaded.picture) return html`<div class="atelier-loading" role="status">${t("Loading…")}</div>`;
  return html`<${Painter} id=${picture} ...${loaded} onSave=${onSave} onCancel=${onCancel} onDirty=${onDirty} />`;
}

function Painter({ id, picture, mask, onSave, onCancel, onDirty }) {
  const most = Math.max(picture.width, picture.height);
  const [settings, setSettings] = useState(() => ({ ...remembered, size: Math.min(most, remembered.size || Math.max(4, Math.round(most * 0.06))), isHeld: false }));
  const [told, setTold] = useState({ zoom: 1, canUndo: false, canRedo: false, coverage: 0 });
  const [isAlone, setAlone] = useState(false);
  const [isFinding, setFinding] = useState(false);
  const [saving, setSaving] = useState({ isBusy: false, problem: "" });
  const stage = useRef(null);
  const board = useRef(null);
  const latest = useRef(settings);
  latest.current = settings;
  const change = (part) => (Object.assign(remembered, part, { isHeld: undefined }), setSettings((all) => ({ ...all, ...part })));

  useEffect(() => {
    const made = makeBoard(stage.current, {
      picture,
      mask,
      settings: () => ({ ...latest.current, moves: latest.current.isHeld || latest.current.tool === "move", erases: latest.current.erases && ["lasso", "fill"].includes(latest.current.tool) }),
      onChange(part) {
        onDirty(part.canUndo);
        setTold((all) => ({ ...all, ...part }));
      },
      onSize: (direction) => change({ size: nextSize(latest.current.size, direction, most) }),
    });
    made.show({ colours: { mask: [255, 45, 95], other: [40, 150, 255], ground: getComputedStyle(stage.current).backgroundColor } });
    board.current = made;
    setTold((all) => ({ ...all, coverage: coverage(mask) }));
    stage.current.querySelector("[tabindex]").focus({ preventScroll: true });
    return made.close;
  }, [picture, mask]);
  useEffect(() => board.current.redraw(), [settings]);

  async function save() {
    if (saving.isBusy) return;
    setSaving({ isBusy: true, problem: "" });
    try {
      await onSave(await maskFile(mask));
      setSaving({ isBusy: false, problem: "" });
    } catch (problem) {
      setSaving({ isBusy: false, problem: problem.message });
    }
  }

  const acts = {
    thinner: () => change({ size: nextSize(latest.current.size, -1, most) }),
    thicker: () => change({ size: nextSize(latest.current.size, 1, most) }),
    larger: () => board.current.zoom(1.4),
    smaller: () => board.current.zoom(1 / 1.4),
    fit: () => board.current.fit(),
    whole: () => board.current.whole(),
    alone: () => (board.current.show({ alone: !isAlone }), setAlone(!isAlone)),
    find: () => setFinding(!isFinding),
    save,
  };
  const act = (word) => (acts[word] ?? (() => board.current.do(word)))();

  return html`<div class="atelier-paint" data-finding=${isFinding || undefined} onKeyDown=${keysFor({ act, change, board, stage })} onKeyUp=${(event) => event.key === " " && change({ isHeld: false })}>
    <${Tools} settings=${settings} change=${change} />
    <${Options} ...${{ settings, most, change, act, told, isAlone, isFinding }} />
    <div class="atelier-paint-stage" ref=${stage} data-moves=${settings.isHeld || settings.tool === "move" || undefined}>
      <canvas></canvas>
      <canvas tabindex="0" role="application" aria-label=${t("The mask. Arrow keys move the brush, Enter sets it down and lifts it.")}></canvas>
    </div>
    ${isFinding &&
    html`<${AutomaticMask}
      picture=${id} size=${picture}
      onShow=${(other) => board.current.show({ other })}
      onJoin=${(other, way) => board.current.join(other, way)}
      onClose=${() => (board.current.show({ other: null }), setFinding(false))}
    />`}
    <${Foot} ...${{ told, picture, act, saving, onCancel }} />
  </div>`;
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Keys of tools work wherever the focus is, but in texts; arrows, Enter and the space bar where the picture has it. */
function keysFor({ act, change, board, stage }) {
  return (event) => {
    if (event.target.matches("textarea, select, input:not([type=range], [type=checkbox])")) return;
    const isOnPicture = stage.current.contains(event.target);
    if (isOnPicture && event.key in ARROWS) board.current.step(...ARROWS[event.key].map((way) => way * (event.shiftKey ? 4 : 1)));
    else if (isOnPicture && event.key === "Enter" && !event.ctrlKey && !event.metaKey) board.current.press();
    else if (isOnPicture && event.key === " ") event.repeat || change({ isHeld: true });
    else if (event.key === "Escape" && board.current.isDrawing) board.current.cancel();
    else {
      const meaning = meaningOf(event);
      if (!meaning) return;
      if (meaning.tool) change({ tool: meaning.tool });
      else act(meaning.do);
    }
    event.preventDefault();
    event.stopPropagation();
  };
}
