// Which pictures go on? The candidates with their scores: looked at, compared, chosen by mouse or keys alone.

import { useApp } from "../app.mjs";
import { Icon } from "../icons.mjs";
import { useKeysOfPage } from "../keys.mjs";
import { Compare } from "../refine/compare.mjs";
import { html, useLayoutEffect, useRef, useState } from "../vendor/htm-preact.mjs";
import { t, tn } from "../words.mjs";
import { bestOf, decided, isComplete, newChoice, rejected, stepped, toggled } from "./choice.mjs";
import { compareHint, TwoUp } from "./two-up.mjs";

/** run: its short form; review: one of its `reviews`, which is this element's `key`, too, so that nothing is kept from one to the next. onDone(run) is told when it was decided; `about` says what it is a choice of. */
export function Review({ run, review, onDone, about = "" }) {
  const app = useApp();
  const { pictures, keep } = review;
  const [choice, setChoice] = useState(newChoice);
  const [compared, setCompared] = useState(null); // {other, isSlider} while two are compared
  const [isBusy, setBusy] = useState(false);
  const grid = useRef(null);
  const pair = useRef(null);
  const focusAt = useRef(true); // what is there first, too
  useLayoutEffect(() => {
    if (!focusAt.current) return;
    focusAt.current = false;
    (compared ? pair.current : grid.current?.children[choice.at]?.firstElementChild)?.focus();
  });

  const decision = decided(choice, pictures.length, keep);
  const isReady = isComplete(decision);
  async function decide() {
    if (isBusy) return;
    if (!isReady) return void app.toast(tn("Choose {count} picture.", "Choose {count} pictures.", decision.wanted || 1));
    setBusy(true);
    try {
      onDone(await app.api.post(`runs/${run.id}/choose?brief=1`, { stage: review.stage, item: review.items[0], pictures: decision.numbers }));
    } catch (problem) {
      app.toast(problem.message, { kind: "error" });
    } finally {
      setBusy(false);
    }
  }

  const pick = (number) => setChoice((now) => toggled(now, number, keep));
  const reject = (number) => setChoice((now) => rejected(now, number));
  const go = (place) => ((focusAt.current = true), setChoice((now) => ({ ...now, at: place })));
  const compare = () => {
    focusAt.current = true;
    setCompared(compared || pictures.length < 2 ? null : { other: otherThan(choice, pictures.length), isSlider: false });
  };

  function onKeyDown(event) {
    if (event.defaultPrevented) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
    const number = /^[1-9]$/.test(event.key) ? Number(event.key) : 0;
    const isButton = event.target.matches("button:not(.atelier-candidate-face)");
    if (number) number <= pictures.length && pick(number);
    else if (compared && event.key === "Escape") compare();
    else if (compared && /^Arrow(Left|Right)$/.test(event.key)) setCompared({ ...compared, other: next(compared.other, event.key === "ArrowRight" ? 1 : -1, pictures.length, choice.at) });
    else if (/^(Arrow|Home$|End$)/.test(event.key)) go(stepped(choice.at, event.key, pictures.length, compared ? 1 : columnsOf(grid.current)));
    else if (event.key === " " && !isButton) pick(choice.at + 1);
    else if (event.key === "Enter" && !isButton) decide();
    else if (event.key.toLowerCase() === "x") reject(choice.at + 1);
    else if (event.key.toLowerCase() === "c") compare();
    else if (compared && event.key.toLowerCase() === "s") setCompared({ ...compared, isSlider: !compared.isSlider });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  useKeysOfPage(onKeyDown);
  const best = bestOf(pictures);
  const card = (picture) => ({ picture, isPicked: choice.picks.includes(picture.number), isRejected: choice.rejects.includes(picture.number), isBest: best.includes(picture.number) });
  return html`<section class="atelier-review" aria-label=${t("Choice in {stage}", { stage: review.stage })} onKeyDown=${onKeyDown}>
    <header class="atelier-review-head">
      <div>
        <h2>${about || review.stage}</h2>
        <p class="atelier-muted">${wanted(keep, pictures.length)} <span class="atelier-review-keys">${t("1-9 or space chooses, X turns down, C compares, Enter goes on.")}</span></p>
      </div>
      <span class="atelier-row">
        <button type="button" class="atelier-button" aria-pressed=${Boolean(compared)} disabled=${pictures.length < 2} onClick=${compare}><${Icon} name="two" /> ${t("Compare")}</button>
        <button type="button" class="atelier-button" data-look="primary" disabled=${isBusy || !isReady} onClick=${decide}><${Icon} name="check" /> ${goOn(choice, decision, isReady)}</button>
      </span>
    </header>
    ${compared
      ? html`<${Pair} left=${card(pictures[choice.at])} right=${card(pictures[compared.other])} isSlider=${compared.isSlider} onSlider=${() => setCompared({ ...compared, isSlider: !compared.isSlider })} pick=${pick} box=${pair} />`
      : html`<div class="atelier-candidates" role="group" aria-label=${t("Candidates")} ref=${grid} data-few=${pictures.length <= 4 || undefined}>
          ${pictures.map((picture, place) => html`<${Candidate} key=${picture.number} ...${card(picture)} isEntry=${place === choice.at} onPick=${() => (go(place), pick(picture.number))} onReject=${() => (go(place), reject(picture.number))} onFocus=${() => choice.at !== place && setChoice((now) => ({ ...now, at: place }))} />`)}
        </div>`}
  </section>`;
}

function Candidate({ picture, isPicked, isRejected, isBest, isEntry, onPick, onReject, onFocus }) {
  const { api } = useApp();
  return html`<div class="atelier-candidate" data-picked=${isPicked || undefined} data-rejected=${isRejected || undefined}>
    <button type="button" class="atelier-candidate-face" aria-pressed=${isPicked} tabindex=${isEntry ? 0 : -1} onClick=${onPick} onFocus=${onFocus}>
      <img src=${api.thumbnail(picture.hash, 512)} alt=${t("Picture {number}", picture)} decoding="async" draggable=${false} />
      <span class="atelier-candidate-number" aria-hidden="true">${isPicked ? html`<${Icon} name="check" />` : picture.number}</span>
      <span class="atelier-hidden">${[isBest && t("best score"), isRejected && t("turned down")].filter(Boolean).join(", ")}</span>
      <${Scores} picture=${picture} isBest=${isBest} />
    </button>
    <button type="button" class="atelier-tiny atelier-candidate-reject" tabindex="-1" aria-pressed=${isRejected} title=${t("Turn down (X)")} aria-label=${t("Turn down picture {number}", picture)} onClick=${onReject}><${Icon} name="close" /></button>
  </div>`;
}

/** The overall score large, what it is made of small. */
function Scores({ picture, isBest }) {
  const scores = scoresOf(picture);
  if (scores.length === 0) return html`<span class="atelier-scores"><span class="atelier-muted">${picture.seed !== null && picture.seed !== undefined ? t("seed {seed}", picture) : ""}</span></span>`;
  const overall = picture.facts.overall;
  return html`<span class="atelier-scores">
    ${typeof overall === "number" && html`<b data-best=${isBest || undefined}>${overall.toFixed(2)}</b>`}
    <span class="atelier-muted">${scores.map(([name, value]) => html`<span key=${name}>${t(name)} ${value}</span>`)}</span>
  </span>`;
}

/** Two of them; the focused one is left. */
function Pair({ left, right, isSlider, onSlider, pick, box }) {
  const side = ({ picture, isPicked, isBest }) => html`<span class="atelier-pair-side">
    <button type="button" class="atelier-button" aria-pressed=${isPicked} onClick=${() => pick(picture.number)}>${isPicked && html`<${Icon} name="check" />`} ${t("Picture {number}", picture)}</button><${Scores} picture=${picture} isBest=${isBest} />
  </span>`;
  const labels = [left, right].map(({ picture }) => t("Picture {number}", picture));
  return html`<div class="atelier-pair" ref=${box} tabindex="-1">
    <div class="atelier-row"><span class="atelier-muted">${isSlider ? t("Move the edge.") : compareHint()} <span class="atelier-review-keys">${t("Left and right take the next picture.")}</span></span><span class="atelier-grow"></span><button type="button" class="atelier-button" data-look="quiet" aria-pressed=${isSlider} onClick=${onSlider}><${Icon} name="compare" /> ${t("One over the other")}</button></div>
    ${isSlider
      ? html`<div class="atelier-pair-slider"><${Compare} key=${left.picture.hash + right.picture.hash} a=${left.picture.hash} b=${right.picture.hash} labels=${labels} /></div><div class="atelier-pair-sides">${side(left)}${side(right)}</div>`
      : html`<${TwoUp} a=${left.picture.hash} b=${right.picture.hash} labels=${labels}>${[side(left), side(right)]}</${TwoUp}>`}
  </div>`;
}

function scoresOf(picture) {
  return Object.entries(picture.facts?.scores ?? {}).map(([name, value]) => [name, typeof value === "number" ? value.toFixed(2) : String(value)]);
}

function wanted(keep, count) {
  if (keep === 0) return t("One or more of {count}.", { count });
  return tn("One of {all}.", "{count} of {all}.", Math.min(keep, count), { all: count });
}

function goOn(choice, { numbers, wanted: count }, isReady) {
  if (!isReady && count > 0) return t("{chosen} of {count} chosen", { chosen: numbers.length, count });
  if (choice.picks.length > 0 || choice.rejects.length > 0) return tn("Go on with {count}", "Go on with {count}", numbers.length);
  return t("Go on with picture {number}", { number: numbers[0] });
}

/** With which picture the focused one is compared first: one that was picked, else the next. */
function otherThan(choice, count) {
  const picked = choice.picks.map((number) => number - 1).find((place) => place !== choice.at);
  return picked ?? (choice.at + 1) % count;
}

function next(other, way, count, at) {
  const to = (other + way + count) % count;
  return to === at ? (to + way + count) % count : to;
}

function columnsOf(grid) {
  const tops = [...(grid?.children ?? [])].map((child) => child.offsetTop);
  return Math.max(1, tops.filter((top) => top === tops[0]).length);
}
