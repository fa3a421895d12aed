// What does this one picture's caption say? The picture large, its caption to be written, its tags to be taken out and put in, by keys alone from one to the next.

import { useApp } from "../app.mjs";
import { Combobox } from "../fields/combobox.mjs";
import { Icon } from "../icons.mjs";
import { useKeysOfPage } from "../keys.mjs";
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { tagsOf, withoutTag, withTag } from "./captions.mjs";
import { CropFrame } from "./crop-frame.mjs";
import { pixelsOf } from "./crop-box.mjs";
import { Length, Problems, Thumbnail } from "./picture-parts.mjs";
import { saveUnsaved, unsavedOf, useUnsaved } from "./unsaved.mjs";

const PAUSE = 300; // milliseconds after the last key before tokens are counted
const STEPS = { PageUp: -1, PageDown: 1 };
const STEPS_WITH_ALT = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

/**
 * where: {folder, nested, ending};  place: of the picture in the list;  onStep(place), onBack(), onSimilar(name);  boxes: crops by the picture's name, of
 * which onBox(name, box) sets one;  leaving: a ref, which gets what is to be asked before this view is left: () → Promise of whether it may be
 */
export function PictureView({ where, list, place, tags, onStep, onBack, onSimilar, boxes, onBox, leaving }) {
  const app = useApp();
  const { api, toast } = app;
  const picture = list.at(place);
  const [typed, setTyped] = useUnsaved(where.folder, picture?.name);
  const text = typed?.text ?? picture?.caption ?? "";
  const setText = (next) => setTyped(next === picture.caption ? null : { before: typed?.before ?? picture.caption, text: next });
  const [isBusy, setBusy] = useState(false);
  const [isCropping, setCropping] = useState(false);
  const area = useRef(null);
  const note = useRef(null);
  const box = useRef(null);
  const count = list.told.matching;
  useEffect(() => list.want(Math.max(0, place - 1), Math.min(count, place + 2)));
  useEffect(() => {
    box.current?.scrollIntoView({ block: "nearest" });
    if (matchMedia("(hover: hover)").matches) area.current?.focus({ preventScroll: true });
  }, []);
  const tokens = useTokens(api, text, picture);
  const isChanged = Boolean(picture && typed);
  const theirs = isChanged && typed.before !== picture.caption ? picture.caption : null;

  async function write(name) {
    try {
      const now = await saveUnsaved(api, where, name);
      if (now) list.patch(name, now);
    } catch (problem) {
      if (problem.status === 409) list.patch(name, { caption: problem.body.caption });
      throw problem;
    }
  }
  /** Whether what is written is on disk. */
  async function save() {
    if (!isChanged) return true;
    setBusy(true);
    try {
      await write(picture.name);
      return true;
    } catch (problem) {
      if (problem.status !== 409) toast(problem.message, { kind: "error" });
      return false;
    } finally {
      setBusy(false);
    }
  }
  useEffect(() => note.current?.scrollIntoView({ block: "nearest" }), [theirs, isBusy]);
  leaving.current = save;
  useEffect(() => () => (leaving.current = null), []);
  useEffect(() => {
    const name = picture?.name;
    return () => {
      if (!name || !unsavedOf(where.folder, name)) return; // the view was left by a way that asks nobody, such as the browser's own
      const back = { label: t("Back to it"), run: () => app.open("dataset", { picture: name }) };
      write(name).catch((problem) => toast(`${name}: ${problem.message}`, { kind: "error", action: back }));
    };
  }, [picture?.name]);
  const keepMine = () => (setTyped({ before: picture.caption, text }), save());
  const takeTheirs = () => (setTyped(null), area.current?.focus());
  const step = async (way) => {
    if (isBusy || !(await save())) return;
    if (place + way >= 0 && place + way < count) onStep(place + way);
    else if (isChanged) toast(t("Saved. There is no other picture."), { kind: "done" });
  };
  const back = async () => (await save()) && onBack();

  function onKeyDown(event) {
    if (event.defaultPrevented || !picture) return;
    const isText = event.target.matches("input, textarea, select");
    const isCtrl = event.ctrlKey || event.metaKey;
    const way = STEPS[event.key] ?? (event.altKey || !isText ? STEPS_WITH_ALT[event.key] : undefined);
    if (isCtrl && event.key === "Enter") step(1);
    else if (isCtrl && event.key.toLowerCase() === "s") save();
    else if (isCtrl) return;
    else if (way) step(way);
    else if (event.key === "Escape" && isChanged) setTyped(null);
    else if (event.key === "Escape") onBack();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  useKeysOfPage(onKeyDown);
  if (!picture) return html`<div class="atelier-loading" role="status">${t("Loading…")}</div>`;
  return html`<section class="atelier-dataset-picture" ref=${box} aria-label=${t("Caption of {name}", picture)} onKeyDown=${onKeyDown}>
    <header class="atelier-row">
      <button type="button" class="atelier-button" data-look="quiet" onClick=${back}><${Icon} name="back" /> ${t("All pictures")}</button>
      <span class="atelier-grow"></span>
      <span class="atelier-muted atelier-dataset-place">${t("{place} of {count}", { place: place + 1, count })}</span>
      <button type="button" class="atelier-icon-button" title=${t("The picture before (PageUp)")} aria-label=${t("The picture before (PageUp)")} disabled=${place === 0} onClick=${() => step(-1)}><${Icon} name="up" /></button>
      <button type="button" class="atelier-icon-button" title=${t("The next picture (PageDown)")} aria-label=${t("The next picture (PageDown)")} disabled=${place >= count - 1} onClick=${() => step(1)}><${Icon} name="down" /></button>
    </header>
    <div class="atelier-dataset-two">
      <${Large} folder=${where.folder} picture=${picture} box=${boxes[picture.name]} isCropping=${isCropping} onCropping=${setCropping} onBox=${(next) => onBox(picture.name, next)} />
      <div class="atelier-stack atelier-dataset-words">
        <div><h2>${picture.name}</h2><p class="atelier-row"><span class="atelier-muted">${picture.width ? `${picture.width} × ${picture.height}` : ""}</span><${Length} tokens=${tokens} /><${Problems} picture=${picture} /></p></div>
        <label><span class="atelier-label">${t("Caption")}</span>
          <textarea class="atelier-input" rows="4" ref=${area} value=${text} spellcheck="true" onInput=${(event) => setText(event.target.value)}></textarea></label>
        ${theirs !== null && html`<div ref=${note}><${Theirs} caption=${theirs} isBusy=${isBusy} onKeep=${keepMine} onTake=${takeTheirs} /></div>`}
        <div class="atelier-row">
          <button type="button" class="atelier-button" data-look="primary" disabled=${isBusy} onClick=${() => step(1)}><${Icon} name="check" /> ${t("Save, and the next")}</button>
          <button type="button" class="atelier-button" disabled=${isBusy || !isChanged} onClick=${save}>${t("Save")}</button>
          <span class="atelier-muted" role="status">${isChanged ? t("Not saved yet") : ""}</span>
        </div>
        <${TagChips} text=${text} tags=${tags} onChange=${setText} />
        <${Contradictions} picture=${picture} text=${text} onChange=${setText} />
        <button type="button" class="atelier-button atelier-add" onClick=${async () => (await save()) && onSimilar(picture.name)}><${Icon} name="search" /> ${t("Similar pictures")}</button>
        <p class="atelier-muted atelier-dataset-hint">${t("Ctrl+Enter saves and goes on, PageUp and PageDown or Alt and arrows go to another, Esc takes back what was written, then leads back.")}</p>
      </div>
    </div>
  </section>`;
}

/** The picture, what a crop leaves of it, and the way to draw one. */
function Large({ folder, picture, box, isCropping, onCropping, onBox }) {
  const button = useRef(null);
  const thumbnail = html`<${Thumbnail} key=${picture.name} folder=${folder} picture=${picture} size=${1024} />`;
  if (!picture.width) return html`<figure class="atelier-dataset-large">${thumbnail}</figure>`;
  const { width, height } = picture;
  const left = box && pixelsOf(box, picture);
  const done = () => (onCropping(false), button.current.focus());
  return html`<div class="atelier-stack">
    <figure class="atelier-dataset-large" style=${`--shape: ${width} / ${height}; --ratio: ${width / height}`}>
      <div class="atelier-crop-stage">${thumbnail}${(box || isCropping) && html`<${CropFrame} size=${{ width, height }} box=${box} isEdited=${isCropping} onChange=${onBox} onDone=${done} />`}</div>
    </figure>
    <div class="atelier-row">
      <button type="button" class="atelier-button" ref=${button} aria-pressed=${isCropping} onClick=${() => onCropping(!isCropping)}><${Icon} name="select" /> ${t("Crop")}</button>
      ${box && html`<button type="button" class="atelier-button" data-look="quiet" onClick=${() => onBox(null)}><${Icon} name="close" /> ${t("Without the crop")}</button>`}
      <span class="atelier-muted atelier-dataset-kept" role=${isCropping ? "status" : undefined}>${left ? t("{width} × {height} are kept when the folder is prepared", left) : isCropping ? t("Draw a frame around what is kept when the folder is prepared.") : ""}</span>
    </div>
  </div>`;
}

/** What the caption has become while another was typed here, and the choice between the two. */
function Theirs({ caption, isBusy, onKeep, onTake }) {
  return html`<div class="atelier-dataset-theirs" role="alert">
    <p class="atelier-label"><${Icon} name="alert" /> <span>${t("Somebody changed this caption meanwhile. It says now:")}</span></p>
    <blockquote>${caption || html`<span class="atelier-muted">${t("No caption")}</span>`}</blockquote>
    <div class="atelier-row">
      <button type="button" class="atelier-button" disabled=${isBusy} onClick=${onKeep}><${Icon} name="check" /> ${t("Keep mine")}</button>
      <button type="button" class="atelier-button" disabled=${isBusy} onClick=${onTake}>${t("Take theirs")}</button>
    </div>
  </div>`;
}

/** Each tag with the way to take it out, and a field for one more. */
function TagChips({ text, tags, onChange }) {
  const [typed, setTyped] = useState("");
  const own = tagsOf(text);
  const add = (tag) => (onChange(withTag(text, tag)), setTyped(""));
  return html`<div><span class="atelier-label" id="atelier-dataset-tags">${t("Tags")}</span>
    <div class="atelier-chips" role="group" aria-labelledby="atelier-dataset-tags">
      ${own.map((tag, place) => html`<span class="atelier-chip atelier-dataset-chip" key=${`${place} ${tag}`}><span>${tag}</span><button type="button" class="atelier-tiny" aria-label=${t("Without {name}", { name: tag })} onClick=${() => onChange(withoutTag(text, place))}><${Icon} name="close" /></button></span>`)}
      <form onSubmit=${(event) => (event.preventDefault(), typed.trim() && add(typed))}>
        <${Combobox} id="atelier-dataset-more" label=${t("Add a tag")} placeholder=${t("Add a tag")} value=${typed} options=${tags.filter((tag) => !own.includes(tag))} onChange=${setTyped} onChoose=${add} />
      </form>
    </div></div>`;
}

/** What the tagger sees otherwise, with the way to do as it says. */
function Contradictions({ picture, text, onChange }) {
  const { unseen = [], unsaid = [] } = picture.contradicted ?? {};
  const own = tagsOf(text);
  const gone = unseen.filter(([tag]) => own.includes(tag));
  const more = unsaid.filter(([tag]) => !own.includes(tag));
  if (gone.length + more.length === 0) return null;
  const chip = (icon, [tag, sure], change) => html`<button type="button" class="atelier-button" key=${tag} onClick=${() => onChange(change)}><${Icon} name=${icon} /> ${tag} <span class="atelier-muted">${Math.round(sure * 100)} %</span></button>`;
  return html`<div class="atelier-dataset-contradicted">
    ${gone.length > 0 && html`<p class="atelier-label">${t("The tagger does not see")}</p><div class="atelier-row">${gone.map((one) => chip("minus", one, withoutTag(text, own.indexOf(one[0]))))}</div>`}
    ${more.length > 0 && html`<p class="atelier-label">${t("The tagger sees, and the caption does not say")}</p><div class="atelier-row">${more.map((one) => chip("add", one, withTag(text, one[0])))}</div>`}
  </div>`;
}

/** As the picture's route counted them; what is written meanwhile is counted once it stands still. */
function useTokens(api, text, picture) {
  const [counted, setCounted] = useState({ text: "", tokens: null });
  const isOwn = text === picture?.caption;
  useEffect(() => {
    if (isOwn) return undefined;
    const timer = setTimeout(() => api.post("tokens", { text }).then(({ tokens }) => setCounted({ text, tokens }), () => {}), PAUSE);
    return () => clearTimeout(timer);
  }, [text, isOwn]);
  if (isOwn) return picture?.tokens;
  return counted.tokens ?? picture?.tokens;
}
