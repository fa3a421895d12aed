// How does a picture come in? By a click, dropped, pasted, or drawn as a mask; it is uploaded at once and known by its id.

import { useApp } from "../app.mjs";
import { Icon } from "../icons.mjs";
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

const KINDS = "image/png,image/jpeg,image/webp";
const IS_ID = /^[0-9a-f]{64}$/;

/** The first picture file in what is dropped or pasted, or null. */
export function pictureFile(transfer) {
  return [...(transfer?.files ?? [])].find((file) => file.type.startsWith("image/")) ?? null;
}

export function PictureInput({ id, label, kind, value, isOwn, onChange }) {
  const app = useApp();
  const picker = useRef(null);
  const [isBusy, setBusy] = useState(false);
  const [isOver, setOver] = useState(false);
  const [isDrawing, setDrawing] = useState(false);
  const picture = IS_ID.test(value ?? "") ? value : "";

  async function take(file) {
    if (!file) return;
    setBusy(true);
    try {
      onChange((await app.api.upload(file)).id);
    } catch (problem) {
      app.toast(problem.message, { kind: "error" });
    } finally {
      setBusy(false);
    }
  }

  const onDrop = (event) => {
    setOver(false);
    const file = pictureFile(event.dataTransfer);
    const dragged = event.dataTransfer.getData("application/x-atelier-picture");
    if (!file && !dragged) return;
    event.preventDefault();
    event.stopPropagation(); // the WebUI would take it for txt2img
    if (dragged) onChange(dragged);
    else take(file);
  };
  usePaste(id, (file) => take(file), !picture);

  return html`<div
    class="atelier-drop" data-over=${isOver || undefined} data-busy=${isBusy || undefined} data-filled=${picture !== "" || undefined} data-picture-input=${id}
    onDragOver=${(event) => (event.preventDefault(), event.stopPropagation(), setOver(true))} onDragLeave=${() => setOver(false)} onDrop=${onDrop}
  >
    <button type="button" id=${id} class="atelier-drop-face" aria-label=${picture ? t("{label}: choose another picture", { label }) : t("{label}: choose a picture", { label })} onClick=${() => picker.current.click()}>
      ${picture
        ? html`<img src=${app.api.thumbnail(picture, 256)} alt="" />`
        : html`<span class="atelier-drop-hint"><${Icon} name="picture" /><span>${value && !isBusy ? value : t("Drop, paste or click")}</span></span>`}
    </button>
    <input ref=${picker} type="file" accept=${KINDS} hidden onChange=${(event) => (take(event.target.files[0]), (event.target.value = ""))} />
    <div class="atelier-drop-tools">
      ${kind === "mask" && html`<button type="button" class="atelier-tiny" title=${t("Draw")} aria-label=${t("{label}: draw", { label })} onClick=${() => setDrawing(true)}><${Icon} name="edit" /></button>`}
      ${isOwn && html`<button type="button" class="atelier-tiny" title=${t("Remove")} aria-label=${t("Without {name}", { name: label })} onClick=${() => onChange(undefined)}><${Icon} name="close" /></button>`}
    </div>
    ${isDrawing && html`<${DrawMask} mask=${picture} onClose=${() => setDrawing(false)} onSave=${async (file) => (onChange((await app.api.upload(file)).id), setDrawing(false))} />`}
  </div>`;
}

/** A paste goes to the picture input that has the focus, else to the first that is empty. */
function usePaste(id, take, isEmpty) {
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    const onPaste = (event) => {
      const file = pictureFile(event.clipboardData);
      if (!file || event.defaultPrevented) return;
      const focused = document.activeElement?.closest?.("[data-picture-input]")?.dataset.pictureInput;
      const first = document.querySelector(".atelier [data-picture-input]:not([data-filled])")?.dataset.pictureInput;
      if (focused ? focused !== id : !isEmpty || first !== id) return;
      event.preventDefault();
      latest.current(file);
    };
    document.addEventListener("paste", onPaste);
    return () => document.removeEventListener("paste", onPaste);
  }, [id, isEmpty]);
}

/** The mask canvas over the first picture input, fetched when it is first needed. */
function DrawMask({ mask, onSave, onClose }) {
  const { store, toast } = useApp();
  const [module, setModule] = useState(null);
  const { recipe, inputs } = store.state.get();
  const under = Object.entries(recipe.inputs ?? {}).map(([name, input]) => (input.type === "image" ? (inputs[name] ?? input.default) : "")).find((one) => IS_ID.test(one ?? ""));
  useEffect(() => {
    if (!under) {
      toast(t("Give the recipe a picture first: a mask is drawn over it."), { kind: "error" });
      onClose();
      return;
    }
    import("../canvas/mask-dialog.mjs").then(setModule, (problem) => (toast(problem.message, { kind: "error" }), onClose()));
  }, []);
  return module && html`<${module.MaskDialog} picture=${under} mask=${mask || null} onSave=${onSave} onClose=${onClose} />`;
}
