// Which keys work wherever the focus is? Those that run, stop and pause, as in the WebUI; and a page's own, while nothing has the focus.

import { useEffect, useRef } from "./vendor/htm-preact.mjs";

/** Ctrl+Enter begins, Escape cancels, Alt+Enter skips; an open dialog keeps its Escape. */
export function listenToKeys(root) {
  document.addEventListener("keydown", (event) => {
    const button = (word) => root.querySelector(`#atelier_${word}`);
    const isRunning = button("interrupt")?.style.display === "block";
    if (event.defaultPrevented || root.querySelector("dialog[open]")) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) button("generate")?.click();
    else if (event.key === "Enter" && event.altKey) button("skip")?.click();
    else if (event.key === "Escape" && isRunning) button("interrupt").click();
    else return;
    event.preventDefault();
  });
}

/** A page's keys work as well where nothing has the focus, such as after a click beside its pictures. */
export function useKeysOfPage(onKeyDown) {
  const latest = useRef(onKeyDown);
  latest.current = onKeyDown;
  useEffect(() => {
    const take = (event) => event.target === document.body && latest.current(event);
    document.addEventListener("keydown", take);
    return () => document.removeEventListener("keydown", take);
  }, []);
}
