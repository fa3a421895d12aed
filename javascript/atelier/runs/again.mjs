// What did a run do, as a recipe to run or edit again? Its recipe with ids in place of its pictures' names, and its inputs' values.

const PICTURES = ["image", "mask"];

/** {recipe, inputs} of GET /runs/{id}, as POST /runs and the draft take them. */
export function workOf(run) {
  const names = Object.entries(run.recipe.inputs ?? {}).filter(([, declared]) => PICTURES.includes(declared.type)).map(([name]) => name);
  const told = (value) => (typeof value === "string" && run.inputs[value]) || value;
  const ofRow = (row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, names.includes(name) ? told(value) : value]));
  const recipe = {
    ...run.recipe,
    inputs: Object.fromEntries(Object.entries(run.recipe.inputs ?? {}).map(([name, declared]) => [name, names.includes(name) ? { ...declared, default: told(declared.default) } : declared])),
    rows: (run.recipe.rows ?? []).map(ofRow),
    axes: Object.fromEntries(Object.entries(run.recipe.axes ?? {}).map(([name, values]) => [name, names.includes(name) ? values.map(told) : values])),
  };
  const given = names.filter((name) => run.inputs[name]).map((name) => [name, run.inputs[name]]);
  return { recipe, inputs: { ...run.values, ...Object.fromEntries(given) } };
}

/** When something was, as short as it is clear: the time today, else the day and time. `now` and `at` in seconds. */
export function whenText(at, now, language = undefined) {
  const [day, today] = [new Date(1000 * at), new Date(1000 * now)];
  const time = { hour: "2-digit", minute: "2-digit" };
  if (day.toDateString() === today.toDateString()) return day.toLocaleTimeString(language, time);
  const year = day.getFullYear() === today.getFullYear() ? {} : { year: "numeric" };
  return day.toLocaleString(language, { month: "short", day: "numeric", ...year, ...time });
}

/** The list with newer knowledge of runs in it: known ones where they stand, others in front; newest first. */
export function withNews(list, news) {
  const byId = new Map(news.map((run) => [run.id, run]));
  const known = new Set(list.map((run) => run.id));
  return [...news.filter((run) => !known.has(run.id)), ...list.map((run) => byId.get(run.id) ?? run)].sort((a, b) => b.created - a.created);
}
