// Which pictures may be named while a mask is drawn? Those that the recipe's inputs hold, or else its first row.

const IS_ID = /^[0-9a-f]{64}$/;

/** {name: id} of the inputs that hold a picture. */
export function picturesOf({ recipe, inputs = {} }) {
  const held = Object.entries(recipe?.inputs ?? {}).map(([name, declared]) => [name, inputs[name] ?? declared.default ?? recipe.rows?.find((row) => row[name])?.[name] ?? recipe.axes?.[name]?.[0]]);
  return Object.fromEntries(held.filter(([, value]) => IS_ID.test(value ?? "")));
}
