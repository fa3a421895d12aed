// How is a whole folder checked, prepared or captioned? What is asked for, the job that does it, and what to do with what it made.

import { useApp } from "../app.mjs";
import { Form } from "../form.mjs";
import { Icon } from "../icons.mjs";
import { isEnded } from "../jobs/account.mjs";
import { JobView } from "../jobs/job-view.mjs";
import { html, useEffect, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

const HIDDEN = ["folder", "nested", "trigger", "ending", "journal", "report"]; // the page's own, and where its routes look

/**
 * kind: of the job;  part: where what is asked stands in the draft;  title, about, go: words;  given: what is asked where the form says nothing
 * always, hidden: what the page asks for itself, and the names of fields that the form leaves out for it;  children: shown below the form
 * more: buttons beside it, as [{label, config}];  result(job): what is shown above a job that is done
 */
export function JobScreen({ known, draft, change, kind, part, title, about, go, given = {}, always = {}, hidden = [], more = [], result = () => null, children }) {
  const app = useApp();
  const schema = known.kinds[kind];
  const [job, setJob] = useState(null);
  const load = async () => {
    const own = (await app.api.get("jobs")).filter((one) => one.kind === kind);
    const found = own.find((one) => !isEnded(one)) ?? own[0];
    setJob(found ? await app.api.get(`jobs/${found.id}`) : null);
  };
  useEffect(() => void load().catch(() => {}), [kind]);
  if (!schema) return html`<div class="atelier-empty"><p>${t("The server does not know how to do this.")}</p></div>`;
  const value = { ...given, ...draft[part] };
  const common = Object.fromEntries(["folder", "nested", "trigger", "ending"].filter((name) => name in schema.properties && draft[name] !== undefined && draft[name] !== "").map((name) => [name, draft[name]]));
  const start = async (asked) => {
    try {
      setJob(await app.api.post("jobs", { kind, config: { ...value, ...common, ...always, ...asked } }));
    } catch (problem) {
      app.toast(problem.message, { kind: "error" });
    }
  };
  const isOurs = job?.config?.folder === draft.folder;
  return html`<div class="atelier-dataset-job">
    <section class="atelier-card" aria-label=${title}>
      <div class="atelier-section-head"><h2>${title}</h2></div>
      <div class="atelier-card-body atelier-stack">
        <p class="atelier-muted">${about}</p>
        <div><${Form} root=${schema} schema=${schema} value=${value} onChange=${(next) => change((now) => ({ ...now, [part]: next }))} around=${{ id: ["dataset", part] }} hidden=${[...HIDDEN, ...hidden]} /></div>
        ${children}
        <div class="atelier-row"><button type="button" class="atelier-button" data-look="primary" onClick=${() => start({})}><${Icon} name="play" /> ${go}</button>
          ${more.map(({ label, config }) => html`<button type="button" class="atelier-button" key=${label} onClick=${() => start(config)}>${label}</button>`)}</div>
      </div>
    </section>
    <div class="atelier-stack">
      ${isOurs && job.state === "done" && result(job)}
      ${job ? html`<${JobView} key=${job.id} id=${job.id} onChanged=${() => load().catch(() => {})} />` : html`<div class="atelier-empty"><p>${t("The pictures are never altered. It goes on when this page is closed.")}</p></div>`}
    </div>
  </div>`;
}
