// Which pictures are selected? Some by their names, or all that match but some; whoever scrolls on, it stays.

/** Nothing is selected. */
export function newSelection() {
  return { isAll: false, names: new Set() };
}

/** All that match. */
export function allSelected() {
  return { isAll: true, names: new Set() };
}

/** Whether a picture is selected. `names` of all are the exceptions. */
export function isSelected({ isAll, names }, name) {
  return names.has(name) !== isAll;
}

/** How many are, of as many as match. */
export function countOf({ isAll, names }, matching) {
  return isAll ? Math.max(0, matching - names.size) : names.size;
}

/** The selection after one picture was taken or let go. */
export function withToggled(selection, name) {
  const names = new Set(selection.names);
  if (!names.delete(name)) names.add(name);
  return { ...selection, names };
}

/** The selection with all of `range` in it. */
export function withRange(selection, range) {
  const names = new Set(selection.names);
  for (const name of range) {
    if (selection.isAll) names.delete(name);
    else names.add(name);
  }
  return { ...selection, names };
}

/**
 * {filter, names}: what is meant, as routes are told. Names stand for themselves, wherever the filter has gone meanwhile; without any, all that match
 * are meant. `matching`: the names of all that match, which only "all but some" needs.
 */
export function meantBy(selection, filter, matching = []) {
  if (!selection.isAll && selection.names.size > 0) return { filter: {}, names: [...selection.names] };
  if (selection.isAll && selection.names.size > 0) return { filter: {}, names: matching.filter((name) => !selection.names.has(name)) };
  return { filter, names: [] };
}
