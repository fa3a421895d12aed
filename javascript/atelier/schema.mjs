// What may stand in a field? JSON Schema as a form needs it: references followed, variables and null set aside, one word for its kind.

const BESIDE = ["title", "description", "default", "step"];

/** The schema with its $ref followed; what stands beside the reference stays. */
export function resolve(root, schema) {
  let found = schema ?? {};
  for (let depth = 0; found.$ref && depth < 20; depth += 1) {
    const { $ref, ...beside } = found;
    found = { ...getRef(root, $ref), ...beside };
  }
  return found;
}

/**
 * {schema, variable, nullable}: the schema without the alternatives "a variable" and null, and whether there were such.
 * Alternatives of alternatives become one list; where one alternative is left, it is the schema.
 */
export function strip(root, schema) {
  let found = resolve(root, schema);
  let variable = false;
  let nullable = false;
  while (found.anyOf || found.oneOf) {
    const members = flatten(root, found.anyOf ?? found.oneOf);
    variable ||= members.some(isVariable);
    nullable ||= members.some((member) => member.type === "null");
    const left = members.filter((member) => !isVariable(member) && member.type !== "null");
    const beside = Object.fromEntries(Object.entries(found).filter(([name]) => BESIDE.includes(name) || name.startsWith("x-")));
    if (left.length !== 1) return { schema: { ...beside, anyOf: left }, variable, nullable };
    found = { ...left[0], ...beside };
  }
  return { schema: found, variable, nullable };
}

/** "boolean", "integer", "number", "text", "enum", "const", "list", "tuple", "object", "map", "choice" or "any"; of a stripped schema. */
export function kindOf(schema) {
  if ("const" in schema || schema.enum?.length === 1) return "const";
  if (schema.enum) return "enum";
  if (schema.anyOf) return enumWithNumbers(schema) ? "enum" : "choice";
  if (schema.type === "string") return "text";
  if (schema.type === "array") return schema.prefixItems ? "tuple" : "list";
  if (schema.type === "object") return schema.properties ? "object" : "map";
  return schema.type ?? "any";
}

/** What an enum offers. */
export function choicesOf(schema) {
  return schema.enum ?? enumWithNumbers(schema)?.enum ?? [];
}

/** The value that a new field starts with: the schema's default, else the least that is right. */
export function defaultOf(root, schema) {
  const { schema: found, nullable } = strip(root, schema);
  if ("default" in found) return found.default;
  if (nullable) return null;
  switch (kindOf(found)) {
    case "const":
      return "const" in found ? found.const : found.enum[0];
    case "enum":
      return choicesOf(found)[0];
    case "boolean":
      return false;
    case "integer":
    case "number":
      return Math.max(0, found.minimum ?? 0);
    case "text":
      return "";
    case "list":
      return Array.from({ length: found.minItems ?? 0 }, () => defaultOf(root, found.items ?? {}));
    case "tuple":
      return found.prefixItems.map((inner) => defaultOf(root, inner));
    case "object":
      return newObject(root, found);
    case "choice":
      return defaultOf(root, found.anyOf[0]);
    case "map":
      return {};
    default:
      return "";
  }
}

/** An object with what must be given, its tag among it; the rest is left to its defaults. */
export function newObject(root, schema) {
  const found = resolve(root, schema);
  const names = Object.keys(found.properties).filter((name) => found.required?.includes(name) || tagOf(root, found)?.name === name);
  if (names.length === 0 && found.minProperties) names.push(Object.keys(found.properties)[0]);
  return Object.fromEntries(names.map((name) => [name, startOf(root, found.properties[name])]));
}

/** The field of an object schema that tells it from others, and what stands in it: {name, value}; null where there is none. */
export function tagOf(root, schema) {
  const found = resolve(root, schema);
  for (const [name, inner] of Object.entries(found.properties ?? {})) {
    const stripped = resolve(root, inner);
    if ("const" in stripped) return { name, value: stripped.const };
    if (stripped.enum?.length === 1 && !("default" in stripped)) return { name, value: stripped.enum[0] };
  }
  return null;
}

/** The alternatives of a "choice": [{id, label, schema, make()}]. */
export function formsOf(root, schema) {
  return schema.anyOf.map((member) => {
    const found = resolve(root, member);
    const kind = kindOf(found);
    const tag = kind === "object" ? tagOf(root, found) : null;
    const id = tag ? String(tag.value) : kind === "object" ? (found.title ?? "object") : kind;
    const label = tag ? capital(id) : kind === "object" ? spaced(id) : (FORM_WORDS[kind] ?? capital(kind));
    return { id, label, schema: found, kind, tag, make: () => defaultOf(root, found) };
  });
}

/** The form of a choice that a value has, or undefined. */
export function formOf(forms, value) {
  const isList = Array.isArray(value);
  if (value !== null && typeof value === "object" && !isList) {
    const tagged = forms.find((form) => form.tag && value[form.tag.name] === form.tag.value);
    return tagged ?? forms.find((form) => form.kind === "object" && !form.tag) ?? forms.find((form) => form.kind === "map");
  }
  const kinds = isList ? ["list", "tuple"] : { string: ["enum", "text"], number: ["number", "integer"], boolean: ["boolean"] }[typeof value];
  return kinds && forms.find((form) => kinds.includes(form.kind));
}

/** The name of the variable that a text is as a whole, or ''. */
export function variableIn(value) {
  return typeof value === "string" ? (/^\{([A-Za-z_][A-Za-z0-9_-]*)\}$/.exec(value)?.[1] ?? "") : "";
}

/** "Txt2ImgStage" → "Txt2Img stage", "CombinedMask" → "Combined mask". */
export function spaced(name) {
  return name.replaceAll(/([a-z0-9])([A-Z][a-z])/g, (_, before, after) => `${before} ${after.toLowerCase()}`);
}

/** "cfg_scale" → "Cfg scale". */
export function capital(name) {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const FORM_WORDS = { text: "By name", list: "Several", number: "Number", integer: "Number", boolean: "Yes or no" };

function startOf(root, schema) {
  const { schema: found } = strip(root, schema);
  return kindOf(found) === "choice" && !("default" in found) ? (formsOf(root, found).find((form) => form.tag) ?? { make: () => "" }).make() : defaultOf(root, schema);
}

function getRef(root, ref) {
  return ref
    .replace(/^#\//, "")
    .split("/")
    .reduce((inner, step) => inner?.[step.replaceAll("~1", "/").replaceAll("~0", "~")], root) ?? {};
}

function flatten(root, members) {
  return members.flatMap((member) => {
    if (member.$ref?.endsWith("/Variable")) return [{ ...resolve(root, member), "x-variable": true }];
    const found = resolve(root, member);
    const inner = found.anyOf ?? found.oneOf;
    if (!inner) return [found];
    const { anyOf, oneOf, ...beside } = found;
    return flatten(root, inner).map((one) => ({ ...one, ...beside }));
  });
}

function isVariable(member) {
  return member["x-variable"] === true;
}

function enumWithNumbers(schema) {
  const members = schema.anyOf ?? [];
  const listed = members.filter((member) => member.enum);
  return listed.length === 1 && members.every((member) => member.enum || member.type === "integer" || member.type === "number") ? listed[0] : null;
}
