// Which pictures of the folder match, and what is said of all of them? Asked page by page as they come into sight; what is shown stays until the next is there.

import { useEffect, useRef, useState } from "../vendor/htm-preact.mjs";

const SIZE = 100; // pictures of a page
const PAUSE = 250; // milliseconds after the last edit of a filter

/**
 * `query`: {folder, nested, ending, filter, sort, trigger}. The answer:
 *   told: counts, balance, fused, history, total, matching of the last answer; null before the first;  problem: why there is none
 *   at(place) → a picture, or undefined where it is not there yet;  want(from, to) has those fetched;  placeOf(name) → its place among those that are there
 *   reload() asks for all anew;  names() → Promise of the names of all that match;  patch(name, change) shows one picture as it has become
 */
export function usePictures(api, query) {
  const key = JSON.stringify(query);
  const [state, setState] = useState({ key: "", told: null, pages: {}, problem: "" });
  const round = useRef({ number: 0, asked: new Set(), query, seen: 0 });
  round.current.query = query;

  async function ask(page) {
    const { number, query: sent, asked } = round.current;
    asked.add(page);
    try {
      const { pictures, ...told } = await api.post("dataset/pictures", { ...sent, page, size: SIZE });
      if (number !== round.current.number) return;
      const now = JSON.stringify(sent);
      setState((all) => ({ key: now, told, problem: "", pages: { ...(all.key === now ? all.pages : {}), [page]: pictures } }));
    } catch (problem) {
      if (number === round.current.number) setState((all) => ({ ...all, problem: problem.message }));
    }
  }
  const reload = (page = round.current.seen) => {
    round.current.number += 1;
    round.current.asked = new Set();
    return ask(page);
  };
  useEffect(() => {
    if (!query.folder) return undefined;
    const timer = setTimeout(reload, state.told ? PAUSE : 0, 0);
    return () => clearTimeout(timer);
  }, [key]);

  const last = Math.max(0, Math.ceil((state.told?.matching ?? 0) / SIZE) - 1);
  return {
    told: state.told,
    problem: state.problem,
    isFresh: state.key === key,
    at: (place) => state.pages[Math.floor(place / SIZE)]?.[place % SIZE],
    want(from, to) {
      round.current.seen = Math.floor(from / SIZE);
      if (state.key !== JSON.stringify(round.current.query)) return;
      for (let page = Math.floor(from / SIZE); page <= Math.min(last, Math.floor(Math.max(from, to - 1) / SIZE)); page += 1) {
        if (!round.current.asked.has(page)) ask(page);
      }
    },
    placeOf(name) {
      for (const [page, pictures] of Object.entries(state.pages)) {
        const place = pictures.findIndex((picture) => picture.name === name);
        if (place >= 0) return Number(page) * SIZE + place;
      }
      return -1;
    },
    reload,
    names: async () => (await api.post("dataset/pictures", { ...round.current.query, page: 0, size: 1, names: true })).names,
    patch: (name, change) =>
      setState((all) => ({
        ...all,
        pages: Object.fromEntries(Object.entries(all.pages).map(([page, pictures]) => [page, pictures.map((one) => (one.name === name ? { ...one, ...change } : one))])),
      })),
  };
}
