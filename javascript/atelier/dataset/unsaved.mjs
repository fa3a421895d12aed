// Which captions were typed and are not on disk yet? They outlive the view that they are typed in, and a browser that is closed asks first.

import { useState } from "../vendor/htm-preact.mjs";

const typed = new Map(); // the folder and the picture's name → {before: the caption that was seen, text}
const going = new Map(); // the same → the writing of it that is under way

/** What was typed for a picture, as {before, text}; undefined where its caption is as it is on disk. */
export function unsavedOf(folder, name) {
  return typed.get(keyOf(folder, name));
}

/** [what was typed, set(entry or null)] of the picture that is looked at. */
export function useUnsaved(folder, name) {
  const [, drawAgain] = useState(0);
  const set = (entry) => (setUnsaved(folder, name, entry), drawAgain((count) => count + 1));
  return [unsavedOf(folder, name), set];
}

/**
 * Writes what was typed for a picture, after a writing of it that is under way; resolves with the picture as it is then, or null where nothing was typed.
 * Rejects where it could not be written: what was typed stays.
 */
export function saveUnsaved(api, where, name) {
  const key = keyOf(where.folder, name);
  const before = going.get(key) ?? Promise.resolve();
  const now = before.catch(() => {}).then(() => write(api, where, name));
  going.set(key, now);
  const end = () => going.get(key) === now && going.delete(key);
  now.then(end, end);
  return now;
}

async function write(api, where, name) {
  const sent = unsavedOf(where.folder, name);
  if (!sent) return null;
  const { refused, picture } = await api.post("dataset/caption", { ...where, name, ...sent });
  if (refused.length > 0) throw new Error(refused[0][1]);
  const latest = unsavedOf(where.folder, name);
  if (latest) setUnsaved(where.folder, name, latest.text === sent.text ? null : { ...latest, before: picture.caption });
  return picture;
}

/** Keeps what was typed; null: nothing was. */
export function setUnsaved(folder, name, entry) {
  if (entry) typed.set(keyOf(folder, name), entry);
  else typed.delete(keyOf(folder, name));
  if (typed.size > 0) globalThis.addEventListener?.("beforeunload", ask);
  else globalThis.removeEventListener?.("beforeunload", ask);
}

function ask(event) {
  event.preventDefault();
}

function keyOf(folder, name) {
  return `${folder}\n${name}`;
}
