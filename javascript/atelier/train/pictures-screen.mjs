// Which pictures is it trained on? The base model, the folder, the trigger; and what the trainer finds in the folder.

import { FolderDialog } from "../folder-dialog.mjs";
import { Form } from "../form.mjs";
import { Icon } from "../icons.mjs";
import { getAt, same, setAt } from "../paths.mjs";
import { resolve } from "../schema.mjs";
import { html, useState } from "../vendor/htm-preact.mjs";
import { t, tn } from "../words.mjs";
import { complete, notesOf } from "./config.mjs";
import { looked } from "./look.mjs";

const FIRST = ["data", "concepts", 0];
const LATER = ["kind", "weight", "captions", "augmentation", "resolution"]; // in the expert view
const FOLDERS = ["folder", "masks"];

export function PicturesScreen({ app, known, draft, change, go, look, setLook }) {
  const [choosing, setChoosing] = useState(null); // the path of a folder
  const { schema } = known;
  const { training } = draft;
  const isFresh = look.value !== null && same(look.value, training);
  const notes = notesOf(isFresh ? look.findings : []);
  const set = (path, value) => change({ ...draft, training: setAt(training, path, value) });
  const choose = ({ path, value }) =>
    FOLDERS.includes(path.at(-1)) &&
    html`<span class="atelier-row atelier-train-ways"><button type="button" class="atelier-button" onClick=${() => setChoosing(path)}><${Icon} name="folder" /> ${t("Choose a folder")}</button>
      ${path.at(-1) === "folder" && value && html`<button type="button" class="atelier-button" data-look="quiet" onClick=${() => app.open("dataset", { folder: value })}>${t("Look through its captions")}</button>`}</span>`;
  const around = { id: ["train"], notes, beside: choose };
  const butFor = (of, name) => Object.keys(resolve(schema, of).properties).filter((one) => one !== name);
  const concept = resolve(schema, resolve(schema, schema.properties.data).properties.concepts).items;

  async function lookNow() {
    setLook({ value: training, findings: [], isBusy: true });
    try {
      setLook({ value: training, ...(await looked(app.api, "check", complete(training, known))), isBusy: false });
    } catch (problem) {
      setLook({ value: training, findings: [{ event: "mistake", text: problem.message }], isBusy: false });
    }
  }
  return html`<div class="atelier-train-columns">
    <div class="atelier-stack">
      <section class="atelier-card" aria-label=${t("What is trained")}><div class="atelier-section-head"><h3>${t("What is trained")}</h3></div><div class="atelier-card-body atelier-stack">
        <${Form} root=${schema} schema=${schema} value=${training} onChange=${(next) => change({ ...draft, training: next })} around=${around} hidden=${butFor(schema, "name")} />
        <${Form} root=${schema} schema=${schema.properties.model} value=${training.model ?? {}} onChange=${(next) => set(["model"], next)} path=${["model"]} around=${around} hidden=${butFor(schema.properties.model, "checkpoint")} />
      </div></section>
      <section class="atelier-card" aria-label=${t("Pictures")}><div class="atelier-section-head"><h3>${t("Pictures")}</h3></div><div class="atelier-card-body atelier-stack">
        ${[butFor(concept, "folder"), ["folder", ...LATER]].map(
          (hidden) => html`<${Form} key=${hidden.length} root=${schema} schema=${concept} value=${getAt(training, FIRST) ?? {}} onChange=${(next) => set(FIRST, next)} path=${FIRST} around=${around} hidden=${hidden} />`,
        )}
      </div></section>
    </div>
    <section class="atelier-card" aria-label=${t("What is found")}><div class="atelier-section-head"><h3>${t("What is found")}</h3></div><div class="atelier-card-body atelier-stack">
      <div class="atelier-row">
        <button type="button" class="atelier-button" disabled=${look.isBusy} onClick=${lookNow}><${Icon} name="search" /> ${look.isBusy ? t("Looking…") : t("Look at the pictures")}</button>
        <button type="button" class="atelier-button" data-look="primary" onClick=${() => go("settings")}>${t("On to the settings")} <${Icon} name="forward" /></button>
      </div>
      <div role="status">${isFresh && !look.isBusy ? html`<${Found} look=${look} />` : html`<p class="atelier-muted">${look.isBusy ? t("The trainer looks at every picture and caption.") : t("Counts, sizes, captions and every mistake are shown here before anything is trained.")}</p>`}</div>
    </div></section>
    ${choosing && html`<${FolderDialog} path=${getAt(training, choosing) ?? ""} onChoose=${(path) => (set(choosing, path), setChoosing(null))} onClose=${() => setChoosing(null)} />`}
  </div>`;
}

function Found({ look }) {
  const counts = look.findings.find((one) => one.event === "found");
  const mistakes = look.findings.filter((one) => one.event === "mistake").map((one) => one.text);
  return html`<div class="atelier-stack">
    ${counts && html`<p><b>${tn("{count} picture", "{count} pictures", counts.pictures)}</b>${" · "}${t("{count} with a caption", { count: counts.captioned })}${counts.validation > 0 && ` · ${t("{count} kept apart", { count: counts.validation })}`}${counts.masked > 0 && ` · ${t("{count} with a mask", { count: counts.masked })}`}</p>
      <ul class="atelier-buckets" aria-label=${t("Sizes")}>${counts.buckets.map(
        ([width, height, count]) => html`<li key=${`${width} ${height}`}><span style=${`aspect-ratio: ${width} / ${height}`} aria-hidden="true"></span><b>${count}</b><span class="atelier-muted">${width} × ${height}</span></li>`,
      )}</ul>`}
    ${mistakes.length > 0 && html`<h4>${tn("{count} mistake", "{count} mistakes", mistakes.length)}</h4>`}
    ${mistakes.map((text) => html`<p class="atelier-note atelier-train-lines" data-severity="error" key=${text}><${Icon} name="alert" /> <span>${text}</span></p>`)}
    ${mistakes.length === 0 && look.problem && html`<p class="atelier-note atelier-train-lines" data-severity="error"><${Icon} name="alert" /> <span>${look.problem}</span></p>`}
    ${counts?.notes.map((text) => html`<p class="atelier-note atelier-train-lines" data-severity="warning" key=${text}><${Icon} name="alert" /> <span>${text}</span></p>`)}
  </div>`;
}
