// What would the server choose by itself? Any of its ways of making masks, shown over the picture and then joined with what is drawn.

import { useApp } from "../app.mjs";
import { Field } from "../form.mjs";
import { Icon } from "../icons.mjs";
import { resolve, strip } from "../schema.mjs";
import { html, useEffect, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { loadMask } from "./loading.mjs";
import { picturesOf } from "./pictures.mjs";

const WAYS = [["replace", "Take it"], ["add", "Add"], ["subtract", "Take away"], ["intersect", "Where both are"]];

/** The schema of masks that are described, not named: of the first field of any stage that wants one. Null where there is none. */
export function maskSchema(root) {
  const items = resolve(root, root.properties?.stages?.items ?? {});
  for (const member of items.oneOf ?? items.anyOf ?? []) {
    for (const property of Object.values(resolve(root, member).properties ?? {})) {
      const { schema } = strip(root, property);
      if (schema["x-source"] === "mask" && schema.anyOf) return { title: "Way", anyOf: schema.anyOf.filter((form) => form.type !== "string") };
    }
  }
  return null;
}

/** picture: its id; size: its width and height. onShow(mask or null), onJoin(mask, way). */
export function AutomaticMask({ picture, size, onShow, onJoin, onClose }) {
  const app = useApp();
  const [root, setRoot] = useState(null);
  const [value, setValue] = useState(undefined);
  const [found, setFound] = useState({ mask: null, reason: "", isBusy: false });
  useEffect(() => void app.api.get("schema").then(setRoot, (problem) => app.toast(problem.message, { kind: "error" })), []);
  const schema = root && maskSchema(root);
  const others = picturesOf(app.store.state.get());
  const first = schema && value === undefined ? startOf(root, schema) : value;

  async function find() {
    setFound({ mask: null, reason: "", isBusy: true });
    onShow(null);
    try {
      const told = await app.api.post("masks/preview", { mask: first, picture, others });
      const mask = told.picture ? await loadMask(app.api, told.picture, size) : null;
      onShow(mask);
      setFound({ mask, reason: mask ? t("{part} % of the picture", { part: areaOf(told.area) }) : told.reason || t("Nothing was found."), isBusy: false });
    } catch (problem) {
      setFound({ mask: null, reason: problem.message, isBusy: false, isWrong: true });
    }
  }

  function join(way) {
    onShow(null);
    onJoin(found.mask, way);
    setFound({ mask: null, reason: "", isBusy: false });
  }

  const sources = Object.keys(others).map((name) => ({ name, label: name }));
  return html`<aside class="atelier-paint-find" aria-label=${t("Find what is meant")}>
    <header><h3>${t("Find what is meant")}</h3><button type="button" class="atelier-tiny" aria-label=${t("Close")} onClick=${onClose}><${Icon} name="close" /></button></header>
    <form class="atelier-stack" onSubmit=${(event) => (event.preventDefault(), find())}>
      ${schema && html`<${Field} root=${root} name="mask" schema=${schema} value=${first} path=${["mask"]} around=${{ id: ["find"], sources }} isRequired onChange=${(next) => (setValue(next), setFound({ mask: null, reason: "", isBusy: false }), onShow(null))} />`}
      <div class="atelier-paint-found">
        <button type="submit" class="atelier-button" data-look=${found.mask ? undefined : "primary"} disabled=${!schema || found.isBusy}>${found.isBusy ? t("Looking…") : t("Look")}</button>
        <p class=${found.isWrong ? "atelier-note" : "atelier-muted"} data-severity="error" role="status">${found.reason}</p>
        ${found.mask && html`<div class="atelier-paint-ways">${WAYS.map(([way, label]) => html`<button type="button" key=${way} class="atelier-button" data-look=${way === "replace" ? "primary" : undefined} onClick=${() => join(way)}>${t(label)}</button>`)}</div>`}
      </div>
    </form>
  </aside>`;
}

function startOf(root, schema) {
  const member = resolve(root, schema.anyOf[0]);
  const tag = Object.entries(member.properties).find(([, property]) => "const" in resolve(root, property) || resolve(root, property).enum?.length === 1);
  return tag ? { [tag[0]]: resolve(root, tag[1]).const ?? resolve(root, tag[1]).enum[0] } : {};
}

function areaOf(area) {
  const part = 100 * (area ?? 0);
  return part < 10 ? part.toFixed(1) : Math.round(part);
}
