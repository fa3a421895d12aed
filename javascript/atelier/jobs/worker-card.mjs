// Is the environment there that training and the engine run in? What it is, what it takes, and the buttons that make, update and remove it.

import { useApp } from "../app.mjs";
import { Icon } from "../icons.mjs";
import { html, useEffect, useState } from "../vendor/htm-preact.mjs";
import { bytes, t } from "../words.mjs";

const BUILDS = { "": "The usual one", cpu: "Without a GPU (small)", cu126: "CUDA 12.6", cu128: "CUDA 12.8", cu130: "CUDA 13.0", "rocm6.4": "ROCm 6.4 (AMD)", xpu: "Intel" };
const STANDING = { none: "Not made yet", "half made": "Only half made", outdated: "An update is there", ready: "Ready" };

/** `changed`: a value that is another whenever a job has begun or ended. onBegun(job): a job was put into the queue. */
export function WorkerCard({ changed, isBusy, onBegun }) {
  const { api, toast, confirm } = useApp();
  const [worker, setWorker] = useState(null);
  const [torch, setTorch] = useState(null);
  useEffect(() => void api.get("worker").then(setWorker, () => {}), [changed]);
  if (!worker) return html`<section class="atelier-card atelier-worker" aria-label=${t("Worker environment")}><div class="atelier-section-head"><h3>${t("Worker environment")}</h3></div><div class="atelier-card-body atelier-muted">${t("Looking…")}</div></section>`;
  const build = torch ?? worker.torch;
  const size = worker.builds[build] ?? worker.needed;
  const isTooLarge = size > worker.free + worker.size;

  async function begin(action, question) {
    if (!(await confirm(question.text, question))) return;
    try {
      onBegun(await api.post(`worker/${action}`, action === "remove" ? {} : { torch: build }));
    } catch (problem) {
      toast(problem.message, { kind: "error" });
    }
  }
  const takes = t("It takes at least {size} on the disk, downloads included; {free} are free.", { size: bytes(size), free: bytes(worker.free) });
  const make = () => begin("make", { title: t("Make the worker's environment?"), text: `${takes} ${t("Nothing of the WebUI's own packages is changed.")}`, yes: t("Make it") });
  const update = () => begin("update", { title: t("Make the worker's environment anew?"), text: `${takes} ${t("What is there is removed first.")}`, yes: t("Make it anew") });
  const remove = () => begin("remove", { title: t("Remove the worker's environment?"), text: t("{size} become free. Training and the engine need it again.", { size: bytes(worker.size) }), yes: t("Remove"), danger: true });
  return html`<section class="atelier-card atelier-worker" aria-label=${t("Worker environment")}>
    <div class="atelier-section-head"><h3>${t("Worker environment")}</h3><span class="atelier-badge" data-kind=${worker.state === "ready" ? undefined : "warning"}>${t(STANDING[worker.state])}</span></div>
    <div class="atelier-card-body atelier-stack">
      <p class="atelier-muted">${t("Training, captioning and the embedded engine run in a Python environment of their own, beside the WebUI's.")}</p>
      <dl class="atelier-worker-facts">
        ${worker.made && html`<div><dt class="atelier-muted">${t("Python")}</dt><dd>${worker.python}</dd></div>`}
        ${Object.entries(worker.packages).slice(0, 3).map(([name, version]) => html`<div key=${name}><dt class="atelier-muted">${name}</dt><dd>${version}</dd></div>`)}
        ${worker.size > 0 && html`<div><dt class="atelier-muted">${t("Takes")}</dt><dd>${bytes(worker.size)}</dd></div>`}
        <div><dt class="atelier-muted">${t("Free")}</dt><dd>${bytes(worker.free)}</dd></div>
        ${!worker.made && html`<div><dt class="atelier-muted">${t("Will take")}</dt><dd>${t("{size} or more", { size: bytes(size) })}</dd></div>`}
      </dl>
      ${!worker.in_use && html`<label><span class="atelier-label">${t("Build of torch")}</span>
        <select class="atelier-input" value=${build} onChange=${(event) => setTorch(event.target.value)}>
          ${Object.keys(worker.builds).map((key) => html`<option key=${key} value=${key}>${!key && worker.has_index ? t("From the index that the settings name") : t(BUILDS[key] ?? key)}</option>`)}
        </select>
      </label>`}
      ${isTooLarge && html`<p class="atelier-note" data-severity="warning"><${Icon} name="alert" /> <span>${t("There is not enough space on the disk for it.")}</span></p>`}
      ${worker.in_use
        ? html`<p class="atelier-muted">${t("Atelier itself runs in it now. To change it, end Atelier and type:")} <code class="atelier-code">python3 install.py worker --update</code></p>`
        : html`<div class="atelier-row">
            ${!worker.made && html`<button type="button" class="atelier-button" data-look="primary" disabled=${isBusy || isTooLarge} onClick=${make}><${Icon} name="download" /> ${t("Make it")}</button>`}
            ${worker.made && html`<button type="button" class="atelier-button" data-look=${worker.update_available ? "primary" : undefined} disabled=${isBusy || isTooLarge} onClick=${update}><${Icon} name="reset" /> ${worker.update_available ? t("Update") : t("Make it anew")}</button>`}
            ${worker.size > 0 && html`<button type="button" class="atelier-button" data-look="danger" disabled=${isBusy} onClick=${remove}><${Icon} name="bin" /> ${t("Remove")}</button>`}
          </div>`}
    </div>
  </section>`;
}
