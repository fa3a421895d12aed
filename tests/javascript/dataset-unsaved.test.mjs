// Is a typed caption kept until it is on disk, whatever comes meanwhile?

import assert from "node:assert/strict";
import { test } from "node:test";
import { saveUnsaved, setUnsaved, unsavedOf } from "../../javascript/atelier/dataset/unsaved.mjs";

const WHERE = { folder: "things", nested: true, ending: "" };

/** A route that writes what it is sent when it is let; `sent` has what came. */
function server() {
  const waiting = [];
  const sent = [];
  const post = (_, body) => {
    sent.push(body);
    return new Promise((done, failed) => waiting.push({ done: () => done({ refused: [], picture: { caption: body.text } }), failed }));
  };
  const next = async () => {
    while (waiting.length === 0) await new Promise((soon) => setImmediate(soon));
    return waiting.shift();
  };
  return { post, sent, next };
}

test("what was typed is written over what was seen, and is no longer kept", async () => {
  const api = server();
  setUnsaved("things", "a.png", { before: "old", text: "new" });
  const saved = saveUnsaved(api, WHERE, "a.png");
  (await api.next()).done();
  assert.deepEqual(await saved, { caption: "new" });
  assert.deepEqual(api.sent, [{ ...WHERE, name: "a.png", before: "old", text: "new" }]);
  assert.equal(unsavedOf("things", "a.png"), undefined);
  assert.equal(await saveUnsaved(api, WHERE, "a.png"), null, "nothing is left to be written");
});

test("what is typed while a caption is written stays, and is written over that", async () => {
  const api = server();
  setUnsaved("things", "b.png", { before: "old", text: "new" });
  const first = saveUnsaved(api, WHERE, "b.png");
  const request = await api.next();
  setUnsaved("things", "b.png", { before: "old", text: "newer" });
  const second = saveUnsaved(api, WHERE, "b.png");
  request.done();
  await first;
  assert.deepEqual(unsavedOf("things", "b.png"), { before: "new", text: "newer" });
  (await api.next()).done();
  assert.deepEqual(await second, { caption: "newer" });
  assert.deepEqual(api.sent.map(({ before, text }) => [before, text]), [["old", "new"], ["new", "newer"]]);
});

test("what could not be written stays, and may be tried again", async () => {
  const api = server();
  setUnsaved("things", "c.png", { before: "old", text: "new" });
  const lost = saveUnsaved(api, WHERE, "c.png");
  (await api.next()).failed(new Error("nobody answers"));
  await assert.rejects(lost, /nobody answers/);
  await assert.rejects(saveUnsaved({ post: async () => ({ refused: [["c.png", "it is gone"]] }) }, WHERE, "c.png"), /it is gone/);
  assert.deepEqual(unsavedOf("things", "c.png"), { before: "old", text: "new" });
  const again = saveUnsaved(api, WHERE, "c.png");
  (await api.next()).done();
  await again;
  assert.equal(unsavedOf("things", "c.png"), undefined);
});
