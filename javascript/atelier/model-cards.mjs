// Which models are there? Cards with the pictures that lie beside them, and a search that finds them by their names.

import { useApp } from "./app.mjs";
import { Icon } from "./icons.mjs";
import { html, useState } from "./vendor/htm-preact.mjs";
import { t } from "./words.mjs";

const SHOWN = 60; // cards at once; the search finds the others

/** `kind`: "loras" or "checkpoints"; isPressed(name), onPick(name); below(name): what stands below a card. */
export function ModelCards({ kind, isPressed, onPick, below = () => null }) {
  const { api, inventory } = useApp();
  const [search, setSearch] = useState("");
  const names = inventory.names(kind).filter((name) => name.toLowerCase().includes(search.toLowerCase()));
  const previews = kind === "loras" ? previewsOfHost() : new Map();
  return html`<input class="atelier-input" type="search" autofocus aria-label=${t("Search")} placeholder=${t("Search")} value=${search} onInput=${(event) => setSearch(event.target.value)} />
    <ul class="atelier-loras">
      ${names.slice(0, SHOWN).map(
        (name) => html`<li class="atelier-lora" key=${name}>
          <button type="button" class="atelier-lora-face" aria-pressed=${isPressed(name)} onClick=${() => onPick(name)}>
            <${Face} key=${previews.get(name) ?? name} source=${previews.get(name) ?? api.url("models/preview", { kind, name })} />
            <span>${name}</span>
          </button>
          ${below(name)}
        </li>`,
      )}
    </ul>
    ${names.length > SHOWN && html`<p class="atelier-muted">${t("{count} more; search for them.", { count: names.length - SHOWN })}</p>`}`;
}

/** The picture of a model, where there is one. */
function Face({ source }) {
  const [isThere, setThere] = useState(true);
  return isThere ? html`<img src=${source} alt="" loading="lazy" onError=${() => setThere(false)} />` : html`<span class="atelier-lora-blank"><${Icon} name="picture" /></span>`;
}

/** The pictures on the WebUI's own cards, by name: it has loaded them already. */
function previewsOfHost() {
  const cards = document.querySelectorAll("#txt2img_lora_cards .card[data-name]");
  return new Map([...cards].map((card) => [card.dataset.name, card.querySelector("img")?.src]).filter(([, source]) => source));
}
