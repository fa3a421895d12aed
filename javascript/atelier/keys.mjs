// Which keys run, stop and pause? The WebUI's own, for a page of ours that has no WebUI around it.

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
