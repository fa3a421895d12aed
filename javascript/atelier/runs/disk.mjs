// What do the runs take on the disk, and what of it does nobody need? Said first, deleted when it is asked for.

import { useApp } from "../app.mjs";
import { Dialog } from "../dialog.mjs";
import { Icon } from "../icons.mjs";
import { html, useEffect, useState } from "../vendor/htm-preact.mjs";
import { bytes, t, tn } from "../words.mjs";

const DAYS = [["", "Keep all runs"], ["90", "Older than 90 days"], ["30", "Older than 30 days"], ["7", "Older than 7 days"], ["1", "Older than a day"]];

/** `changed`: a value that is another whenever runs have gone or come. onCleaned(): runs may be gone. */
export function Disk({ changed, onCleaned }) {
  const { api } = useApp();
  const [used, setUsed] = useState(null);
  const [isOpen, setOpen] = useState(false);
  const look = () => void api.get("disk").then(setUsed, () => {});
  useEffect(look, [changed]);
  return html`<div class="atelier-disk">
    <span class="atelier-muted">${used ? t("{used} used, {free} free", { used: bytes(used.pictures + used.ledger + used.thumbnails), free: bytes(used.free) }) : ""}</span>
    <button type="button" class="atelier-button" data-look="quiet" disabled=${!used} onClick=${() => setOpen(true)}>${t("Clean up")}</button>
    ${isOpen && html`<${CleanUp} used=${used} onClose=${() => setOpen(false)} onDone=${() => (setOpen(false), look(), onCleaned())} />`}
  </div>`;
}

function CleanUp({ used, onClose, onDone }) {
  const { api, toast } = useApp();
  const [days, setDays] = useState("");
  const [found, setFound] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const body = (dry) => ({ dry_run: dry, ...(days ? { older_than: Number(days) } : {}) });
  useEffect(() => {
    let isHere = true;
    setFound(null);
    api.post("gc", body(true)).then(
      (told) => isHere && setFound(told),
      (problem) => isHere && (toast(problem.message, { kind: "error" }), onClose()),
    );
    return () => (isHere = false);
  }, [days]);
  async function remove() {
    setBusy(true);
    try {
      const told = await api.post("gc", body(false));
      toast(t("{size} freed.", { size: bytes(told.bytes) }), { kind: "done" });
      onDone();
    } catch (problem) {
      toast(problem.message, { kind: "error" });
      setBusy(false);
    }
  }
  const isNothing = found && found.runs.length === 0 && found.results === 0 && found.files === 0;
  return html`<${Dialog} title=${t("Clean up")} onClose=${onClose}>
    <dl class="atelier-figures">
      ${[["Pictures", used.pictures], ["Thumbnails", used.thumbnails], ["History", used.ledger], ["Free", used.free]].map(([word, count]) => html`<div key=${word}><dt class="atelier-muted">${t(word)}</dt><dd>${bytes(count)}</dd></div>`)}
    </dl>
    <label><span class="atelier-label">${t("Runs that go too")}</span>
      <select class="atelier-input" value=${days} onChange=${(event) => setDays(event.target.value)}>${DAYS.map(([value, word]) => html`<option key=${value} value=${value}>${t(word)}</option>`)}</select>
    </label>
    <p role="status">${!found ? t("Looking…") : isNothing ? t("There is nothing that nobody needs.") : [found.runs.length > 0 && tn("{count} run", "{count} runs", found.runs.length), tn("{count} result that no run needs", "{count} results that no run needs", found.results), tn("{count} picture", "{count} pictures", found.files)].filter(Boolean).join(", ")}</p>
    <p class="atelier-muted">${t("What is needed by a run that stays is kept, and so is what is pinned or less than an hour old. The run's own folder of files is not touched.")}</p>
    <div class="atelier-row atelier-end">
      <button type="button" class="atelier-button" onClick=${onClose}>${t("Cancel")}</button>
      <button type="button" class="atelier-button" data-look="danger" disabled=${!found || isNothing || isBusy} onClick=${remove}><${Icon} name="bin" /> ${found && !isNothing ? t("Delete, frees {size}", { size: bytes(found.bytes) }) : t("Delete")}</button>
    </div>
  </${Dialog}>`;
}
