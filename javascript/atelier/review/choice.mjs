// What has been chosen so far, and what may be? Pictures are named by their numbers, from 1, as they are shown.

/** Nothing is chosen; the first picture has the focus. */
export function newChoice() {
  return { picks: [], rejects: [], at: 0 };
}

/** The choice after picture `number` was picked, or let go. `keep`: how many are wanted, 0: any; the one picked first makes room. */
export function toggled(choice, number, keep) {
  const rejects = choice.rejects.filter((one) => one !== number);
  if (choice.picks.includes(number)) return { ...choice, rejects, picks: choice.picks.filter((one) => one !== number) };
  const picks = [...choice.picks, number];
  return { ...choice, rejects, picks: keep > 0 ? picks.slice(-keep) : picks };
}

/** The choice after picture `number` was turned down, or that was taken back. */
export function rejected(choice, number) {
  const is = choice.rejects.includes(number);
  return { ...choice, picks: choice.picks.filter((one) => one !== number), rejects: is ? choice.rejects.filter((one) => one !== number) : [...choice.rejects, number] };
}

/** The place that has the focus after a key, in a grid of `columns`; the same where the key means nothing. */
export function stepped(at, key, count, columns) {
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - columns, ArrowDown: at + columns, Home: 0, End: count - 1 }[key];
  if (to === undefined) return at;
  return to < 0 || to >= count ? at : to;
}

/**
 * {numbers, wanted}: the pictures that go on when it is decided now, in order, and how many are wanted (0: one or more).
 * Where nothing was picked it is all that was not turned down, or else the one with the focus.
 */
export function decided(choice, count, keep) {
  const all = Array.from({ length: count }, (_, place) => place + 1);
  const rest = all.filter((number) => !choice.rejects.includes(number));
  const meant = choice.picks.length > 0 ? choice.picks : choice.rejects.length > 0 ? rest : [choice.at + 1];
  return { numbers: [...meant].sort((a, b) => a - b), wanted: Math.min(keep, count) };
}

/** Whether that can be sent. */
export function isComplete({ numbers, wanted }) {
  return wanted > 0 ? numbers.length === wanted : numbers.length > 0;
}

/** The numbers of the pictures with the best overall score; none where there are no scores, or all are alike. */
export function bestOf(pictures) {
  const scores = pictures.map((one) => one.facts?.overall).filter((score) => typeof score === "number");
  if (scores.length < 2 || Math.min(...scores) === Math.max(...scores)) return [];
  return pictures.filter((one) => one.facts?.overall === Math.max(...scores)).map((one) => one.number);
}
