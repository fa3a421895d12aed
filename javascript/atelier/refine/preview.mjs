// What is being drawn at this moment? Asked for once a second, as long as somebody looks.

import { html, useEffect, useState } from "../vendor/htm-preact.mjs";

const RHYTHM = 1000; // milliseconds

/** The URL of the live preview of a running run, or ''. */
export function usePreview(api, run, isWanted) {
  const [shown, setShown] = useState("");
  const isRunning = run?.state === "running" && isWanted;
  useEffect(() => {
    if (!isRunning) return undefined;
    let isHere = true;
    let last = "";
    let timer = null;
    const show = (next) => {
      if (last) URL.revokeObjectURL(last);
      last = next;
      setShown(next);
    };
    const look = async () => {
      if (document.visibilityState === "visible") {
        const blob = await api.blob(`runs/${run.id}/preview`).catch(() => null);
        if (!isHere) return;
        show(blob?.size ? URL.createObjectURL(blob) : "");
      }
      timer = setTimeout(look, RHYTHM);
    };
    look();
    return () => {
      isHere = false;
      clearTimeout(timer);
      show("");
    };
  }, [run?.id, isRunning]);
  return isRunning ? shown : "";
}

/** A preview as an element, for other pages. */
export function Preview({ api, run }) {
  const shown = usePreview(api, run, true);
  return shown ? html`<img src=${shown} alt="" />` : null;
}
