// What do the merges that are tried look like? How far their drawing is, and the sheet as soon as it is there.

import { useApp } from "../app.mjs";
import { Icon } from "../icons.mjs";
import { html, useEffect, useState } from "../vendor/htm-preact.mjs";
import { t } from "../words.mjs";

const LOOK = 1500; // milliseconds between two looks at a run at work
const ENDED = ["done", "failed", "cancelled"];

/** `id`: of the run that draws them. */
export function TriedSheet({ id }) {
  const { api } = useApp();
  const [run, setRun] = useState(null);
  const [sheets, setSheets] = useState([]);
  useEffect(() => {
    let timer = null;
    let isHere = true;
    const look = async () => {
      const told = await api.get(`runs/${id}`, { brief: 1 });
      const pictures = told.state === "done" ? await api.get(`runs/${id}/pictures`, { stage: "sheet" }) : [];
      if (!isHere) return;
      setRun(told);
      setSheets(pictures);
      if (!ENDED.includes(told.state)) timer = setTimeout(() => look().catch(() => {}), LOOK);
    };
    look().catch(() => isHere && setRun(null)); // a run that was deleted shows nothing
    return () => {
      isHere = false;
      clearTimeout(timer);
    };
  }, [id]);
  if (!run) return null;
  const drawn = run.stages.find(({ stage }) => stage === "drawn");
  if (run.state === "failed") return html`<p class="atelier-note" data-severity="error" role="alert"><${Icon} name="alert" /> <span>${run.message}</span></p>`;
  if (!ENDED.includes(run.state)) return html`<p class="atelier-muted" role="status">${t("{done} of {total}", drawn)}</p>`;
  return sheets.map((picture) => html`<a key=${picture.id} href=${api.picture(picture.id)} target="_blank" rel="noreferrer"><img class="atelier-merge-sheet" src=${api.thumbnail(picture.id, 1024)} alt=${t("Sheet of what was tried")} /></a>`);
}
