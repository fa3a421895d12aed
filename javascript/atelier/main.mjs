// Where does the interface begin? It is put into #atelier_root once, and told who hosts it.

import { AppContext } from "./app.mjs";
import { makeApi } from "./api.mjs";
import { makeCell } from "./cell.mjs";
import { makeInventory } from "./inventory.mjs";
import { listenToKeys } from "./keys.mjs";
import { Shell } from "./shell.mjs";
import { makeStore } from "./store.mjs";
import { loadStyles } from "./styles.mjs";
import { watchTheme } from "./theme.mjs";
import { makeSpeaker } from "./toasts.mjs";
import { html, render } from "./vendor/htm-preact.mjs";
import { setWords, t } from "./words.mjs";

const HOME = "refine";
const STYLES = ["pieces", "fields", "lists", "above"]; // what every page may use; what only some do, they bring (PAGES in shell.mjs)
const PATIENCE = 800; // milliseconds: a host that takes longer to say who it is does not hold up the tab
const started = new WeakMap();

/** Draws the interface into `root`; the answer is the app object. A root is started once, however often it is asked. */
export function start(root = document.getElementById("atelier_root")) {
  if (!root) return null;
  if (!started.has(root)) started.set(root, begin(root));
  return started.get(root);
}

async function begin(root) {
  const api = makeApi(new URL("../../", import.meta.url).href);
  const isStandalone = root.dataset.host !== "webui";
  watchTheme(root);
  const styled = loadStyles(STYLES).catch((problem) => console.error("Atelier", problem)); // better plain than not at all
  const unknown = { kind: isStandalone ? "standalone" : "a1111", features: {}, backends: [], limits: {} };
  const told = tellHost(api, isStandalone);
  const host = await Promise.race([told.catch(() => unknown), new Promise((late) => setTimeout(late, PATIENCE, unknown))]);
  const speaker = makeSpeaker();
  const store = makeStore(api, {
    say: () => speaker.toast(t("The recipe was edited on another page. Undo brings back what you had here.")),
  });
  const page = makeCell(firstPage(isStandalone));
  const app = {
    api, store, t, host, page, root, isStandalone,
    inventory: makeInventory(api),
    speaker,
    toast: speaker.toast,
    confirm: speaker.confirm,
    open(name, params = {}) {
      page.set({ name, params });
      remember(isStandalone, name, params);
    },
  };
  if (isStandalone) {
    window.addEventListener("hashchange", () => page.set(firstPage(true)));
    listenToKeys(root);
  }
  await styled;
  root.replaceChildren();
  render(html`<${AppContext.Provider} value=${app}><${Shell} app=${app} /></${AppContext.Provider}>`, root);
  store.load();
  told.then((late) => late === app.host || ((app.host = late), page.set((shown) => ({ ...shown }))), () => {});
  window.addEventListener("pagehide", () => store.flush());
  return app;
}

/** Who hosts the tab. Its words are there before the first of them is shown, where the WebUI does not bring them. */
async function tellHost(api, isStandalone) {
  const host = await api.get("host");
  if (isStandalone) {
    const language = host.language || navigator.language;
    document.documentElement.lang = language;
    if (!language.startsWith("en")) setWords(await api.get("words", { language }).catch(() => ({})));
  }
  return host;
}

function firstPage(isStandalone) {
  const text = isStandalone ? window.location.hash.slice(1) : (sessionStorage.getItem("atelier_page") ?? "");
  const [name, query = ""] = text.split("?");
  return { name: /^[a-z]+$/.test(name) ? name : HOME, params: Object.fromEntries(new URLSearchParams(query)) };
}

function remember(isStandalone, name, params) {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => typeof value === "string")).toString();
  const text = query ? `${name}?${query}` : name;
  if (isStandalone) history.replaceState(null, "", `#${text}`);
  else sessionStorage.setItem("atelier_page", text);
}

if (typeof document !== "undefined") start();
