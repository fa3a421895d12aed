// Which of the pictures are looked at, and what do their captions say all in all? The filter, the tags with their counts, what is out of balance.

import { useApp } from "../app.mjs";
import { Form } from "../form.mjs";
import { Icon } from "../icons.mjs";
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { t, tn } from "../words.mjs";
import { clean, seenOf, tagsShown, unevenOf, withTagAsked } from "./captions.mjs";

const PAUSE = 200; // milliseconds that a text must stand still before its tags are asked for
const STEPS = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };

/** told: the last answer of the pictures' route;  names: of pictures that may be compared with. */
export function Side({ known, draft, change, told, names }) {
  const { filter } = draft;
  const setFilter = (next) => change((now) => ({ ...now, filter: clean(next) }));
  const tags = told.counts.tags.map(([tag]) => tag);
  const suggest = ([field]) => (["has", "lacks"].includes(field) ? tags : ["similar", "names"].includes(field) ? names : undefined);
  const about = known.forms.folder;
  return html`<div class="atelier-stack">
    <section class="atelier-card" aria-label=${t("Tags")}>
      <${TagList} tags=${told.counts.tags} different=${told.counts.different} folder=${draft} most=${told.counts.captions} filter=${filter} onAsk=${(word, tag) => setFilter(withTagAsked(filter, word, tag))} />
    </section>
    <section class="atelier-card" aria-label=${t("Filter")}>
      <div class="atelier-section-head"><h3>${t("Filter")}</h3>${Object.keys(filter).length > 0 && html`<button type="button" class="atelier-button" data-look="quiet" onClick=${() => setFilter({})}>${t("Clear")}</button>`}</div>
      <div class="atelier-card-body"><${Form} root=${known.forms.filter} schema=${known.forms.filter} value=${filter} onChange=${setFilter} around=${{ id: ["dataset", "filter"], suggest }} /></div>
    </section>
    <section class="atelier-card" aria-label=${t("Trigger word and balance")}>
      <div class="atelier-section-head"><h3>${t("Trigger word and balance")}</h3></div>
      <div class="atelier-card-body atelier-stack">
        <div><${Form} root=${about} schema=${about} value=${draft} onChange=${change} around=${{ id: ["dataset", "folder"] }} hidden=${Object.keys(about.properties).filter((name) => !["trigger", "nested"].includes(name))} /></div>
        ${told.fused.length > 0 && html`<${Fused} trigger=${draft.trigger} fused=${told.fused} onAsk=${(tag) => setFilter(withTagAsked(filter, "has", tag))} />`}
        ${told.balance.length > 1 && html`<${Balance} balance=${told.balance} />`}
      </div>
    </section>
  </div>`;
}

/** Tags and how many captions have each: a click asks for those that have it, Alt and a click, or the other button, for those that lack it. */
function TagList({ tags, different, folder, most, filter, onAsk }) {
  const [text, setText] = useState("");
  const found = useRareTags(text, different > tags.length, folder);
  const [isByName, setByName] = useState(false);
  const [at, setAt] = useState(0);
  const list = useRef(null);
  const shown = tagsShown(found ?? tags, text, isByName);
  const entry = Math.min(at, shown.length - 1);
  const onKeyDown = (event) => {
    const step = STEPS[event.key];
    if (event.key === "-" && shown[entry]) onAsk("lacks", shown[entry][0]);
    else if (step) {
      const next = Math.max(0, Math.min(shown.length - 1, entry + step));
      setAt(next);
      list.current.children[next].firstElementChild.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return html`<div class="atelier-section-head"><h3>${t("Tags")} <span class="atelier-muted">${different}</span></h3>
      <button type="button" class="atelier-button" data-look="quiet" aria-pressed=${isByName} onClick=${() => setByName(!isByName)}>${t("By name")}</button></div>
    <div class="atelier-card-body atelier-dataset-cloud">
      <input type="search" class="atelier-input" placeholder=${t("Find a tag")} aria-label=${t("Find a tag")} value=${text} onInput=${(event) => setText(event.target.value)} />
      ${shown.length === 0 && html`<p class="atelier-muted">${t("No tags")}</p>`}
      <ul ref=${list} aria-label=${t("Tags")} onKeyDown=${onKeyDown}>${shown.map(([tag, count], place) => {
        const asked = filter.has?.includes(tag) ? "has" : filter.lacks?.includes(tag) ? "lacks" : undefined;
        const ask = (event, word) => (event.preventDefault(), setAt(place), onAsk(word, tag));
        return html`<li key=${tag} data-asked=${asked} style=${`--part: ${(count / Math.max(1, most)).toFixed(3)}`}>
          <button type="button" class="atelier-dataset-tag" aria-pressed=${asked === "has"} tabindex=${place === entry ? 0 : -1} title=${t("Click: has it. Alt and click, or −: lacks it.")}
            onClick=${(event) => ask(event, event.altKey ? "lacks" : "has")} onContextMenu=${(event) => ask(event, "lacks")}><span class="atelier-grow">${tag}</span><span class="atelier-muted">${count}</span></button>
          <button type="button" class="atelier-tiny" tabindex="-1" aria-pressed=${asked === "lacks"} aria-label=${t("Lacks {tag}", { tag })} title=${t("Lacks {tag}", { tag })} onClick=${(event) => ask(event, "lacks")}><${Icon} name="minus" /></button>
        </li>`;
      })}</ul>
      ${!text && different > tags.length && html`<p class="atelier-muted">${t("The {count} most frequent ones; the search finds the others.", { count: tags.length })}</p>`}
    </div>`;
}

/** The tags that hold the text, asked of the server where not all are here; null: those that are here tell it. */
function useRareTags(text, isNeeded, { folder, nested, ending }) {
  const { api } = useApp();
  const [found, setFound] = useState(null);
  useEffect(() => {
    setFound(null);
    if (!isNeeded || !text.trim()) return;
    let isCurrent = true;
    const find = () => api.post("dataset/tags", { folder, nested, ending, text }).then(({ tags }) => isCurrent && setFound(tags), () => {});
    const timer = setTimeout(find, PAUSE);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [text, isNeeded, folder, nested, ending]);
  return found;
}

function Fused({ trigger, fused, onAsk }) {
  return html`<div class="atelier-note atelier-dataset-fused" data-severity="warning"><${Icon} name="alert" />
    <div><p>${t("Said with nearly every \"{trigger}\", so learnt as part of it. Leave it unsaid, or vary it:", { trigger })}</p>
      <p class="atelier-row">${fused.map(([tag, share]) => html`<button type="button" class="atelier-link" key=${tag} onClick=${() => onAsk(tag)}>${tag} ${Math.round(share * 100)} %</button>`)}</p></div>
  </div>`;
}

/** How many pictures each subfolder has, times its repeats, and which of them outweighs the others. */
function Balance({ balance }) {
  const seen = balance.map(seenOf);
  const most = Math.max(...seen);
  const uneven = unevenOf(balance);
  const nameOf = (name) => name || t("the folder itself");
  return html`<div><h4 class="atelier-label">${tn("{count} folder", "{count} folders", balance.length)}</h4><ul class="atelier-dataset-balance">${balance.map(
    ([name, count, repeats], place) => html`<li key=${name}><span class="atelier-dataset-name" title=${name}>${nameOf(name)}</span><span aria-hidden="true"><span style=${`width: ${(100 * seen[place]) / most}%`}></span></span><span class="atelier-muted">${repeats > 1 ? `${count} × ${repeats}` : count}</span></li>`,
  )}</ul>
    ${uneven && html`<p class="atelier-note" data-severity="warning"><${Icon} name="alert" /> <span>${t("\"{many}\" is seen {times} times as often as \"{few}\". More pictures or repeats of \"{few}\" even it out.", { many: nameOf(uneven.many), few: nameOf(uneven.few), times: uneven.times })}</span></p>`}</div>`;
}
