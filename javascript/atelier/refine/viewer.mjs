// What does the picture look like? One at its best size, or two compared; what is known of it below; all of it in the lightbox.

import { useApp } from "../app.mjs";
import { Dialog } from "../dialog.mjs";
import { Icon } from "../icons.mjs";
import { html, useEffect, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { Compare } from "./compare.mjs";
import { labelsOf } from "./filmstrip.mjs";
import { SendTo } from "./send-to.mjs";

/**
 * picture, other: pictures of the run, or null; preview: the URL of what is being drawn, or ''; seed: {isLocked, toggle} or null.
 * onCompare() begins or ends comparing, onOpen() shows the lightbox.
 */
export function Viewer({ picture, other, preview, seed, onCompare, onOpen, empty }) {
  const { api } = useApp();
  return html`<figure class="atelier-viewer">
    <div class="atelier-mat">
      ${preview
        ? html`<img src=${preview} alt=${t("What is being drawn")} class="atelier-live" />`
        : picture && other
          ? html`<${Compare} key=${`${picture.id}${other.id}`} a=${other.id} b=${picture.id} labels=${[nameOf(other), nameOf(picture)]} />`
          : picture
            ? html`<button type="button" class="atelier-big" aria-label=${t("Show the whole picture")} onClick=${onOpen}><${Big} api=${api} picture=${picture} /></button>`
            : empty}
      ${preview && html`<span class="atelier-live-mark">${t("Live")}</span>`}
    </div>
    <figcaption>
      <span class="atelier-told">${picture && html`<b>${nameOf(picture)}</b> <span class="atelier-muted">${[labelsOf(picture), picture.width && `${picture.width} × ${picture.height}`].filter(Boolean).join(" · ")}</span>`}</span>
      ${picture &&
      html`<span class="atelier-row-tight">
        ${seed && picture.seed !== null && picture.seed !== undefined &&
        html`<button type="button" class="atelier-button" data-look="quiet" aria-pressed=${seed.isLocked} title=${seed.isLocked ? t("The stage keeps this seed. Click to draw another each time.") : t("Keep this seed for the stage")} onClick=${seed.toggle}>
          <${Icon} name=${seed.isLocked ? "lock" : "unlock"} /> <span class="atelier-hidden">${t("Seed")} </span>${picture.seed}
        </button>`}
        <button type="button" class="atelier-button" data-look="quiet" aria-pressed=${Boolean(other)} onClick=${onCompare}><${Icon} name="compare" /> ${t("Compare")}</button>
        <${SendTo} picture=${picture} />
        <a class="atelier-icon-button" href=${api.picture(picture.id)} download=${`${picture.stage}-${picture.id.slice(0, 8)}.png`} title=${t("Download")} aria-label=${t("Download")}><${Icon} name="download" /></a>
        <button type="button" class="atelier-icon-button" title=${t("Show the whole picture")} aria-label=${t("Show the whole picture")} onClick=${onOpen}><${Icon} name="full" /></button>
      </span>`}
    </figcaption>
  </figure>`;
}

/** The thumbnail that is there already stands in until the large one has come: nothing flickers. */
function Big({ api, picture }) {
  const large = api.thumbnail(picture.id, 1024);
  const [shown, setShown] = useState(large);
  useEffect(() => {
    const image = new Image();
    image.onload = () => setShown(large);
    image.src = large;
    return () => (image.onload = null);
  }, [large]);
  return html`<img src=${shown} alt=${nameOf(picture)} draggable=${false} />`;
}

/** By its stage; `titles` are what the recipe calls the stages. */
export function nameOf(picture) {
  return picture.title || picture.stage;
}

/** The whole picture above all else. Arrow keys go through its stage, up and down through the stages, C compares, Z shows each pixel. */
export function Lightbox({ picture, other, onStep, onCompare, onClose }) {
  const { api } = useApp();
  const [isWhole, setWhole] = useState(true);
  const onKeyDown = (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.target.type === "range" && step?.[0]) return;
    if (step) onStep(...step);
    else if (event.key === "c") onCompare();
    else if (event.key === "z") setWhole(!isWhole);
    else return;
    event.preventDefault();
  };
  return html`<${Dialog} title=${nameOf(picture)} bare onClose=${onClose}>
    <div class="atelier-lightbox" onKeyDown=${onKeyDown}>
      <div class="atelier-lightbox-stage" data-whole=${isWhole || undefined}>
        ${other
          ? html`<${Compare} key=${`${picture.id}${other.id}`} a=${other.id} b=${picture.id} labels=${[nameOf(other), nameOf(picture)]} />`
          : html`<button type="button" class="atelier-lightbox-picture" autofocus aria-label=${isWhole ? t("Show each pixel") : t("Show the whole picture")} onClick=${() => setWhole(!isWhole)}><img src=${api.picture(picture.id)} alt=${nameOf(picture)} /></button>`}
      </div>
      <div class="atelier-lightbox-bar">
        <button type="button" class="atelier-icon-button" aria-label=${t("Previous picture")} onClick=${() => onStep(-1, 0)}><${Icon} name="back" /></button>
        <span><b>${nameOf(picture)}</b> ${[labelsOf(picture), picture.width && `${picture.width} × ${picture.height}`, picture.seed !== null && picture.seed !== undefined && t("seed {seed}", { seed: picture.seed })].filter(Boolean).join(" · ")}</span>
        <button type="button" class="atelier-icon-button" aria-label=${t("Next picture")} onClick=${() => onStep(1, 0)}><${Icon} name="forward" /></button>
        <button type="button" class="atelier-icon-button" aria-pressed=${Boolean(other)} aria-label=${t("Compare")} onClick=${onCompare}><${Icon} name="compare" /></button>
        <button type="button" class="atelier-icon-button" aria-label=${t("Close")} onClick=${onClose}><${Icon} name="close" /></button>
      </div>
    </div>
  </${Dialog}>`;
}
