// Where does an item stand on the contact sheet? Rows go down, what the axes multiply them with goes across.

/** Every combination of the axes' values in the order of the items, the last axis fastest: [{place: "at night", …}]. One empty one without axes. */
export function combinations(axes) {
  return Object.entries(axes).reduce((all, [name, values]) => all.flatMap((one) => values.map((value) => ({ ...one, [name]: value }))), [{}]);
}

/** {row, column} of an item, counted from 1, where there are `across` combinations. */
export function placeOfItem(item, across) {
  return { row: Math.floor((item - 1) / across), column: (item - 1) % across };
}

/** What an item's row and its combination of the axes' values say of it. */
export function valuesOfItem({ rows = [], axes = {} }, item) {
  const across = combinations(axes);
  const { row, column } = placeOfItem(item, across.length);
  return { ...rows[row], ...across[column] };
}

/** What each item has of a stage: {item: {pictures, node}}. pictures: GET …/pictures of the stage; nodes: the run's stage instances of it. */
export function cellsOf(pictures, nodes) {
  const cells = {};
  const cell = (item) => (cells[item] ??= { pictures: [], node: null });
  for (const picture of pictures) cell(picture.item).pictures.push(picture);
  for (const node of nodes) {
    const one = cell(Number(node.place.split("/")[1]) + 1);
    if (!one.node || RANK.indexOf(node.state) > RANK.indexOf(one.node.state)) one.node = node;
  }
  return cells;
}

const RANK = ["done", "planned", "left out", "failed"]; // what is worst is told

/** The stage that a sheet shows at first: the last one with a picture for every item, else the last one that makes any. */
export function stageToShow(stages, items) {
  const making = stages.filter((stage) => stage.total > 0);
  const each = making.filter((stage) => stage.total >= items);
  return (each.at(-1) ?? making.at(-1))?.stage ?? "";
}

/** Whether the stage has its own place for every item; else its pictures are shown one after the other. */
export function isForEach(stages, name, items) {
  return (stages.find((stage) => stage.stage === name)?.total ?? 0) >= items;
}
