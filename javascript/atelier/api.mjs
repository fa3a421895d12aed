// How are our routes called? Relative to where these modules came from, with the server's own words when it refuses.

import { makeCell } from "./cell.mjs";
import { followEvents } from "./events.mjs";
import { t } from "./words.mjs";

const OUTLIVES = 30000; // characters: browsers let no more than 64 kB be sent by a page that is gone
const LOOK_AGAIN = 3000; // milliseconds between two looks for a server that is gone

/** What the server answered in place of what was asked. `body` is all of it; status 0: it was not reached. */
export class ApiError extends Error {
  constructor(status, body) {
    super(body?.detail || t("The server answered {status}.", { status }));
    this.status = status;
    this.kind = body?.error ?? "";
    this.body = body ?? {};
  }
}

/** The routes under `base`, an absolute URL that ends with a slash. */
export function makeApi(base, fetcher = (...given) => fetch(...given)) {
  const reached = makeCell(true);
  let looking = null;

  const url = (path, query = {}) => {
    const whole = new URL(path.replace(/^\//, ""), base);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== null && value !== "") whole.searchParams.set(name, value);
    }
    return whole.href;
  };

  function lost() {
    reached.set(false);
    looking ??= setInterval(async () => {
      const answer = await fetcher(url("host")).catch(() => null);
      if (!answer) return;
      clearInterval(looking);
      looking = null;
      reached.set(true);
    }, LOOK_AGAIN);
  }

  async function ask(method, path, { query, body, type, signal, form = "json" } = {}) {
    const isJson = type === undefined && body !== undefined;
    const headers = { Accept: form === "zip" ? "application/zip" : "application/json" };
    if (isJson) headers["Content-Type"] = "application/json";
    else if (type) headers["Content-Type"] = type;
    const sent = isJson ? JSON.stringify(body) : body;
    const keepalive = method === "PUT" && isJson && sent.length < OUTLIVES; // what was edited last is kept though the page is closed
    let answer;
    try {
      answer = await fetcher(url(path, query), { method, headers, signal, keepalive, body: sent });
    } catch (problem) {
      if (problem.name === "AbortError") throw problem;
      lost();
      throw new ApiError(0, { error: "Unreachable", detail: t("The server does not answer. What you do is kept here until it does.") });
    }
    if (!answer.ok) throw new ApiError(answer.status, await told(answer));
    if (answer.status === 204) return null;
    return form === "json" ? answer.json() : answer.blob();
  }

  return {
    base,
    reached,
    url,
    get: (path, query, options) => ask("GET", path, { query, ...options }),
    post: (path, body = {}, options) => ask("POST", path, { body, ...options }),
    put: (path, body = {}, options) => ask("PUT", path, { body, ...options }),
    delete: (path, query) => ask("DELETE", path, { query }),
    /** Sends a file as it is; for pictures the answer is {id, width, height}. */
    upload: (file, path = "pictures", options = {}) =>
      ask("POST", path, { body: file, type: file.type || "application/octet-stream", ...options }),
    blob: (path, query, form = "blob") => ask("GET", path, { query, form }),
    picture: (id) => url(`pictures/${id}`),
    thumbnail: (id, size) => url(`pictures/${id}/thumbnail`, { size }),
    /** Server-sent events of a path: onEvent({kind, id, data}). The answer's close() ends it. */
    events: (path, handlers) => followEvents((last, signal) => openStream(fetcher, url(path), last, signal), handlers),
  };
}

async function openStream(fetcher, address, last, signal) {
  const headers = { Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) };
  const answer = await fetcher(address, { headers, signal });
  if (!answer.ok) throw new ApiError(answer.status, await told(answer));
  return answer.body;
}

async function told(answer) {
  const body = await answer.json().catch(() => null);
  if (body && typeof body.detail === "string") return body;
  return { error: "Unknown", detail: t("The server answered {status}.", { status: answer.status }) };
}
