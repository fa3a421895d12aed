// Which LoRAs are there? Cards; a click writes one into the prompt that was written in last, or takes it out again.

import { useApp } from "../app.mjs";
import { useCell } from "../cell.mjs";
import { Dialog } from "../dialog.mjs";
import { Icon } from "../icons.mjs";
import { holds, loraWord, toggled } from "../host/networks.mjs";
import { html, useEffect, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

const SHOWN = 60; // cards at once; the search finds the others
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
  const { api, inventory, exchange } = useApp();
  const [search, setSearch] = useState("");
  const [, redraw] = useState(0);
  const names = inventory.names("loras").filter((name) => name.toLowerCase().includes(search.toLowerCase()));
  const previews = previewsOfHost();
  const area = last?.isConnected ? last : document.querySelector("#atelier_prompt textarea");
  const toggle = (name) => {
    area.value = toggled(area.value, loraWord(name), area.selectionEnd ?? area.value.length);
    area.dispatchEvent(new Event("input", { bubbles: true }));
    redraw((count) => count + 1);
  };
  return html`<${Dialog} title=${t("LoRA")} wide onClose=${onClose}>
    <input class="atelier-input" type="search" autofocus aria-label=${t("Search")} placeholder=${t("Search")} value=${search} onInput=${(event) => setSearch(event.target.value)} />
    <ul class="atelier-loras">
      ${names.slice(0, SHOWN).map(
        (name) => html`<li class="atelier-lora" key=${name}>
          <button type="button" class="atelier-lora-face" aria-pressed=${holds(area?.value ?? "", loraWord(name))} onClick=${() => toggle(name)}>
            <${Face} key=${previews.get(name) ?? name} source=${previews.get(name) ?? api.url("models/preview", { kind: "loras", name })} />
            <span>${name}</span>
          </button>
          ${exchange && TABS.map((tab) => html`<button type="button" class="atelier-link" key=${tab} title=${t("Into the prompt of {tab}", { tab })} onClick=${() => exchange.insertInto(tab, loraWord(name))}>${tab}</button>`)}
        </li>`,
      )}
    </ul>
    ${names.length > SHOWN && html`<p class="atelier-muted">${t("{count} more; search for them.", { count: names.length - SHOWN })}</p>`}
  </${Dialog}>`;
}

/** The picture of a LoRA, where there is one. */
function Face({ source }) {
  const [isThere, setThere] = useState(true);
  return isThere ? html`<img src=${source} alt="" loading="lazy" onError=${() => setThere(false)} />` : html`<span class="atelier-lora-blank"><${Icon} name="picture" /></span>`;
}

/** The pictures on the WebUI's own cards, by name: it has loaded them already. */
function previewsOfHost() {
  const cards = document.querySelectorAll("#txt2img_lora_cards .card[data-name]");
  return new Map([...cards].map((card) => [card.dataset.name, card.querySelector("img")?.src]).filter(([, source]) => source));
}
