// How is what is prepared on a page kept on the server? Shown at once, kept soon after, and at the latest when the page is left.

import { useEffect, useRef, useState } from "./vendor/htm-preact.mjs";

const KEEP = 500; // milliseconds after the last edit until it is kept

/**
 * {known, draft, problem, change, load}: ask() → Promise of {known, draft}, keep(draft) sends it. change(next) shows it at once and keeps it soon;
 * next may be a function of what it is then.
 */
export function useDraft(ask, keep) {
  const [state, setState] = useState({ known: null, draft: null, problem: "" });
  const waiting = useRef({ timer: 0, draft: null });
  const keepNow = () => {
    clearTimeout(waiting.current.timer);
    if (waiting.current.draft) keep(waiting.current.draft).catch(() => {}); // the banner says that nobody answers
    waiting.current.draft = null;
  };
  const load = () =>
    ask().then(
      ({ known, draft }) => setState({ known, draft, problem: "" }),
      (problem) => setState((all) => ({ ...all, problem: problem.message })),
    );
  useEffect(() => {
    load();
    window.addEventListener("pagehide", keepNow);
    return () => {
      window.removeEventListener("pagehide", keepNow);
      keepNow();
    };
  }, []);
  const latest = useRef(null);
  latest.current = state.draft;
  const change = (next) => {
    const draft = typeof next === "function" ? next(latest.current) : next;
    latest.current = draft;
    setState((all) => ({ ...all, draft }));
    clearTimeout(waiting.current.timer);
    waiting.current = { draft, timer: setTimeout(keepNow, KEEP) };
  };
  return { ...state, change, load };
}
