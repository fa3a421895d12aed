// Where are the recipe's own prompts written? In the host's boxes where it has them, so that its extensions find them; else in ours.

import { useApp } from "../app.mjs";
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { schemaOf } from "./stage-edits.mjs";
import { t } from "../words.mjs";
import { LoraButton } from "./lora-drawer.mjs";

const PAUSE = 300; // milliseconds without a key until the prompt is counted
const BOXES = [
  { id: "atelier_prompt", field: "prompt", label: "Prompt" },
  { id: "atelier_neg_prompt", field: "negative_prompt", label: "Negative prompt" },
];

/** What every stage draws from that says nothing else. */
export function Prompts({ root, recipe }) {
  const { settings, stages = [] } = recipe;
  const isUsed = (field) => stages.some((stage) => stage[field] === undefined && schemaOf(root, stage)?.properties[field]);
  return html`<section class="atelier-prompts" aria-label=${t("Prompts of every stage")}>
    ${BOXES.map((box) => html`<${Prompt} key=${box.id} ...${box} value=${settings?.[box.field] ?? ""} isUsed=${isUsed(box.field)} />`)}
    <${LoraButton} />
  </section>`;
}

function Prompt({ id, field, label, value, isUsed }) {
  const { store } = useApp();
  const place = useRef(null);
  const hosted = useRef(undefined);
  if (hosted.current === undefined) hosted.current = document.getElementById(id);
  const write = (text) => store.edit(["recipe", "settings", field], text);

  useEffect(() => {
    const box = hosted.current;
    if (!box) return undefined;
    const home = box.parentElement;
    const area = box.querySelector("textarea");
    const onInput = () => area.value !== (store.state.get().recipe?.settings?.[field] ?? "") && write(area.value);
    place.current.append(box);
    area.addEventListener("input", onInput);
    return () => {
      area.removeEventListener("input", onInput);
      home.append(box);
    };
  }, []);
  useEffect(() => {
    const area = hosted.current?.querySelector("textarea");
    if (!area || area.value === value) return;
    area.value = value;
    area.dispatchEvent(new Event("input", { bubbles: true })); // the host's own state and counters follow
  }, [value]);

  if (hosted.current) return html`<div class="atelier-hosted" ref=${place}><${Length} text=${value} /></div>`;
  return html`<div id=${id} class="prompt">
    <${Length} text=${value} />
    <label>
      <span class="atelier-label">${t(label)}</span>
      <textarea class="atelier-input" rows=${field === "prompt" ? 2 : 1} value=${value} placeholder=${isUsed ? "" : t("Every stage has its own.")} onInput=${(event) => write(event.target.value)}></textarea>
    </label>
  </div>`;
}

/** How many tokens the prompt has, of how many that fit into what the text encoder reads. */
function Length({ text }) {
  const { api } = useApp();
  const [told, setTold] = useState(null);
  useEffect(() => {
    if (!text) return setTold(null);
    let isCurrent = true;
    const count = () => api.post("tokens", { text }).then((answer) => isCurrent && setTold(answer), () => isCurrent && setTold(null));
    const timer = setTimeout(count, PAUSE);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [text]);
  return told && html`<span class="atelier-tokens" title=${t("Tokens of the prompt, and how many fit")}>${told.tokens}/${told.limit}</span>`;
}
