// Which pictures has a stage made? A strip of thumbnails; only those near the window's sight are there.

import { useApp } from "../app.mjs";
import { useCell } from "../cell.mjs";
import { Icon } from "../icons.mjs";
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { keyOf, runWatchOf } from "./run-watch.mjs";

const WIDTH = 104; // pixels from one thumbnail to the next
const IS_PICTURE = /^[0-9a-f]{64}$|\.(png|jpe?g|webp)$/i;
const MOST_EMPTY = 24; // places of pictures to come that are shown
const BESIDE = 4; // thumbnails that are there beyond each edge

/**
 * A stage's strip. `stage` is an entry of the run's `stages`; `chosen` the key of the picture that is shown large;
 * onChoose(picture, {compare}) and onOpen(picture) tell of clicks.
 */
export function Filmstrip({ run, stage, chosen = "", other = "", onChoose = () => {}, onOpen = () => {} }) {
  const watch = runWatchOf(useApp());
  const box = useRef(null);
  const isNear = useNear(box);
  const { list, done } = useCell(watch.pictures(stage.stage));
  const [left, setLeft] = useState(0);
  const [width, setWidth] = useState(800);
  const first = Math.max(0, Math.floor(left / WIDTH) - BESIDE);
  const last = Math.min(list.length, Math.ceil((left + width) / WIDTH) + BESIDE);

  useEffect(() => void (isNear && watch.more(stage.stage)), [isNear, run?.id]);
  useEffect(() => void (isNear && !done && list.length > 0 && last > list.length - 20 && watch.more(stage.stage)), [last, list.length]);

  const onKeyDown = (event) => {
    const place = list.findIndex((picture) => keyOf(picture) === chosen);
    const next = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: list.length - 1 }[event.key];
    if (next === undefined || !list[next]) return;
    event.preventDefault();
    onChoose(list[next], { compare: event.shiftKey });
    const track = event.currentTarget;
    track.scrollLeft = Math.max(0, next * WIDTH - track.clientWidth / 2 + WIDTH / 2);
    requestAnimationFrame(() => track.querySelector(`[data-place="${next}"]`)?.focus({ preventScroll: true }));
  };

  return html`<section class="atelier-strip" data-strip=${stage.stage} ref=${box} aria-label=${t("Pictures of {stage}", { stage: stage.stage })}>
    <header>
      <b>${stage.title || stage.stage}</b>
      <span class="atelier-muted">${told(stage)}</span>
      ${stage.failed > 0 && html`<span class="atelier-badge" data-kind="error"><${Icon} name="alert" />${t("{count} failed", { count: stage.failed })}</span>`}
    </header>
    <div
      class="atelier-track" ref=${(track) => track && track.clientWidth !== width && track.clientWidth > 0 && setWidth(track.clientWidth)}
      onScroll=${(event) => setLeft(event.currentTarget.scrollLeft)} onKeyDown=${onKeyDown}
    >
      <div class="atelier-film" style=${`width: ${Math.max(1, list.length) * WIDTH}px`}>
        ${list.length === 0 && html`<span class="atelier-film-empty" style=${`width: ${Math.min(stage.total, MOST_EMPTY) * WIDTH}px`}>${stage.running > 0 ? t("At work…") : ""}</span>`}
        ${isNear && list.slice(first, last).map((picture, offset) => {
          const place = first + offset;
          return html`<${Thumbnail} key=${keyOf(picture)} ...${{ picture, place, onChoose, onOpen }} isChosen=${keyOf(picture) === chosen} isOther=${keyOf(picture) === other} isEntry=${keyOf(picture) === chosen || (place === 0 && !list.some((one) => keyOf(one) === chosen))} />`;
        })}
      </div>
    </div>
  </section>`;
}

function Thumbnail({ picture, place, isChosen, isOther, isEntry, onChoose, onOpen }) {
  const { api } = useApp();
  const name = [picture.item && t("item {item}", { item: picture.item }), labelsOf(picture)].filter(Boolean).join(", ");
  return html`<button
    type="button" class="atelier-thumb" data-place=${place} style=${`left: ${place * WIDTH}px`} aria-pressed=${isChosen} data-other=${isOther || undefined} tabindex=${isEntry ? 0 : -1}
    title=${name} aria-label=${name || t("Picture {number}", { number: place + 1 })}
    draggable="true" onDragStart=${(event) => event.dataTransfer.setData("application/x-atelier-picture", picture.id)}
    onClick=${(event) => onChoose(picture, { compare: event.shiftKey })} onDblClick=${() => onOpen(picture)} onKeyDown=${(event) => event.key === " " && isChosen && (event.preventDefault(), onOpen(picture))}
  >
    <img src=${api.thumbnail(picture.id, 192)} alt="" loading="lazy" decoding="async" draggable=${false} />
  </button>`;
}

/** What a picture's row was, in a few words; pictures among its values are seen, not read. */
export function labelsOf(picture) {
  return Object.values(picture.labels ?? {}).map(String).filter((value) => !IS_PICTURE.test(value)).join(", ");
}

function told(stage) {
  if (stage.total === 0) return "";
  return stage.done === stage.total ? `${stage.total}` : t("{done} of {total}", stage);
}

/** Whether an element is in sight, or nearly. */
export function useNear(box) {
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => setNear(entries.at(-1).isIntersecting), { rootMargin: "300px", scrollMargin: "300px" });
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return isNear;
}
