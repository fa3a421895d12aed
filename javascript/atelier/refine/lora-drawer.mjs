// Which LoRAs are there? Cards; a click writes one into the prompt that was written in last, or takes it out again.

import { useApp } from "../app.mjs";
import { useCell } from "../cell.mjs";
import { Dialog } from "../dialog.mjs";
import { Icon } from "../icons.mjs";
import { holds, loraWord, toggled } from "../host/networks.mjs";
import { ModelCards } from "../model-cards.mjs";
import { html, useEffect, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

const TABS = ["txt2img", "img2img"];
let last = null; // the prompt box that was written in last

/** The button, and the drawer that it opens. */
export function LoraButton() {
  const { inventory, root } = useApp();
  const [isOpen, setOpen] = useState(false);
  useCell(inventory.cell);
  useEffect(() => {
    const look = (event) => (last = event.target.closest?.(".prompt textarea") ?? last);
    root.addEventListener("focusin", look);
    return () => root.removeEventListener("focusin", look);
  }, []);
  if (inventory.names("loras").length === 0) return null;
  return html`<button type="button" class="atelier-button" data-look="quiet" onClick=${() => setOpen(true)}><${Icon} name="add" /> ${t("LoRA")}</button>
    ${isOpen && html`<${Drawer} onClose=${() => setOpen(false)} />`}`;
}

function Drawer({ onClose }) {
  const { exchange } = useApp();
  const [, redraw] = useState(0);
  const area = last?.isConnected ? last : document.querySelector("#atelier_prompt textarea");
  const toggle = (name) => {
    area.value = toggled(area.value, loraWord(name), area.selectionEnd ?? area.value.length);
    area.dispatchEvent(new Event("input", { bubbles: true }));
    redraw((count) => count + 1);
  };
  const below = (name) => exchange && TABS.map((tab) => html`<button type="button" class="atelier-link" key=${tab} title=${t("Into the prompt of {tab}", { tab })} onClick=${() => exchange.insertInto(tab, loraWord(name))}>${tab}</button>`);
  return html`<${Dialog} title=${t("LoRA")} wide onClose=${onClose}>
    <${ModelCards} kind="loras" isPressed=${(name) => holds(area?.value ?? "", loraWord(name))} onPick=${toggle} below=${below} />
  </${Dialog}>`;
}
