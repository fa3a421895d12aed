// How does the tab begin inside a WebUI? This file is linked into its page; the rest comes from our own route, all of one version.

const TITLE = "Atelier";
const GALLERIES = ["txt2img", "img2img", "extras"];
let loading = null;

/** The WebUI calls these two for the tab by name. */
window.switch_to_atelier = (...given) => {
  const named = document.getElementById("tab_atelier-button");
  const byText = [...document.querySelectorAll("#tabs > .tab-nav > button, #tabs button[role=tab]")].find((one) => one.textContent.trim() === TITLE);
  (named ?? byText)?.click();
  return given;
};
window.recalculate_prompts_atelier = (...given) => given;
window.recalculate_prompts_inpaint ??= (...given) => window.recalculate_prompts_img2img?.(...given) ?? given; // it calls this, too, and has none

whenThere(() => document.getElementById("atelier_root"), begin);
for (const tab of GALLERIES) whenThere(() => document.getElementById(`image_buttons_${tab}`)?.querySelector("button"), (button) => addSending(tab, button));

/** Where the browser would ask for a password, it waits until the tab is looked at. */
function begin(root) {
  root.closest(".prose")?.classList.remove("prose"); // gradio's rules for texts would reach into the interface
  if (root.dataset.when !== "shown") return void load().catch(() => {});
  const seen = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && (seen.disconnect(), load().catch(() => {})));
  seen.observe(root);
}

/** The app object and what passes pictures to and from this page: {app, exchange}. Asked once; again where it failed. */
function load() {
  loading ??= loadNow().catch((problem) => {
    loading = null;
    throw problem;
  });
  return loading;
}

async function loadNow() {
  const root = document.getElementById("atelier_root");
  for (const base of bases()) {
    const address = new URL(root.dataset.modules, base).href;
    try {
      const { start } = await import(address);
      const app = await start(root);
      const exchange = await import(new URL("host/exchange.mjs", address).href);
      exchange.attach(app);
      return { app, exchange };
    } catch (problem) {
      await tell(root, base, problem);
    }
  }
  throw new Error("Atelier could not be loaded.");
}

/** Where the page's own addresses begin: as the browser has it, and as the WebUI was told by --subpath. */
function bases() {
  const root = window.gradio_config?.root;
  const told = root ? new URL(`${root.replace(/\/$/, "")}/`, document.baseURI).href : "";
  return [...new Set([new URL("./", document.baseURI).href, told])].filter(Boolean);
}

/** In place of the interface: why it is not there, in the server's words. */
async function tell(root, base, problem) {
  const t = (english) => window.localization?.[english] || english;
  const answer = await fetch(new URL("atelier/v1/host", base)).catch(() => null);
  const told = await answer?.json().catch(() => null);
  const words = document.createElement("p");
  words.setAttribute("role", "alert");
  words.textContent = answer?.ok ? t("Atelier has changed on the server. Load the page anew.") : (told?.detail ?? t("The server does not answer."));
  const again = document.createElement("button");
  again.type = "button";
  again.className = "atelier-button";
  again.textContent = answer?.ok ? t("Load the page anew") : t("Try again");
  again.addEventListener("click", () => (answer?.ok ? window.location.reload() : load().catch(() => {})));
  root.replaceChildren(words, again);
  console.error("Atelier", problem);
}

/** "Send to Atelier" beside the gallery's own buttons, and like them. */
function addSending(tab, like) {
  const id = `${tab}_send_to_atelier`;
  if (document.getElementById(id)) return;
  const t = (english) => window.localization?.[english] || english;
  const button = like.cloneNode(false);
  button.removeAttribute("style");
  Object.assign(button, { id, type: "button", title: t("Send to Atelier: the picture with its settings"), textContent: "A" });
  button.setAttribute("aria-label", t("Send to Atelier"));
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const { app, exchange } = await load();
      await exchange.receive(app, tab);
    } catch (problem) {
      window.switch_to_atelier(); // the tab says why it is not there
      console.error("Atelier", problem);
    } finally {
      button.disabled = false;
    }
  });
  like.parentElement.append(button);
}

function whenThere(find, then) {
  const look = () => {
    const found = find();
    if (!found) return false;
    then(found);
    return true;
  };
  if (look()) return;
  const observer = new MutationObserver(() => look() && observer.disconnect());
  observer.observe(document.documentElement, { childList: true, subtree: true });
}
