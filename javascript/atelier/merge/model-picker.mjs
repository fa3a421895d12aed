// Which model is it? The picture beside the one that is named, and all of them as cards to choose from.

import { useApp } from "../app.mjs";
import { useCell } from "../cell.mjs";
import { Dialog } from "../dialog.mjs";
import { Icon } from "../icons.mjs";
import { ModelCards } from "../model-cards.mjs";
import { html, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

/** What stands below a field that names a model: `kind` is "loras" or "checkpoints". */
export function ModelPicker({ kind, name, onPick }) {
  const { inventory } = useApp();
  const [isOpen, setOpen] = useState(false);
  useCell(inventory.cell);
  if (!inventory.names(kind).length) return null;
  const pick = (one) => (onPick(one), setOpen(false));
  return html`<div class="atelier-merge-picker">
    ${name && html`<${Face} key=${name} kind=${kind} name=${name} />`}
    <button type="button" class="atelier-link" onClick=${() => setOpen(true)}><${Icon} name="picture" /> ${t("Choose by picture")}</button>
    ${isOpen && html`<${Dialog} title=${t(kind === "loras" ? "LoRA" : "Checkpoint")} wide onClose=${() => setOpen(false)}>
      <${ModelCards} kind=${kind} isPressed=${(one) => one === name} onPick=${pick} />
    </${Dialog}>`}
  </div>`;
}

function Face({ kind, name }) {
  const { api, inventory } = useApp();
  const [isThere, setThere] = useState(inventory.names(kind).includes(name)); // not while it is typed
  const address = api.url("models/preview", { kind, name, size: 128 });
  return isThere && html`<img class="atelier-merge-face" src=${address} alt="" loading="lazy" onError=${() => setThere(false)} />`;
}
