// Is it light or dark? As the WebUI's body says, or else as the system prefers; the root's data-theme tells the style sheet.

/** Keeps data-theme of `root` as it should be. In a page of our own ?theme=light|dark or ?__theme= decides. */
export function watchTheme(root) {
  const prefers = window.matchMedia("(prefers-color-scheme: dark)");
  const query = new URLSearchParams(window.location.search);
  const asked = query.get("__theme") ?? query.get("theme");
  const look = () => {
    const isDark = root.dataset.host === "webui" ? document.body.classList.contains("dark") : asked ? asked === "dark" : prefers.matches;
    root.dataset.theme = isDark ? "dark" : "light";
  };
  look();
  prefers.addEventListener("change", look);
  new MutationObserver(look).observe(document.body, { attributes: true, attributeFilter: ["class"] });
}
