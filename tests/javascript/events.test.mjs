// Are server-sent events read whatever the pieces they come in, and is the stream begun again where it broke off?

import assert from "node:assert/strict";
import { test } from "node:test";

import { followEvents, makeEventReader } from "../../javascript/atelier/events.mjs";

const TEXT = 'retry: 2000\n\nid: 1\nevent: state\ndata: {"state": "running"}\n\n: still here\n\nid: 2\ndata: plain\n\n';

test("events are read whatever the pieces", () => {
  for (const size of [1, 3, 7, 1000]) {
    const read = makeEventReader();
    const events = [];
    for (let at = 0; at < TEXT.length; at += size) events.push(...read(TEXT.slice(at, at + size)));
    assert.deepEqual(events, [
      { id: "1", kind: "state", data: { state: "running" } },
      { id: "2", kind: "message", data: "plain" },
    ]);
  }
});

test("a stream that breaks off is asked for again from the last event on, until it ends", async () => {
  const asked = [];
  const texts = ['id: 4\nevent: done\ndata: {}\n\n', 'id: 5\nevent: state\ndata: {"state": "done"}\n\n'];
  const seen = [];
  await new Promise((resolve) => {
    followEvents(
      async (last) => {
        asked.push(last);
        return new Blob([texts.shift()]).stream();
      },
      { onEvent: (event) => seen.push(event.id), ended: ({ data }) => data.state === "done" && (setTimeout(resolve, 20), true) },
    );
  });
  assert.deepEqual([asked, seen], [["", "4"], ["4", "5"]]);
});

test("a refusal ends it", async () => {
  const gone = await new Promise((resolve) => {
    followEvents(() => Promise.reject(Object.assign(new Error("no run"), { status: 404 })), { onEvent: () => {}, onGone: resolve });
  });
  assert.equal(gone.message, "no run");
});
