// How does a picture go from here into another tab of the WebUI? By choosing where; with its infotext, and into inpaint with its mask.

import { useApp } from "../app.mjs";
import { maskFits } from "../host/taking.mjs";
import { html, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";
import { runWatchOf } from "./run-watch.mjs";

const MASKS_AT_MOST = 200; // of a stage that are looked through

/** Nothing outside a WebUI. */
export function SendTo({ picture }) {
  const app = useApp();
  const [isBusy, setBusy] = useState(false);
  const targets = app.exchange?.targets ?? [];
  if (targets.length === 0) return null;

  async function send(target) {
    setBusy(true);
    try {
      await app.exchange.sendTo(target, picture.id, target === "inpaint" ? await maskFor(app, picture) : "");
    } catch (problem) {
      app.toast(problem.message, { kind: "error" });
    } finally {
      setBusy(false);
    }
  }
  return html`<select
    class="atelier-input atelier-send-to" aria-label=${t("Send to")} title=${t("Send the picture and its settings to another tab")} disabled=${isBusy} value=""
    onChange=${(event) => (send(event.target.value), (event.target.value = ""))}
  >
    <option value="">${isBusy ? t("Sending…") : t("Send to")}</option>
    ${targets.map((target) => html`<option key=${target} value=${target}>${target}</option>`)}
  </select>`;
}

/** The newest mask of the picture's own item that has its shape, or ''. */
async function maskFor(app, picture) {
  const run = runWatchOf(app).run.get();
  for (const stage of (run?.stages ?? []).filter((one) => one.type === "mask" && one.done > 0).reverse()) {
    const list = await app.api.get(`runs/${run.id}/pictures`, { stage: stage.stage, limit: MASKS_AT_MOST });
    const fits = (one) => one.item === picture.item && maskFits(one, picture);
    const found = (Array.isArray(list) ? list : list.pictures).find(fits);
    if (found) return found.id;
  }
  return "";
}
