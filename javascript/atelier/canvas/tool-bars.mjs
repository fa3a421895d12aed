// What stands around the picture that is masked? The tools, the settings of the one in hand, and what is done to all of it.

import { Icon } from "../icons.mjs";
import { html } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { placeOf, sizeAt, TOOLS } from "./tools.mjs";

const SOFTEST = 255; // of the tolerance

export function Tools({ settings, change }) {
  const step = (event) => {
    const way = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    const buttons = [...event.currentTarget.querySelectorAll("button")];
    buttons[(buttons.indexOf(document.activeElement) + way + buttons.length) % buttons.length].focus();
  };
  return html`<div class="atelier-paint-tools" role="toolbar" aria-label=${t("Tools")} onKeyDown=${step}>
    ${TOOLS.map(
      ({ name, label, key, icon, help }) => html`<button
        type="button" key=${name} class="atelier-paint-tool" aria-pressed=${settings.tool === name} tabindex=${settings.tool === name ? 0 : -1} title=${`${t(help)} (${key.toUpperCase()})`} aria-keyshortcuts=${key}
        onClick=${() => change({ tool: name })}
      >
        <${Icon} name=${icon} /><span>${t(label)}</span>
      </button>`,
    )}
  </div>`;
}

export function Options({ settings, most, change, act, told, isAlone, isFinding }) {
  const { tool } = settings;
  return html`<div class="atelier-paint-options">
    ${["brush", "eraser"].includes(tool) && html`<${Slider} label=${t("Size")} help=${t("Size ([ and ])")} value=${placeOf(settings.size, most)} told=${settings.size} onInput=${(place) => change({ size: sizeAt(place, most) })} />`}
    ${["brush", "eraser"].includes(tool) && html`<${Slider} label=${t("Softness")} value=${1 - settings.hardness} told=${`${Math.round(100 * (1 - settings.hardness))} %`} onInput=${(soft) => change({ hardness: 1 - soft })} />`}
    ${tool === "fill" && html`<${Borders} settings=${settings} change=${change} />`}
    ${["lasso", "fill"].includes(tool) &&
    html`<label class="atelier-paint-switch"><input type="checkbox" role="switch" class="atelier-switch" checked=${settings.erases} onChange=${(event) => change({ erases: event.target.checked })} />${t("Take away")}</label>`}
    <span class="atelier-grow"></span>
    <span class="atelier-row-tight">
      <${Act} word="undo" icon="undo" label=${t("Undo")} keys="Ctrl+Z" act=${act} disabled=${!told.canUndo} />
      <${Act} word="redo" icon="redo" label=${t("Redo")} keys="Ctrl+Shift+Z" act=${act} disabled=${!told.canRedo} />
    </span>
    <span class="atelier-paint-acts">
      <button type="button" class="atelier-button" data-look="quiet" title=${t("Invert (I)")} onClick=${() => act("invert")}><${Icon} name="invert" /> ${t("Invert")}</button>
      <button type="button" class="atelier-button" data-look="quiet" title=${t("Choose everything (Ctrl+A)")} onClick=${() => act("all")}><${Icon} name="select" /> ${t("All")}</button>
      <button type="button" class="atelier-button" data-look="quiet" title=${t("Clear (Delete)")} onClick=${() => act("clear")}><${Icon} name="close" /> ${t("Clear")}</button>
      <button type="button" class="atelier-button" data-look="quiet" aria-pressed=${isAlone} title=${t("Show the mask alone (M)")} onClick=${() => act("alone")}><${Icon} name="eye" /> ${t("Mask")}</button>
      <button type="button" class="atelier-button" aria-pressed=${isFinding} title=${t("Let the server find what is meant, then edit it")} onClick=${() => act("find")}><${Icon} name="spark" /> ${t("Find")}</button>
    </span>
  </div>`;
}

export function Foot({ told, picture, act, saving, onCancel }) {
  return html`<footer class="atelier-paint-foot">
    <span class="atelier-row-tight atelier-paint-zooms">
      <${Act} word="smaller" icon="minus" label=${t("Smaller")} keys="-" act=${act} />
      <button type="button" class="atelier-button atelier-paint-zoom" data-look="quiet" title=${t("Show the picture's own pixels (1)")} onClick=${() => act("whole")}>${`${Math.round(100 * told.zoom)} %`}</button>
      <${Act} word="larger" icon="add" label=${t("Larger")} keys="+" act=${act} />
      <${Act} word="fit" icon="full" label=${t("Show all of it")} keys="0" act=${act} />
    </span>
    ${saving.problem
      ? html`<p class="atelier-note" data-severity="error" role="alert"><${Icon} name="alert" /> <span>${saving.problem}</span></p>`
      : html`<span class="atelier-paint-told atelier-muted">
          <span>${picture.width} × ${picture.height}</span>
          <span role="status">${t("{part} % chosen", { part: (100 * told.coverage).toFixed(told.coverage > 0 && told.coverage < 0.1 ? 1 : 0) })}</span>
        </span>`}
    <span class="atelier-paint-ends">
      <button type="button" class="atelier-button" onClick=${onCancel}>${t("Cancel")}</button>
      <button type="button" class="atelier-button" data-look="primary" disabled=${saving.isBusy} title=${t("Keep the mask (Ctrl+Enter)")} onClick=${() => act("save")}>${t("Keep the mask")}</button>
    </span>
  </footer>`;
}

/** What a flood does not cross: painted lines, and other colours of the picture where that is wished. */
function Borders({ settings, change }) {
  const byColour = settings.tolerance !== null;
  return html`<label class="atelier-paint-switch">
      <input type="checkbox" role="switch" class="atelier-switch" checked=${byColour} onChange=${(event) => change({ tolerance: event.target.checked ? 32 : null })} />${t("By colour")}
    </label>
    ${byColour && html`<${Slider} label=${t("Tolerance")} value=${settings.tolerance / SOFTEST} told=${settings.tolerance} onInput=${(part) => change({ tolerance: Math.round(part * SOFTEST) })} />`}`;
}

function Slider({ label, help = label, value, told, onInput }) {
  return html`<label class="atelier-paint-slider" title=${help}>
    <span>${label}</span>
    <input type="range" class="atelier-range" min="0" max="1" step="0.005" value=${value} style=${`--part: ${Math.min(1, value).toFixed(3)}`} aria-valuetext=${String(told)} onInput=${(event) => onInput(Number(event.target.value))} />
    <output>${told}</output>
  </label>`;
}

function Act({ word, icon, label, keys, act, disabled = false }) {
  return html`<button type="button" class="atelier-icon-button" title=${`${label} (${keys})`} aria-label=${label} disabled=${disabled} onClick=${() => act(word)}><${Icon} name=${icon} /></button>`;
}
