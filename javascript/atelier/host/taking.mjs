// Where does a picture go that comes from elsewhere, and what of its settings is of use to a whole recipe?

const OF_ONE_STAGE = ["id", "type", "hires", "takes", "title", "enabled", "denoising_strength", "seed_policy"];

/** The picture input that it belongs in: the first that is empty, else the first; null where the recipe has none. */
export function inputFor(recipe, inputs) {
  const names = Object.entries(recipe?.inputs ?? {}).filter(([, input]) => input.type === "image").map(([name]) => name);
  const empty = names.find((name) => !(inputs?.[name] ?? recipe.inputs[name].default) && !isInAllRows(recipe, name));
  return empty ?? names[0] ?? null;
}

/** The draft with the picture in that input: in place of all rows, where each has a picture of its own there. */
export function withPicture(draft, name, id) {
  const { recipe } = draft;
  if (!isInAllRows(recipe, name)) return { ...draft, inputs: { ...draft.inputs, [name]: id } };
  // What rows say of their own picture is not so of this one; other variables are what the stages need.
  const others = Object.fromEntries(Object.entries(recipe.rows[0]).filter(([other]) => !(other in recipe.inputs)));
  const { [name]: _, ...inputs } = draft.inputs; // beside rows, it would be refused
  return { ...draft, inputs, recipe: { ...recipe, rows: [{ ...others, [name]: id }] } };
}

/** Whether a mask can go with a picture: the WebUI brings both to the size that is drawn, so that only their shape counts. */
export function maskFits(mask, picture) {
  return Math.abs(mask.width * picture.height - mask.height * picture.width) <= Math.max(mask.width, mask.height, picture.width, picture.height);
}

function isInAllRows(recipe, name) {
  return Boolean(recipe.rows?.length) && recipe.rows.every((row) => name in row);
}

/** What the stage that a picture's infotext tells of has in common with every stage. */
export function settingsOf(recipe) {
  const stages = recipe?.stages ?? [];
  if (stages.length !== 1) return {};
  return Object.fromEntries(Object.entries({ ...recipe.settings, ...stages[0] }).filter(([name]) => !OF_ONE_STAGE.includes(name)));
}

/** A recipe that goes on with a picture. */
export function recipeAround(id, settings) {
  const recipe = {
    version: 1,
    name: "from-a-picture",
    inputs: { picture: { type: "image" } },
    settings,
    stages: [{ id: "vary", type: "img2img", takes: "picture", denoising_strength: 0.4 }],
  };
  return { recipe, inputs: { picture: id }, base: "" };
}
