// What is shown of a picture wherever it is shown? A thumbnail, its tags, how long its caption is, what is wrong with it.

import { useApp } from "../app.mjs";
import { Icon } from "../icons.mjs";
import { html } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { lengthOf, tagsOf } from "./captions.mjs";

const MOST_TAGS = 40; // that are drawn in a grid; more is cut off there anyway

/** Never the whole picture. `size`: 256 or 1024. */
export function Thumbnail({ folder, picture, size = 256, alt }) {
  const { api } = useApp();
  const address = api.url("dataset/picture", { folder, name: picture.name, size, changed: picture.changed });
  return html`<img src=${address} alt=${alt ?? picture.name} loading=${size > 256 ? "eager" : "lazy"} decoding="async" draggable=${false} />`;
}

/** A caption with its tags set apart; those that were asked for stand out. */
export function Tags({ caption, asked = [] }) {
  const tags = tagsOf(caption);
  if (tags.length === 0) return html`<span class="atelier-dataset-tags atelier-muted">${t("No caption")}</span>`;
  return html`<span class="atelier-dataset-tags">${tags.slice(0, MOST_TAGS).map((tag, place) => html`<span key=${place} data-asked=${asked.includes(tag) || undefined}>${tag}</span> `)}</span>`;
}

/** How many tokens a caption has, of how many there is room for. */
export function Length({ tokens }) {
  if (typeof tokens !== "number") return null;
  const { limit, level } = lengthOf(tokens);
  const about = level === "over" ? t("{tokens} tokens: what is beyond {limit} is cut off by a training", { tokens, limit }) : t("{tokens} tokens of {limit}", { tokens, limit });
  return html`<span class="atelier-badge" data-kind=${{ over: "warning", more: "run" }[level]} title=${about}>${level === "over" && html`<${Icon} name="alert" />`}<span aria-hidden="true">${tokens}/${limit}</span><span class="atelier-hidden">${about}</span></span>`;
}

/** What is wrong: with its caption, or as the tagger sees it. */
export function Problems({ picture }) {
  const { unseen = [], unsaid = [] } = picture.contradicted ?? {};
  const about = [unseen.length > 0 && t("not seen: {tags}", { tags: namesOf(unseen) }), unsaid.length > 0 && t("not said: {tags}", { tags: namesOf(unsaid) })].filter(Boolean).join("; ");
  return html`${picture.problem && html`<span class="atelier-badge" data-kind="error" title=${picture.problem}><${Icon} name="alert" /><span class="atelier-dataset-problem">${picture.problem}</span></span>`}
    ${about && html`<span class="atelier-badge" data-kind="warning" title=${t("The tagger: {about}", { about })}><${Icon} name="eye" />${unseen.length + unsaid.length}<span class="atelier-hidden">${t("The tagger: {about}", { about })}</span></span>`}`;
}

/** A difference, word by word: signs as well as colours say what goes and what comes. */
export function Difference({ parts }) {
  return html`<span class="atelier-dataset-difference">${parts.map(({ kind, text }, place) =>
    kind === "same" ? html`<span key=${place}>${text}</span>` : kind === "gone" ? html`<del key=${place}><span class="atelier-hidden">${t("goes:")} </span>${text.trimEnd()}</del> ` : html`<ins key=${place}><span class="atelier-hidden">${t("comes:")} </span>${text.trimEnd()}</ins> `,
  )}</span>`;
}

function namesOf(tags) {
  return tags.map(([tag]) => tag).join(", ");
}
