// How do pictures and words come from the WebUI's own tabs, and get there? By its galleries and prompt boxes, and by hidden parts of our tab.

import { t } from "../words.mjs";
import { inputFor, recipeAround, settingsOf, withPicture } from "./taking.mjs";
import { toggled } from "./networks.mjs";

const PATIENCE = 60000; // milliseconds until the WebUI has brought a picture
const LOOK = 40; // milliseconds
export const TARGETS = ["txt2img", "img2img", "inpaint", "extras"];

const byId = (id) => document.getElementById(id);
let tickets = 0;

/** Makes what is here known to the app, and the tab's prompt boxes to the WebUI's extra networks; what the WebUI has is looked at anew. */
export function attach(app) {
  app.inventory.fresh().then(() => app.store.replan());
  app.exchange = { targets: TARGETS.filter((target) => byId(`atelier_to_${target}`)), sendTo, insertInto, lookForNew };
  app.page.set((shown) => ({ ...shown })); // what is shown already can offer it, too
  app.root.addEventListener("paste", (event) => pasted(app, event), true);
  app.root.addEventListener("focusin", (event) => {
    const area = event.target.closest?.(".prompt textarea");
    if (area && window.activePromptTextarea) window.activePromptTextarea.atelier = area;
  });
}

/** Whether a text is how a WebUI writes what a picture was made with. */
export function isInfotext(text) {
  return /^Steps: \d+, /m.test(text);
}

/** An infotext that is pasted into a prompt box sets what it tells of, not the prompt to all of it. */
function pasted(app, event) {
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (!event.target.closest?.(".prompt textarea") || !isInfotext(text)) return;
  event.preventDefault();
  event.stopPropagation();
  const use = async () => {
    const told = await app.api.upload(new Blob([text], { type: "text/plain" }), "restore");
    const settings = settingsOf(told.recipe);
    app.store.change((draft) => ({ ...draft, recipe: { ...draft.recipe, settings: { ...draft.recipe.settings, ...settings } } }));
    app.toast(t("Its settings are taken. Undo leads back."), { kind: "done" });
  };
  use().catch((problem) => app.toast(problem.message, { kind: "error" }));
}

/** Takes the picture that is looked at in a gallery of the WebUI, with its settings, and shows the tab. */
export async function receive(app, tab) {
  const address = shownIn(tab);
  window.switch_to_atelier();
  app.open("refine");
  if (!address) return app.toast(t("There is no picture to send yet."), { kind: "error" });
  try {
    const file = await (await fetch(address)).blob();
    const [{ id }, told] = await Promise.all([app.api.upload(file), app.api.upload(file, "restore").catch(() => null)]);
    await isReady(app.store);
    take(app, id, settingsOf(told?.recipe));
  } catch (problem) {
    app.toast(problem.message, { kind: "error" });
  }
  return undefined;
}

function take(app, id, settings) {
  const { recipe, inputs } = app.store.state.get();
  const name = inputFor(recipe, inputs);
  if (name === null) {
    app.store.open(recipeAround(id, settings));
    return app.toast(t("The picture is the beginning of a new recipe. Undo leads back."), { kind: "done" });
  }
  app.store.change((draft) => withPicture(draft, name, id));
  const use = () => app.store.change((draft) => ({ ...draft, recipe: { ...draft.recipe, settings: { ...draft.recipe.settings, ...settings } } }));
  const action = Object.keys(settings).length ? { label: t("Use its settings, too"), run: use } : undefined;
  return app.toast(t("The picture is here: {name}", { name: recipe.inputs[name].label || name }), { kind: "done", action });
}

/** Brings a picture of ours into a tab of the WebUI, with its infotext; a mask goes with it where both fit. */
export async function sendTo(target, picture, mask = "") {
  if (target === "inpaint" && mask && byId("atelier_out_pair")) {
    await bring({ picture }, "atelier_out_bring");
    byId("atelier_out_words")?.click();
    await bring({ picture, mask }, "atelier_out_pair");
    return window.switch_to_img2img_tab(4);
  }
  await bring({ picture }, "atelier_out_bring");
  return byId(`atelier_to_${target}`).click();
}

/** Puts <lora:…> or another text into the prompt of txt2img or img2img; takes it out where it stands there already. */
export function insertInto(tab, text) {
  const area = document.querySelector(`#${tab}_prompt textarea`);
  write(area, toggled(area.value, text));
}

/** Has the WebUI's own lists show new files: "loras" on its cards, "checkpoints" where one is chosen (Forge has another button for these). */
export function lookForNew(kind) {
  const buttons = { loras: ["txt2img_lora_extra_refresh_internal", "img2img_lora_extra_refresh_internal"], checkpoints: ["refresh_sd_model_checkpoint", "forge_refresh_checkpoint"] };
  for (const id of buttons[kind]) byId(id)?.dispatchEvent(new Event("click"));
}

async function bring(request, button) {
  tickets += 1;
  const ticket = `${Date.now()}-${tickets}`;
  write(document.querySelector("#atelier_out_request textarea"), JSON.stringify({ ticket, ...request }));
  await pause();
  byId(button).click();
  const answer = document.querySelector("#atelier_out_told textarea");
  for (const begun = Date.now(); Date.now() - begun < PATIENCE; await pause()) {
    const told = parsed(answer.value);
    if (told?.ticket !== ticket) continue;
    if (told.problem) throw new Error(told.problem);
    return;
  }
  throw new Error(t("The WebUI did not take the picture."));
}

/** The picture that a gallery shows large, else its first one. */
function shownIn(tab) {
  const gallery = byId(`${tab}_gallery`);
  const large = gallery?.querySelector('img[data-testid="detailed-image"], .preview > img, .preview button > img');
  return (large ?? gallery?.querySelector(".thumbnail-item.selected img, .thumbnail-item img"))?.src ?? "";
}

function isReady(store) {
  if (store.state.get().phase === "ready") return Promise.resolve();
  return new Promise((ready) => {
    const end = store.state.listen(() => store.state.get().phase === "ready" && (end(), ready()));
  });
}

function write(area, text) {
  area.value = text;
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

const pause = () => new Promise((go) => setTimeout(go, LOOK));

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
