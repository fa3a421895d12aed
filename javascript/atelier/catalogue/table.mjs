// What does a table of rows say? Its columns, its cells as they are typed, how many items it makes with the axes, and its text as CSV.

const IS_ID = /^[0-9a-f]{64}$/;
const PICTURES = ["image", "mask"];

/** The columns in the order in which they first appear; `more` are such as nobody has filled in yet. */
export function columnsOf(rows, more = []) {
  return [...new Set([...rows.flatMap((row) => Object.keys(row)), ...more])];
}

/** How many items rows and axes make: rows one by one, times every axis. */
export function countItems(rows, axes) {
  return Object.values(axes).reduce((all, values) => all * values.length, Math.max(1, rows.length));
}

/** "3 rows × 4 of place": the factors of that number; none where it is one item. */
export function factorsOf(rows, axes) {
  return [...(rows.length ? [{ name: "", count: rows.length }] : []), ...Object.entries(axes).map(([name, values]) => ({ name, count: values.length }))];
}

/** What a cell of the column holds: the declaration of the input, or, for a path into a stage, "path"; other names are variables. */
export function kindOfColumn(recipe, name) {
  const declared = recipe.inputs?.[name];
  if (declared) return declared.type;
  return name.includes(".") ? "path" : "text";
}

/** A typed text as the cell's value; undefined where nothing is meant. */
export function valueOf(kind, text) {
  const trimmed = text.trim();
  if (kind === "text" || kind === "choice") return text;
  if (trimmed === "") return undefined;
  if (kind === "number") return Number.isFinite(Number(trimmed)) ? Number(trimmed) : text;
  if (kind !== "path") return text;
  if (trimmed === "true" || trimmed === "false") return trimmed === "true";
  return Number.isFinite(Number(trimmed)) ? Number(trimmed) : text;
}

/** The rows with one cell changed; undefined empties it. */
export function withCell(rows, place, name, value) {
  return rows.map((row, at) => {
    if (at !== place) return row;
    if (value !== undefined) return { ...row, [name]: value };
    return Object.fromEntries(Object.entries(row).filter(([key]) => key !== name));
  });
}

/** The rows without a column. */
export function withoutColumn(rows, name) {
  return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([key]) => key !== name)));
}

/** What the recipe's inputs and stages offer as further columns or axes. `paths`: of the stages' fields. */
export function offered(recipe, paths, taken) {
  return [...Object.keys(recipe.inputs ?? {}), ...paths].filter((name) => !taken.includes(name));
}

/** Every field of every stage as a path: "stages.base.steps". `fieldsOf(stage)` gives the names that its type has. */
export function pathsOf(recipe, fieldsOf) {
  const isOwn = (name) => !["id", "type", "title", "enabled", "takes"].includes(name);
  return (recipe.stages ?? []).flatMap((stage) => fieldsOf(stage).filter(isOwn).map((name) => `stages.${stage.id}.${name}`));
}

/** Cells that name a picture's file that is not here: [{place, name, file}]. */
export function missingFiles(recipe, rows) {
  return rows.flatMap((row, place) =>
    Object.entries(row)
      .filter(([name, value]) => PICTURES.includes(recipe.inputs?.[name]?.type) && typeof value === "string" && value !== "" && !IS_ID.test(value))
      .map(([name, file]) => ({ place, name, file })),
  );
}

/** Which of the files each missing cell means, by the file's name without its folder: [{place, name, file: File}]. */
export function matched(missing, files) {
  const bare = (path) => path.split(/[\\/]/).at(-1).toLowerCase();
  const stem = (path) => bare(path).replace(/\.[a-z0-9]+$/, "");
  const byName = new Map(files.map((file) => [bare(file.name), file]));
  const byStem = new Map(files.map((file) => [stem(file.name), file]));
  return missing.map((one) => ({ ...one, file: byName.get(bare(one.file)) ?? byStem.get(stem(one.file)) })).filter((one) => one.file);
}

/** The table as CSV, as spreadsheets read it. */
export function csvOf(rows, columns) {
  const cell = (value) => {
    const text = value === undefined || value === null ? "" : String(value);
    return /[",;\t\r\n|]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows.map((row) => columns.map((name) => row[name]))].map((cells) => cells.map(cell).join(",")).join("\r\n").concat("\r\n");
}
