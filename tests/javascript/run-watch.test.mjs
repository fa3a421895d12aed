// Is a run followed in short form, its pictures fetched page by page, each once?

import assert from "node:assert/strict";
import { test } from "node:test";

import { makeRunWatch } from "../../javascript/atelier/refine/run-watch.mjs";

function apiOf(count) {
  const api = { asked: [], handlers: null, closed: 0 };
  api.get = async (path, query) => {
    api.asked.push(path.split("/").length === 2 ? path : `${path}?after=${query.after}`);
    if (path === "runs/gone") throw Object.assign(new Error("gone"), { status: 404 });
    if (!path.endsWith("pictures")) return { id: path.slice(5), state: "running", stages: [] };
    return Array.from({ length: Math.min(query.limit, count.now - query.after) }, (_, place) => ({ id: "x", key: `k${query.after + place}`, number: 1 }));
  };
  api.events = (_, handlers) => {
    api.handlers = handlers;
    return { close: () => (api.closed += 1) };
  };
  return api;
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("many events are one look, and another after a pause", async () => {
  const api = apiOf({ now: 0 });
  let rest = null;
  const watch = makeRunWatch(api, { later: (call) => (rest = call) });
  await watch.watch("a");
  assert.equal(watch.run.get().id, "a");
  for (let number = 0; number < 50; number += 1) api.handlers.onEvent({ kind: "done", data: {} });
  await settle();
  assert.equal(api.asked.length, 1);
  rest();
  await settle();
  assert.equal(api.asked.length, 2);
});

test("pictures come by pages, each once, and new ones when there are some", async () => {
  const count = { now: 130 };
  const api = apiOf(count);
  const watch = makeRunWatch(api, { later: () => {} });
  await watch.watch("a");
  await watch.more("base");
  assert.deepEqual([watch.pictures("base").get().list.length, watch.pictures("base").get().done], [100, false]);
  await watch.more("base");
  assert.deepEqual([watch.pictures("base").get().list.length, watch.pictures("base").get().done], [130, true]);
  const before = watch.pictures("base").get().list;
  await watch.more("base");
  assert.equal(watch.pictures("base").get().list, before);
  count.now = 131;
  await watch.more("base");
  assert.equal(watch.pictures("base").get().list.length, 131);
});

test("another run begins anew, one that is gone is forgotten", async () => {
  const api = apiOf({ now: 3 });
  const watch = makeRunWatch(api, { later: (call) => call() });
  await watch.watch("a");
  await watch.more("base");
  await watch.watch("b");
  assert.deepEqual([watch.run.get().id, watch.pictures("base").get().list.length, api.closed], ["b", 0, 1]);
  await watch.watch("gone");
  assert.equal(watch.run.get(), null);
});

test("the end of a run ends its stream", () => {
  const api = apiOf({ now: 0 });
  makeRunWatch(api, { later: () => {} }).watch("a");
  assert.equal(api.handlers.ended({ kind: "state", data: { state: "done" } }), true);
  assert.equal(api.handlers.ended({ kind: "state", data: { state: "paused" } }), false);
});
