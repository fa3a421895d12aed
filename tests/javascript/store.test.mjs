// Is the draft kept, planned, undone and shared as it should be? With a server that is a few lines here.

import assert from "node:assert/strict";
import { test } from "node:test";

import { makeStore } from "../../javascript/atelier/store.mjs";

const RECIPE = { name: "r", stages: [{ id: "a", type: "txt2img", steps: 20 }] };

/** A server with a draft and plans; `fails` holds what the next calls are refused with. */
function serverOf(recipe = RECIPE) {
  const server = { draft: { revision: 1, recipe, inputs: {}, base: "r", changed: false }, calls: [], fails: [], plans: 0 };
  const answer = (path, make) => {
    server.calls.push(path);
    const refusal = server.fails.find((one) => one.path === path);
    if (refusal) {
      server.fails.splice(server.fails.indexOf(refusal), 1);
      return Promise.reject(Object.assign(new Error("refused"), refusal));
    }
    return Promise.resolve(make());
  };
  server.get = () => answer("get draft", () => server.draft);
  server.put = (_, body) =>
    answer("put draft", () => {
      if (body.revision !== server.draft.revision) throw Object.assign(new Error("stale"), { status: 409, body: { draft: server.draft } });
      server.draft = { ...body, revision: body.revision + 1, changed: true };
      return server.draft;
    });
  server.post = () => answer("plan", () => ({ number: (server.plans += 1), stages: [], findings: [] }));
  return server;
}

/** A store whose delays are over when `pass()` is called. */
async function storeOf(server, at = { now: 0 }) {
  let waiting = null;
  const said = [];
  const store = makeStore(server, { later: (call) => (waiting = call), drop: () => (waiting = null), now: () => at.now, say: (word) => said.push(word) });
  await store.load();
  await settle();
  const pass = async () => {
    const call = waiting;
    waiting = null;
    await call?.();
    await settle();
  };
  return { store, pass, said, state: () => store.state.get(), at };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("a draft is loaded and planned", async () => {
  const server = serverOf();
  const { state } = await storeOf(server);
  assert.equal(state().phase, "ready");
  assert.deepEqual(server.calls, ["get draft", "plan"]);
  assert.equal(state().plan.number, 1);
});

test("edits in quick succession are kept and planned once, and undone as one", async () => {
  const server = serverOf();
  const { store, pass, state, at } = await storeOf(server);
  for (const steps of [2, 25]) {
    at.now += 100;
    store.edit(["recipe", "stages", 0, "steps"], steps);
  }
  assert.equal(state().planning, true);
  await pass();
  assert.deepEqual(server.calls.slice(2), ["plan", "put draft"]);
  assert.equal(server.draft.recipe.stages[0].steps, 25);
  assert.deepEqual([state().saving, state().canUndo], ["saved", true]);
  store.undo();
  assert.deepEqual([state().recipe.stages[0].steps, state().canUndo, state().canRedo], [20, false, true]);
  await pass();
  assert.equal(server.draft.recipe.stages[0].steps, 20);
  store.redo();
  assert.equal(state().recipe.stages[0].steps, 25);
});

test("edits of two places, or with time between them, are undone one by one", async () => {
  const { store, state, at } = await storeOf(serverOf());
  store.edit(["recipe", "stages", 0, "steps"], 21);
  store.edit(["recipe", "stages", 0, "cfg_scale"], 5);
  at.now += 5000;
  store.edit(["recipe", "stages", 0, "cfg_scale"], 6);
  store.undo();
  assert.equal(state().recipe.stages[0].cfg_scale, 5);
  store.undo();
  assert.equal("cfg_scale" in state().recipe.stages[0], false);
  assert.equal(state().recipe.stages[0].steps, 21);
});

test("what another page wrote is shown, and undo brings back what was here", async () => {
  const server = serverOf();
  const { store, pass, state, said } = await storeOf(server);
  store.edit(["recipe", "name"], "ours");
  server.draft = { ...server.draft, revision: 7, recipe: { ...RECIPE, name: "theirs" } };
  await pass();
  assert.equal(state().recipe.name, "theirs");
  assert.deepEqual(said, ["elsewhere"]);
  store.undo();
  assert.equal(state().recipe.name, "ours");
  await pass();
  assert.deepEqual([server.draft.recipe.name, server.draft.revision], ["ours", 8]);
});

test("edits are kept here while the server is gone, and tried again", async () => {
  const server = serverOf();
  const { store, pass, state } = await storeOf(server);
  server.fails.push({ path: "put draft", status: 0 }, { path: "plan", status: 0 });
  store.edit(["recipe", "name"], "later");
  await pass();
  assert.equal(state().saving, "offline");
  await pass();
  assert.deepEqual([state().saving, server.draft.recipe.name], ["saved", "later"]);
});

test("a recipe that does not load says where, and keeps its edit", async () => {
  const server = serverOf();
  const { store, pass, state } = await storeOf(server);
  server.fails.push({ path: "plan", status: 422, message: "steps is 0", body: { where: { stage: "a", field: "steps" } } });
  store.edit(["recipe", "stages", 0, "steps"], 0);
  await pass();
  assert.deepEqual(state().refusal, { detail: "steps is 0", stage: "a", field: "steps" });
  assert.equal(server.draft.recipe.stages[0].steps, 0);
  store.edit(["recipe", "stages", 0, "steps"], 1);
  await pass();
  assert.equal(state().refusal, null);
});

test("a plan that comes late does not replace a newer one", async () => {
  const server = serverOf();
  const { store, pass, state } = await storeOf(server);
  const answers = [];
  server.post = () => new Promise((resolve) => answers.push(resolve));
  store.edit(["recipe", "name"], "one");
  await pass();
  store.edit(["recipe", "title"], "two");
  await pass();
  answers[1]({ number: "new", stages: [], findings: [] });
  await settle();
  answers[0]({ number: "old", stages: [], findings: [] });
  await settle();
  assert.equal(state().plan.number, "new");
});
