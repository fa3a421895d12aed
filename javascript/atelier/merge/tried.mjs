// What was tried last, while other pages are looked at, and which picture shows a merge that was tried before it was saved?

import { isSameMerge } from "./config.mjs";

let kept = { made: [], run: "", prompt: "" }; // made: [{label, config, name, asked}]; asked: what its job was told, with all defaults

/** {made, run, prompt} */
export function triedLast() {
  return kept;
}

/** Keeps what differs; all of it is the answer. */
export function keepTried(next) {
  return (kept = { ...kept, ...next });
}

/** The prompt of the last sheet. */
export function promptOfTry() {
  return kept.prompt;
}

/** The id of the picture that was drawn with a merge that was asked for as this one is; "" where there is none. */
export async function drawnAlready(api, config) {
  const place = kept.made.findIndex(({ asked }) => isSameMerge(asked, config));
  if (place < 0 || !kept.run) return "";
  const pictures = await api.get(`runs/${kept.run}/pictures`, { stage: "drawn" });
  return pictures.find(({ item }) => item === place + 1)?.id ?? "";
}
