// How is a plan said in one line, and where do its findings belong? "2 cached, 3 will run: denoising_strength 0.40 → 0.35".

import { pathOf, pathText } from "../paths.mjs";
import { duration, t, tn } from "../words.mjs";

const MOST_REASONS = 2;

/** {text, reasons, time} of a plan as POST /plan answers. */
export function planLine(plan) {
  const sum = (name) => plan.stages.reduce((all, stage) => all + countOf(stage[name]), 0);
  const [cached, willRun, waiting] = [sum("cached"), sum("will_run"), sum("waiting")];
  const reasons = reasonsOf(plan);
  const parts = [];
  if (willRun === 0 && cached > 0 && waiting === 0) parts.push(tn("All is there: {count} cached", "All is there: {count} cached", cached));
  else if (willRun === 0 && cached === 0 && waiting === 0) parts.push(t("Nothing to run"));
  else {
    if (cached > 0) parts.push(t("{count} cached", { count: cached }));
    if (willRun > 0 || waiting === 0) parts.push(tn("{count} will run", "{count} will run", willRun));
    if (waiting > 0) parts.push(tn("{count} waits for a choice", "{count} wait for a choice", waiting));
  }
  return {
    text: parts.join(", "),
    reasons: willRun > 0 ? shortened(reasons) : "",
    allReasons: reasons,
    time: willRun > 0 && plan.seconds_left ? t("about {time}", { time: duration(plan.seconds_left) }) : "",
    willRun,
  };
}

/** What one stage's badge says. */
export function stageBadge(stage) {
  if (!stage) return { text: "", kind: "" };
  const [cached, willRun, waiting, leftOut] = ["cached", "will_run", "waiting", "left_out"].map((name) => countOf(stage[name]));
  if (willRun > 0) return { text: cached > 0 ? t("{willRun} of {all} to run", { willRun, all: willRun + cached }) : t("{count} to run", { count: willRun }), kind: "run" };
  if (waiting > 0) return { text: t("waits"), kind: "wait" };
  if (cached > 0) return { text: t("cached"), kind: "cached" };
  return leftOut > 0 ? { text: t("left out"), kind: "off" } : { text: "", kind: "" };
}

/** What is to be said of a recipe, by stage ('' is the recipe) and path: {stage: {path: [{severity, message}]}}. */
export function notesOf(plan, refusal) {
  const notes = {};
  const add = (stage, field, severity, message) => {
    const path = pathText(pathOf(field));
    ((notes[stage ?? ""] ??= {})[path] ??= []).push({ severity, message });
  };
  for (const finding of plan?.findings ?? []) add(finding.stage, finding.field, finding.severity, finding.message);
  if (refusal) add(refusal.stage, refusal.field, "error", refusal.detail);
  return notes;
}

/** How many errors and warnings there are. */
export function countNotes(notes) {
  const all = Object.values(notes).flatMap((byPath) => Object.values(byPath)).flat();
  return { errors: all.filter((note) => note.severity === "error").length, warnings: all.filter((note) => note.severity !== "error").length };
}

function reasonsOf(plan) {
  return [...new Set(plan.stages.flatMap((stage) => stage.why ?? []))];
}

/** Changes of settings say more than that something before runs anew; that a stage never ran says nothing. */
function shortened(all) {
  const reasons = all.filter((reason) => reason !== "new");
  const changes = reasons.filter((reason) => reason.includes("→"));
  const told = (changes.length ? changes : reasons).slice(0, MOST_REASONS);
  const more = (changes.length ? changes : reasons).length - told.length;
  return told.join(", ") + (more > 0 ? ` ${t("and {more} more", { more })}` : "");
}

/** Counts come as numbers, or as lists of what is counted. */
function countOf(value) {
  return Array.isArray(value) ? value.length : Number(value ?? 0);
}
