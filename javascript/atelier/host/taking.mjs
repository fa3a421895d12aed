// Where does a picture go that comes from elsewhere, and what of its settings is of use to a whole recipe?

const OF_ONE_STAGE = ["id", "type", "hires", "takes", "title", "enabled", "denoising_strength", "seed_policy"];

/** The picture input that it belongs in: the first that is empty, else the first; null where the recipe has none. */
export function inputFor(recipe, inputs) {
  const names = Object.entries(recipe?.inputs ?? {}).filter(([, input]) => input.type === "image").map(([name]) => name);
  const empty = names.find((name) => !(inputs?.[name] ?? recipe.inputs[name].default));
  return empty ?? names[0] ?? null;
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
