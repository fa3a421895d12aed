// How are many pictures looked through and selected? As a gallery or a table, of which only what is in sight is there, by mouse, touch or keys.

import { Icon } from "../icons.mjs";
import { useRowsInSight } from "../in-sight.mjs";
import { useKeysOfPage } from "../keys.mjs";
import { stepped } from "../review/choice.mjs";
import { html, useEffect, useLayoutEffect, useRef } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { Length, Problems, Tags, Thumbnail } from "./picture-parts.mjs";
import { isSelected } from "./selection.mjs";
import { unsavedOf } from "./unsaved.mjs";

const GAP = 10; // pixels between rows of the gallery
const EDGES = { Home: "start", End: "end" };

/**
 * list: as usePictures has it;  view: "gallery" or "table";  at: the place that has the keys, moved by onAt(place)
 * onSelect(place, {range}), onAll(), onNone() change the selection;  onOpen(place): it is to be edited;  asked: tags that the filter asks for
 * leftOut: names;  boxes: crops by hand, by name
 */
export function Gallery({ folder, list, view, selection, at, onAt, onSelect, onAll, onNone, onOpen, asked, leftOut, boxes }) {
  const box = useRef(null);
  const focusAt = useRef(false);
  const count = list.told.matching;
  const isTable = view === "table";
  const measure = (element) => {
    const one = element.querySelector("[data-place]");
    const columns = isTable ? 1 : getComputedStyle(element.querySelector("ul")).gridTemplateColumns.split(" ").length;
    return { height: one ? one.getBoundingClientRect().height + (isTable ? 0 : GAP) : 0, across: columns };
  };
  const { from, to, across, above, below } = useRowsInSight(box, count, measure);
  useEffect(() => list.want(from, to));
  useLayoutEffect(() => {
    if (at === 0) return;
    const { height, across: columns } = measure(box.current);
    const top = box.current.getBoundingClientRect().top + Math.floor(at / columns) * height;
    focusAt.current = true; // one comes back to where one was
    if (top < 0 || top + height > window.innerHeight) window.scrollBy(0, top - window.innerHeight / 3);
  }, []);
  useLayoutEffect(() => {
    if (!focusAt.current) return;
    const face = box.current?.querySelector(`[data-place="${at}"] .atelier-dataset-face`);
    if (!face) return;
    focusAt.current = false;
    face.focus();
  });

  const go = (place, key) => {
    if (place === at) return;
    focusAt.current = true;
    if (EDGES[key]) box.current.scrollIntoView({ block: EDGES[key] });
    onAt(place);
  };
  const turned = (key) => {
    const way = key === "PageDown" ? to - 1 : from;
    return Math.min(count - 1, way - ((way - at) % across)); // in the same column, as far as there are pictures
  };
  function onKeyDown(event) {
    if (event.defaultPrevented || event.altKey || event.target.matches("input, textarea, select")) return;
    const { key } = event;
    const isCtrl = event.ctrlKey || event.metaKey;
    if (isCtrl && key.toLowerCase() === "a") onAll();
    else if (isCtrl) return;
    else if (/^(Arrow|Home$|End$)/.test(key)) {
      const next = stepped(at, key, count, across);
      if (event.shiftKey && next !== at) onSelect(next, { range: true, from: at });
      go(next, key);
    } else if (/^Page(Up|Down)$/.test(key)) go(turned(key), key);
    else if (key === " ") onSelect(at, { range: event.shiftKey });
    else if (key === "Enter" && list.at(at)) onOpen(at);
    else if (key === "Escape") onNone();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  useKeysOfPage(onKeyDown);
  const places = Array.from({ length: Math.max(0, to - from) }, (_, offset) => from + offset);
  const one = (place) => ({
    key: place,
    place,
    folder,
    picture: list.at(place),
    asked,
    isOut: Boolean(list.at(place)) && leftOut.has(list.at(place).name),
    isCropped: Boolean(list.at(place)) && list.at(place).name in boxes,
    isSelected: Boolean(list.at(place)) && isSelected(selection, list.at(place).name),
    isEntry: place === at,
    onSelect: (event) => (onAt(place), onSelect(place, { range: event.shiftKey })),
    onFocus: () => at !== place && onAt(place),
    onOpen: () => (onAt(place), onOpen(place)),
  });
  if (isTable) return html`<${Table} box=${box} rows=${places.map(one)} above=${above} below=${below} count=${count} onKeyDown=${onKeyDown} />`;
  return html`<div ref=${box} style=${`padding: ${above}px 0 ${below}px`} onKeyDown=${onKeyDown}>
    <ul class="atelier-dataset-gallery" aria-label=${t("Pictures")}>${places.map((place) => html`<${Cell} ...${one(place)} />`)}</ul>
  </div>`;
}

function Cell({ place, folder, picture, asked, isOut, isCropped, isSelected: isChosen, isEntry, onSelect, onFocus, onOpen }) {
  if (!picture) return html`<li class="atelier-dataset-cell" data-place=${place} data-coming></li>`;
  return html`<li class="atelier-dataset-cell" data-place=${place} data-selected=${isChosen || undefined} data-out=${isOut || undefined}>
    <button type="button" class="atelier-dataset-face" aria-pressed=${isChosen} tabindex=${isEntry ? 0 : -1} title=${picture.name} onClick=${onSelect} onDblClick=${onOpen} onFocus=${onFocus}>
      <span class="atelier-dataset-thumb"><${Thumbnail} folder=${folder} picture=${picture} /></span>
      <span class="atelier-dataset-about"><${Tags} caption=${picture.caption} asked=${asked} /></span>
      <span class="atelier-dataset-badges"><${Length} tokens=${picture.tokens} /><${Marks} folder=${folder} picture=${picture} isOut=${isOut} isCropped=${isCropped} /><${Problems} picture=${picture} /></span>
      <span class="atelier-dataset-mark" aria-hidden="true">${isChosen && html`<${Icon} name="check" />`}</span>
    </button>
    <${Open} picture=${picture} onOpen=${onOpen} />
  </li>`;
}

/** What is to become of the picture, and of what was typed for it; `isShort`: as signs only. */
function Marks({ folder, picture, isOut, isCropped, isShort = false }) {
  const marks = [isOut && ["minus", t("left out")], isCropped && ["select", t("cropped")], unsavedOf(folder, picture.name) && ["edit", t("Not saved yet")]].filter(Boolean);
  return marks.map(([icon, text]) => html`<span class="atelier-badge" key=${icon} title=${text}><${Icon} name=${icon} />${isShort ? html`<span class="atelier-hidden">${text}</span>` : text}</span>`);
}

function Open({ picture, onOpen }) {
  return html`<button type="button" class="atelier-tiny atelier-dataset-open" tabindex="-1" title=${t("Edit (Enter)")} aria-label=${t("Edit {name}", picture)} onClick=${onOpen}><${Icon} name="edit" /></button>`;
}

function Table({ box, rows, above, below, count, onKeyDown }) {
  const room = (height) => height > 0 && html`<tr aria-hidden="true"><td colspan="3" style=${`height: ${height}px`}></td></tr>`;
  return html`<table class="atelier-dataset-table" aria-rowcount=${count + 1} onKeyDown=${onKeyDown}>
    <thead><tr><th scope="col">${t("Picture")}</th><th scope="col">${t("Caption")}</th><th scope="col" class="atelier-dataset-wide">${t("Size")}</th><th scope="col">${t("Tokens")}</th></tr></thead>
    <tbody ref=${box}>${room(above)}${rows.map((row) => html`<${Row} ...${row} />`)}${room(below)}</tbody>
  </table>`;
}

function Row({ place, folder, picture, asked, isOut, isCropped, isSelected: isChosen, isEntry, onSelect, onFocus, onOpen }) {
  if (!picture) return html`<tr data-place=${place} data-coming><td colspan="3"></td></tr>`;
  return html`<tr data-place=${place} data-selected=${isChosen || undefined} data-out=${isOut || undefined} aria-rowindex=${place + 2} onDblClick=${onOpen}>
    <th scope="row"><span><button type="button" class="atelier-dataset-face" aria-pressed=${isChosen} tabindex=${isEntry ? 0 : -1} title=${picture.name} onClick=${onSelect} onFocus=${onFocus}>
      <span class="atelier-dataset-thumb"><${Thumbnail} folder=${folder} picture=${picture} alt="" /></span><span class="atelier-dataset-name">${picture.name}</span></button></span></th>
    <td class="atelier-dataset-said" onClick=${onSelect}><${Tags} caption=${picture.caption} asked=${asked} /></td>
    <td class="atelier-dataset-wide atelier-muted" onClick=${onSelect}>${picture.width ? `${picture.width} × ${picture.height}` : ""}</td>
    <td><span class="atelier-dataset-badges"><${Length} tokens=${picture.tokens} /><${Marks} folder=${folder} picture=${picture} isOut=${isOut} isCropped=${isCropped} isShort /><${Problems} picture=${picture} /><${Open} picture=${picture} onOpen=${onOpen} /></span></td>
  </tr>`;
}
