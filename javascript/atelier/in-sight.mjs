// Which rows of a tall list need be there? Those in sight and some beyond; the room of the others is kept, so that nothing jumps.

import { useEffect, useRef, useState } from "./vendor/htm-preact.mjs";

const BEYOND = 2; // rows above and below
const AT_FIRST = 6; // rows, until one of them was measured

/** {first, last, above, below}: rows from first to before last are there; pixels for those above and below. `top`: of the list, from the window's. */
export function rowsInSight({ rows, height, top, window: seen }) {
  if (!(height > 0)) return { first: 0, last: Math.min(rows, AT_FIRST), above: 0, below: 0 };
  const first = Math.min(Math.max(0, rows - 1), Math.max(0, Math.floor(-top / height) - BEYOND));
  const last = Math.min(rows, Math.max(first + 1, Math.ceil((seen - top) / height) + BEYOND));
  return { first, last, above: first * height, below: (rows - last) * height };
}

/**
 * For `count` things in the element of `box`, whatever scrolls it. measure(element) → {height: of a row with its gap, across: things in a row}.
 * The answer is rowsInSight, with `across` and the things' `from` and `to`.
 */
export function useRowsInSight(box, count, measure) {
  const [seen, setSeen] = useState({ height: 0, across: 1, top: 0, window: 0 });
  const last = useRef("");
  const rows = Math.ceil(count / seen.across);
  const shown = rowsInSight({ ...seen, rows });
  useEffect(() => {
    let frame = 0;
    const look = () => {
      frame = 0;
      if (!box.current) return;
      const { height, across } = measure(box.current);
      if (!(height > 0)) return; // in a tab that is not shown
      const next = { height, across: Math.max(1, across), top: box.current.getBoundingClientRect().top, window: innerHeight };
      const now = rowsInSight({ ...next, rows: Math.ceil(count / next.across) });
      const said = [now.first, now.last, height, across].join(" ");
      if (said === last.current) return;
      last.current = said;
      setSeen(next);
    };
    const soon = () => (frame ||= requestAnimationFrame(look));
    const sizes = new ResizeObserver(soon);
    sizes.observe(box.current);
    document.addEventListener("scroll", soon, { capture: true, passive: true });
    window.addEventListener("resize", soon);
    last.current = "";
    soon();
    return () => {
      cancelAnimationFrame(frame);
      sizes.disconnect();
      document.removeEventListener("scroll", soon, { capture: true });
      window.removeEventListener("resize", soon);
    };
  }, [count]);
  return { ...shown, across: seen.across, from: shown.first * seen.across, to: Math.min(count, shown.last * seen.across) };
}
