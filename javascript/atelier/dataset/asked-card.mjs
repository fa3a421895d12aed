// How is something asked of the folder that a route does at once? A form, a button, and what came of it.

import { useApp } from "../app.mjs";
import { Form } from "../form.mjs";
import { Icon } from "../icons.mjs";
import { html, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

/** schema: what is asked;  hidden: names that the page gives;  run(value) → Promise of a text that says what came of it. */
export function AskedCard({ schema, part, draft, change, title, about, go, hidden = [], given = {}, suggest, run }) {
  const { toast } = useApp();
  const [isBusy, setBusy] = useState(false);
  const value = { ...given, ...draft[part] };
  const start = async () => {
    setBusy(true);
    try {
      toast(await run(value), { kind: "done" });
    } catch (problem) {
      toast(problem.message, { kind: "error" });
    } finally {
      setBusy(false);
    }
  };
  return html`<section class="atelier-card" aria-label=${title}>
    <div class="atelier-section-head"><h2>${title}</h2></div>
    <div class="atelier-card-body atelier-stack">
      <p class="atelier-muted">${about}</p>
      <div><${Form} root=${schema} schema=${schema} value=${value} onChange=${(next) => change((now) => ({ ...now, [part]: next }))} around=${{ id: ["dataset", part], suggest }} hidden=${hidden} /></div>
      <div class="atelier-row"><button type="button" class="atelier-button" data-look="primary" disabled=${isBusy} onClick=${start}><${Icon} name="play" /> ${go}</button><span class="atelier-muted" role="status">${isBusy ? t("At work…") : ""}</span></div>
    </div>
  </section>`;
}
