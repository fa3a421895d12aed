// Are routes asked relative to where the modules are, and refusals told in the server's own words?

import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError, makeApi } from "../../javascript/atelier/api.mjs";

const BASE = "http://here/sub/atelier/v1/";
const answer = (status, body) => new Response(body === undefined ? null : JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });

/** Routes that give `answers` in turn, and what was asked of them. */
function apiOf(...answers) {
  const asked = [];
  const api = makeApi(BASE, async (address, options = {}) => {
    asked.push([options.method, address, options.body]);
    const next = answers.shift();
    if (next instanceof Error) throw next;
    return next;
  });
  return { api, asked };
}

test("paths are below the base, empty parameters are left out", async () => {
  const { api, asked } = apiOf(answer(200, { a: 1 }));
  assert.deepEqual(await api.get("/runs", { limit: 1, search: "", before: undefined }), { a: 1 });
  assert.deepEqual(asked, [["GET", `${BASE}runs?limit=1`, undefined]]);
  assert.equal(api.thumbnail("ab", 96), `${BASE}pictures/ab/thumbnail?size=96`);
});

test("what is sent is JSON, a file as it is", async () => {
  const { api, asked } = apiOf(answer(200, {}), answer(201, { id: "x" }));
  await api.put("draft", { revision: 3 });
  const file = new Blob(["png"], { type: "image/png" });
  assert.equal((await api.upload(file)).id, "x");
  assert.deepEqual(asked.map(([method, , body]) => [method, body]), [["PUT", '{"revision":3}'], ["POST", file]]);
});

test("a refusal says what the server said, and has all of its answer", async () => {
  const { api } = apiOf(answer(422, { error: "BadRequest", detail: "steps is 0", where: { stage: "a" } }));
  await assert.rejects(api.post("plan"), (problem) => problem instanceof ApiError && problem.message === "steps is 0" && problem.body.where.stage === "a" && problem.kind === "BadRequest");
});

test("an answer that is no JSON, such as a proxy's, has a plain message", async () => {
  const { api } = apiOf(new Response("<html>", { status: 502 }));
  await assert.rejects(api.get("host"), /502/);
});

test("nothing to tell is null", async () => {
  const { api } = apiOf(new Response(null, { status: 204 }));
  assert.equal(await api.blob("runs/a/preview"), null);
});

test("a server that is gone is known to be, and seen when it is back", async (context) => {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const { api } = apiOf(new TypeError("failed to fetch"), answer(200, {}));
  await assert.rejects(api.get("draft"), (problem) => problem.status === 0);
  assert.equal(api.reached.get(), false);
  context.mock.timers.tick(3000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(api.reached.get(), true);
});
