// Which pictures were cropped by hand, for when the folder is prepared? Each leads to its frame, and can be left as it is.

import { Icon } from "../icons.mjs";
import { html } from "../vendor/htm-preact.mjs";
import { t, tn } from "../words.mjs";

const MOST = 30; // names that are shown

/** boxes: by name;  onOpen(name);  onChange(boxes). */
export function CroppedByHand({ boxes, onOpen, onChange }) {
  const names = Object.keys(boxes);
  if (names.length === 0) return null;
  const without = (name) => Object.fromEntries(Object.entries(boxes).filter(([other]) => other !== name));
  return html`<div><p class="atelier-row"><span class="atelier-label atelier-grow" id="atelier-dataset-cropped">${tn("{count} box by hand", "{count} boxes by hand", names.length)}</span>
      <button type="button" class="atelier-button" data-look="quiet" onClick=${() => onChange({})}>${t("Take all away")}</button></p>
    <div class="atelier-chips" role="group" aria-labelledby="atelier-dataset-cropped">
      ${names.slice(0, MOST).map((name) => html`<span class="atelier-chip atelier-dataset-chip" key=${name}><button type="button" class="atelier-link" onClick=${() => onOpen(name)}>${name}</button>
        <button type="button" class="atelier-tiny" aria-label=${t("Without {name}", { name })} onClick=${() => onChange(without(name))}><${Icon} name="close" /></button></span>`)}
      ${names.length > MOST && html`<span class="atelier-muted">${t("and {count} more", { count: names.length - MOST })}</span>`}
    </div></div>`;
}
