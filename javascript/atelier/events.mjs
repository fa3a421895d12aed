// What happens on the server, as it happens? Server-sent events read from a fetch, begun again where they broke off.

const SHORTEST_WAIT = 1000; // milliseconds before a lost stream is opened again; doubled up to the longest
const LONGEST_WAIT = 15000;

/** A reader of the text of a stream: give it what came, get the events that are complete. */
export function makeEventReader() {
  let rest = "";
  return (text) => {
    const blocks = (rest + text.replaceAll("\r\n", "\n")).split("\n\n");
    rest = blocks.pop();
    return blocks.map(readBlock).filter(Boolean);
  };
}

/**
 * Follows a stream until it is closed, or ends after an event for which `ended` says so. `open(lastId, signal)` gives a ReadableStream.
 * handlers: onEvent({id, kind, data}), ended(event) → bool, onGone(problem) when the server refuses it for good.
 */
export function followEvents(open, { onEvent, ended = () => false, onGone = () => {} }) {
  const stop = new AbortController();
  let last = "";
  let wait = SHORTEST_WAIT;

  async function once() {
    const reader = (await open(last, stop.signal)).getReader();
    const decoder = new TextDecoder();
    const read = makeEventReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return false;
      for (const event of read(decoder.decode(value, { stream: true }))) {
        wait = SHORTEST_WAIT;
        last = event.id || last;
        onEvent(event);
        if (ended(event)) return true;
      }
    }
  }

  async function follow() {
    while (!stop.signal.aborted) {
      try {
        if (await once()) return stop.abort();
      } catch (problem) {
        if (stop.signal.aborted) return undefined;
        if (problem.status >= 400 && problem.status < 500) return onGone(problem);
      }
      await pause(wait, stop.signal);
      wait = Math.min(LONGEST_WAIT, wait * 2);
    }
    return undefined;
  }

  follow();
  return { close: () => stop.abort() };
}

function readBlock(block) {
  const event = { id: "", kind: "message", data: null };
  const data = [];
  for (const line of block.split("\n")) {
    const [, name, value] = /^([^:]*): ?(.*)$/.exec(line) ?? [];
    if (name === "id") event.id = value;
    else if (name === "event") event.kind = value;
    else if (name === "data") data.push(value);
  }
  if (data.length === 0) return null;
  const text = data.join("\n");
  try {
    event.data = JSON.parse(text);
  } catch {
    event.data = text;
  }
  return event;
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
