// How do pictures become a set that something is learnt from? A folder looked through, checked, prepared, captioned, and handed to a training.

import { AskedCard } from "../dataset/asked-card.mjs";
import { areRepeated, shortPath } from "../dataset/captions.mjs";
import { CheckReport } from "../dataset/check-report.mjs";
import { boxesOf } from "../dataset/crop-box.mjs";
import { CroppedByHand } from "../dataset/cropped.mjs";
import { JobScreen } from "../dataset/job-screen.mjs";
import { PicturesScreen } from "../dataset/pictures-screen.mjs";
import { useDraft } from "../draft.mjs";
import { FolderDialog } from "../folder-dialog.mjs";
import { Icon } from "../icons.mjs";
import { getAt, setAt } from "../paths.mjs";
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { t, tn } from "../words.mjs";

const SCREENS = { pictures: "Pictures", check: "Check", prepare: "Prepare", caption: "Captioning", class: "Class pictures", exchange: "Other programs" };
const START = { folder: "", nested: true, ending: "", trigger: "", filter: {}, sort: "name", view: "gallery" };
const CONCEPT = ["data", "concepts", 0];
const MOST_LEFT = 12; // other folders for which what is to be prepared is remembered

/** `params.screen`: one of SCREENS; `params.picture`: the one that is looked at alone; `params.folder`: to be opened. */
export function DatasetPage({ app, params = {} }) {
  const { known, draft, change, problem, load } = useDraft(
    () => asked(app.api),
    (prepared) => app.api.put("dataset/draft", prepared),
  );
  const [isChoosing, setChoosing] = useState(false);
  const [told, setTold] = useState(null);
  const leaving = useRef(null);
  const mayLeave = async () => leaving.current === null || (await leaving.current());
  const choose = async (folder) => {
    if (!(await mayLeave())) return;
    setTold(null);
    change((now) => (now.folder === folder ? now : draftOf(folder, now)));
    app.open("dataset");
  };
  useEffect(() => void (draft && params.folder && choose(params.folder)), [Boolean(draft), params.folder]);
  if (problem) return html`<div class="atelier-empty" role="alert"><p>${problem}</p><button type="button" class="atelier-button" onClick=${load}>${t("Try again")}</button></div>`;
  if (!draft) return html`<div class="atelier-loading" role="status">${t("Loading…")}</div>`;
  const dialog = isChoosing && html`<${FolderDialog} path=${draft.folder} onChoose=${(path) => (setChoosing(false), choose(path))} onClose=${() => setChoosing(false)} />`;
  if (!draft.folder) return html`<${Welcome} recent=${known.recent} onChoose=${choose} onLook=${() => setChoosing(true)} />${dialog}`;

  const screen = params.screen in SCREENS ? params.screen : "pictures";
  const go = async (name) => (await mayLeave()) && app.open("dataset", name === "pictures" ? {} : { screen: name });
  const given = { app, known, draft, change, params, go, onTold: setTold, choose, leaving };
  const { name, above } = shortPath(draft.folder);
  return html`<div class="atelier-dataset" data-screen=${screen}>
    <header class="atelier-dataset-head">
      <button type="button" class="atelier-title" title=${draft.folder} aria-label=${t("Folder {path}: choose another", { path: draft.folder })} onClick=${() => setChoosing(true)}><${Icon} name="folder" /><span class="atelier-muted atelier-dataset-above">${above && `${above} /`}</span><b>${name}</b><${Icon} name="down" /></button>
      <p class="atelier-muted">${told ? aboutOf(told) : ""}</p>
      <button type="button" class="atelier-button" onClick=${async () => (await mayLeave()) && train(app, draft)}>${t("Train with these pictures")} <${Icon} name="forward" /></button>
    </header>
    <nav class="atelier-dataset-screens" aria-label=${t("What to do with the folder")}>
      ${Object.entries(SCREENS).map(([key, title]) => html`<button type="button" key=${key} class="atelier-button" data-look="quiet" aria-current=${key === screen ? "page" : undefined} onClick=${() => go(key)}>${t(title)}</button>`)}
    </nav>
    ${screen === "pictures" && html`<${PicturesScreen} key=${draft.folder} ...${given} />`}
    ${screen === "check" && html`<${Check} ...${given} />`}
    ${screen === "prepare" && html`<${Prepare} ...${given} />`}
    ${screen === "caption" && html`<${Caption} ...${given} />`}
    ${screen === "class" && html`<${ClassPictures} ...${given} />`}
    ${screen === "exchange" && html`<${Exchange} ...${given} />`}
    ${dialog}
  </div>`;
}

function aboutOf({ total, counts }) {
  const bare = total - counts.captions + counts.empty;
  return [tn("{count} picture", "{count} pictures", total), bare > 0 && t("{count} without a caption", { count: bare })].filter(Boolean).join(" · ");
}

/** Before a folder was chosen. */
function Welcome({ recent, onChoose, onLook }) {
  return html`<div class="atelier-empty">
    <h2>${t("Which pictures shall something be learnt from?")}</h2>
    <p>${t("Choose a folder: its pictures are shown with their captions, checked, prepared and captioned. They are never altered, and every edit of a caption can be taken back.")}</p>
    <button type="button" class="atelier-button" data-look="primary" onClick=${onLook}><${Icon} name="folder" /> ${t("Choose a folder")}</button>
    ${recent.length > 0 && html`<ul class="atelier-dataset-recent" aria-label=${t("Folders of late")}>${recent.map((path) => html`<li key=${path}><button type="button" class="atelier-button" data-look="quiet" title=${path} onClick=${() => onChoose(path)}><${Icon} name="folder" /> ${shortPath(path).name}</button></li>`)}</ul>`}
  </div>`;
}

function Check(given) {
  const { draft, change, go } = given;
  const leftOut = draft.prepare?.leave_out ?? [];
  const onLeaveOut = (names) => change((now) => ({ ...now, prepare: { ...now.prepare, leave_out: names } }));
  const result = (job) => html`<${CheckReport} key=${job.id} job=${job} folder=${draft.folder} leftOut=${leftOut} onLeaveOut=${onLeaveOut} onPrepare=${() => go("prepare")} />`;
  const about = t("Looks at every picture: broken, tiny, blurred, too dark or bright, alike, turned, cut by its bucket. Nothing is altered.");
  return html`<${JobScreen} ...${given} kind="check-pictures" part="check" title=${t("Check the pictures")} about=${about} go=${t("Check")} result=${result} />`;
}

function Prepare(given) {
  const { app, draft, change, choose } = given;
  const { leave_out: leftOut, boxes } = draft.prepare ?? {};
  const setBoxes = (next) => change((now) => ({ ...now, prepare: { ...now.prepare, boxes: next } }));
  const result = (job) => html`<div class="atelier-row"><button type="button" class="atelier-button" data-look="primary" onClick=${() => choose(job.config.into)}><${Icon} name="folder" /> ${t("Open the prepared folder")}</button></div>`;
  const about = t("Writes the pictures as a training wants them into another folder, with their captions. The pictures here stay as they are.");
  return html`<${JobScreen} ...${given} kind="prepare" part="prepare" title=${t("Prepare the pictures")} about=${about} go=${t("Prepare")} given=${{ into: besideOf(draft, "-prepared") }} always=${{ boxes: boxesOf(boxes, leftOut, draft.nested) }} hidden=${["boxes"]} result=${result}>
    <${CroppedByHand} boxes=${boxes ?? {}} onOpen=${(name) => app.open("dataset", { picture: name })} onChange=${setBoxes} />
  </${JobScreen}>`;
}

function Caption(given) {
  const { draft, change, go } = given;
  const compares = (job) => job.config.existing === "compare";
  const look = (job) => {
    if (compares(job)) change({ ...draft, filter: { contradicted: true } });
    go("pictures");
  };
  const result = (job) => html`<div class="atelier-row"><button type="button" class="atelier-button" data-look="primary" onClick=${() => look(job)}><${Icon} name="picture" /> ${compares(job) ? t("Look at what the tagger contradicts") : t("Look at the captions")}</button></div>`;
  const isCompared = given.known.kinds.caption?.properties.existing.enum.includes("compare");
  const more = isCompared ? [{ label: t("Only compare with the captions"), config: { existing: "compare" } }] : [];
  const about = t("Networks look at each picture and write its caption: a tagger, BLIP, BLIP-2, Florence-2, or a server that sees. Undo takes it back.");
  return html`<${JobScreen} ...${given} kind="caption" part="caption" title=${t("Caption the pictures")} about=${about} go=${t("Write captions")} more=${more} result=${result} />`;
}

function ClassPictures({ app, known, draft, change }) {
  const common = { folder: draft.folder, nested: draft.nested, ending: draft.ending, trigger: draft.trigger };
  const given = { into: besideOf(draft, "-class") };
  const run = async (value) => {
    const told = await app.api.post("dataset/class-pictures", { ...value, ...common });
    app.open("runs", { run: told.run });
    return t("The pictures are being made, and come into {into}.", { into: shortPath(told.into).name });
  };
  const about = t("Pictures of the same things without the trigger word, drawn by the backend from these captions: by them a training keeps what it knew.");
  return html`<div class="atelier-dataset-job"><${AskedCard} schema=${known.forms.class} part="class" draft=${draft} change=${change} title=${t("Class pictures")} about=${about} go=${t("Make them")} hidden=${["folder", "nested", "ending", "trigger"]} given=${given} run=${run} /></div>`;
}

function Exchange({ app, known, draft, change }) {
  const common = { folder: draft.folder, nested: draft.nested, ending: draft.ending };
  const warn = ({ refused }) => refused.slice(0, 3).forEach(([name, why]) => app.toast(`${name}: ${why}`, { kind: "error" }));
  const write = async (value) => {
    const told = await app.api.post("dataset/export", { ...common, filter: draft.filter, export: value });
    warn(told);
    return t("{count} captions are in {into}.", { count: told.written, into: told.into });
  };
  const take = async (value) => {
    const told = await app.api.post("dataset/read", { ...common, file: value.read ?? "" });
    warn(told);
    app.open("dataset");
    return tn("{count} caption was read.", "{count} captions were read.", told.done);
  };
  const { read: file } = known.forms.folder.properties;
  const fromFile = { ...known.forms.folder, properties: { read: { ...file, "x-advanced": false } }, required: ["read"] };
  return html`<div class="atelier-dataset-job">
    <${AskedCard} schema=${known.forms.export} part="export" draft=${draft} change=${change} title=${t("For other programs")} about=${t("Captions as kohya's folders, a metadata.jsonl, or files beside the pictures, with a card that says what is in the set.")} go=${t("Write")} given=${{ into: besideOf(draft, "-export") }} run=${write} />
    <${AskedCard} schema=${fromFile} part="read" draft=${draft} change=${change} title=${t("From other programs")} about=${t("Captions that another program wrote into one file become captions of the pictures here. Undo takes it back.")} go=${t("Read")} run=${take} />
  </div>`;
}

/** A folder beside the one that is looked at. */
function besideOf({ folder }, ending) {
  return `${folder.replace(/[/\\]$/, "")}${ending}`;
}

/** What is prepared for a folder that is opened: as it was left when another was, beside what is of no folder. */
function draftOf(folder, now) {
  const left = { ...now.left, ...(now.folder && now.prepare ? { [now.folder]: now.prepare } : {}) };
  const { [folder]: prepare, ...others } = left;
  const kept = Object.fromEntries(Object.entries(others).slice(-MOST_LEFT));
  return { ...START, sort: now.sort, view: now.view, isEditing: now.isEditing, edits: now.edits, caption: now.caption, left: kept, ...(prepare ? { prepare } : {}), folder };
}

/** The training that is being prepared gets this folder with what the page shows of it, and is shown. */
async function train(app, { folder, nested, ending, trigger }) {
  try {
    const [{ draft }, { balance }] = await Promise.all([app.api.get("training"), app.api.post("dataset/pictures", { folder, nested, ending, size: 1 })]);
    const subfolders = nested && !areRepeated(balance); // the trainer takes folders such as 10_dog by themselves, each with its repeats
    const concept = { ...getAt(draft.training ?? {}, CONCEPT), folder, subfolders, ...(trigger ? { trigger } : {}) };
    await app.api.put("training/draft", { preset: "", ...draft, training: setAt(draft.training ?? {}, CONCEPT, concept) });
    app.open("train");
  } catch (problem) {
    app.toast(problem.message, { kind: "error" });
  }
}

/** What there is to choose from, and what is prepared. */
async function asked(api) {
  const [told, kinds, classes] = await Promise.all([api.get("dataset"), api.get("jobs/kinds"), api.get("dataset/class-pictures")]);
  return { known: { forms: { ...told.forms, class: classes.schema }, recent: told.recent, kinds }, draft: { ...START, ...told.draft } };
}
