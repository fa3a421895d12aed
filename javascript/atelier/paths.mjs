// How is one place inside a JSON value read or changed? By its path, an array of names and numbers; the value itself stays as it is.

/** What stands at `path`, or undefined. */
export function getAt(value, path) {
  return path.reduce((inner, step) => (inner === null || inner === undefined ? undefined : inner[step]), value);
}

/** A copy in which `path` holds `inner`; undefined takes the name away. Objects on the way that are not there are made. */
export function setAt(value, path, inner) {
  if (path.length === 0) return inner;
  const [step, ...rest] = path;
  if (Array.isArray(value)) {
    const copy = value.slice();
    copy[step] = setAt(value[step], rest, inner);
    return copy;
  }
  const copy = { ...value };
  const next = setAt(copy[step] ?? (typeof rest[0] === "number" ? [] : {}), rest, inner);
  if (next === undefined) delete copy[step];
  else copy[step] = next;
  return copy;
}

/** A copy of the list without its element at `index`. */
export function without(list, index) {
  return list.filter((_, place) => place !== index);
}

/** A copy of the list with `element` put in before `index`. */
export function withAt(list, index, element) {
  return [...list.slice(0, index), element, ...list.slice(index)];
}

/** A copy of the list in which the element at `from` stands at `to`. */
export function moved(list, from, to) {
  if (from === to || from < 0 || to < 0 || from >= list.length || to >= list.length) return list;
  return withAt(without(list, from), to, list[from]);
}

/** Whether two JSON values are equal, whatever the order of their names. */
export function same(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => name in b && same(a[name], b[name]));
}

/** The path as the server writes it: "controlnet.0.model". */
export function pathText(path) {
  return path.join(".");
}

/** The server's way of writing a path, "controlnet[0].model" and "controlnet.0.model" alike, as an array. */
export function pathOf(text) {
  return String(text ?? "")
    .replaceAll(/\[(\d+)\]/g, ".$1")
    .split(".")
    .filter((step) => step !== "")
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}
