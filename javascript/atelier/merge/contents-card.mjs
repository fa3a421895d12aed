// What is in a file that was looked into? Its training, tags, blocks with their layers, and all of its metadata.

import { useApp } from "../app.mjs";
import { Icon } from "../icons.mjs";
import { html, useEffect, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { metadataOf, span, strengthsOf, trainingOf } from "./contents.mjs";

/** `id`: of an inspection that is done. */
export function ContentsCard({ id }) {
  const { api } = useApp();
  const [found, setFound] = useState(null);
  useEffect(() => {
    let isHere = true;
    const show = (told) => isHere && setFound(told);
    api.get(`jobs/${id}/files/contents.json`).then(show, () => show(null)); // of a job from before there was such a file
    return () => (isHere = false);
  }, [id]);
  if (!found) return null;
  const training = trainingOf(found.metadata);
  const tags = Object.entries(found.tags);
  const rows = metadataOf(found.metadata);
  const blocks = strengthsOf(found.blocks);
  return html`<section class="atelier-card atelier-contents" aria-label=${t("What is in it")}>
    <div class="atelier-section-head"><h3>${found.name}</h3></div>
    <div class="atelier-card-body atelier-stack">
      ${found.damaged.length > 0 && html`<p class="atelier-note" data-severity="error" role="alert"><${Icon} name="alert" /> <span>${t("{count} tensors hold NaN or infinity, such as {one}: the file is damaged.", { count: found.damaged.length, one: found.damaged[0] })}</span></p>`}
      <${Table} rows=${training} label=${t("Training")} isTranslated />
      ${!training.length && html`<p class="atelier-muted">${t("The file does not tell how it was made.")}</p>`}
      ${tags.length > 0 && html`<div><h4>${t("Tags")}</h4><p class="atelier-contents-tags">${tags.map(([tag, count]) => html`<span class="atelier-chip" key=${tag}>${tag} <small>${count}</small></span>`)}</p></div>`}
      ${blocks.length > 0 && html`<div><h4>${t("Strength of blocks and layers")}</h4>${blocks.map((block) => html`<${Block} key=${block.name} block=${block} />`)}</div>`}
      ${rows.length > 0 && html`<details><summary>${t("All metadata ({count})", { count: rows.length })}</summary><${Table} rows=${rows} label=${t("Metadata")} /></details>`}
    </div>
  </section>`;
}

function Block({ block }) {
  return html`<details class="atelier-contents-block">
    <summary><span class="atelier-contents-name">${block.name}</span> <meter min="0" max="1" value=${block.share} aria-label=${block.name}></meter>
      <span class="atelier-muted">${t("rank {ranks}, alpha {alphas}", { ranks: span(block.ranks), alphas: span(block.alphas) })}</span></summary>
    <ul>${block.layers.map((layer) => html`<li key=${layer.name}><meter min="0" max="1" value=${layer.share} aria-label=${layer.name}></meter> <span>${layer.name}</span></li>`)}</ul>
  </details>`;
}

function Table({ rows, label, isTranslated = false }) {
  if (!rows.length) return null;
  return html`<dl class="atelier-contents-facts" aria-label=${label}>${rows.map(([name, value]) => html`<dt key=${name}>${isTranslated ? t(name) : name}</dt><dd>${value}</dd>`)}</dl>`;
}
