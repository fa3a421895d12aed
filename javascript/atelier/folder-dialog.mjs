// Which folder on the server's machine? Its folders, one level at a time, with how many pictures lie in each.

import { useApp } from "./app.mjs";
import { Dialog } from "./dialog.mjs";
import { Icon } from "./icons.mjs";
import { html, useEffect, useState } from "./vendor/htm-preact.mjs";
import { t, tn } from "./words.mjs";

export function FolderDialog({ path, onChoose, onClose }) {
  const { api } = useApp();
  const [shown, setShown] = useState(null);
  const [problem, setProblem] = useState("");
  const look = (where) =>
    api.get("training/folders", { path: where }).then(
      (told) => (setShown(told), setProblem("")),
      (refused) => {
        setProblem(refused.message);
        if (!shown && where) look("");
      },
    );
  useEffect(() => void look(path), []);
  return html`<${Dialog} title=${t("Choose a folder")} onClose=${onClose}>
    ${problem && html`<p class="atelier-note" data-severity="warning"><${Icon} name="alert" /> <span>${problem}</span></p>`}
    ${shown && html`<div class="atelier-row-tight">
        ${shown.parent !== null && html`<button type="button" class="atelier-icon-button" title=${t("The folder above")} aria-label=${t("The folder above")} onClick=${() => look(shown.parent)}><${Icon} name="up" /></button>`}
        <code class="atelier-code atelier-grow">${shown.path}</code>
      </div>
      <ul class="atelier-folders" aria-label=${t("Folders")}>
        ${shown.folders.map((one) => html`<li key=${one.path}><button type="button" class="atelier-folder" onClick=${() => look(one.path)}><${Icon} name="folder" /> <span class="atelier-grow">${one.name}</span>${one.pictures > 0 && html`<span class="atelier-muted">${tn("{count} picture", "{count} pictures", one.pictures)}</span>`}</button></li>`)}
      </ul>
      <div class="atelier-row atelier-end"><span class="atelier-muted atelier-grow">${tn("{count} picture", "{count} pictures", shown.pictures)}</span>
        <button type="button" class="atelier-button" data-look="primary" disabled=${!shown.path} onClick=${() => onChoose(shown.path)}>${t("Take this folder")}</button></div>`}
  </${Dialog}>`;
}
