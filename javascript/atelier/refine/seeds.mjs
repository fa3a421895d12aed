// Which seeds are kept? A drawn seed is locked by writing it into the stage that used it, and let go by -1.

const DRAWN = -1; // a seed that is drawn anew for each run

/** The stage's seed as the recipe has it: its own, the shared one, or drawn. */
export function seedOf(recipe, stage) {
  return stage.seed ?? recipe.settings?.seed ?? DRAWN;
}

/** {isLocked, toggle} for a picture's seed; null where its stage is not in the recipe any more. */
export function seedLock(store, recipe, picture) {
  const place = (recipe.stages ?? []).findIndex((stage) => stage.id === picture.stage);
  if (place < 0) return null;
  const isLocked = seedOf(recipe, recipe.stages[place]) === picture.seed;
  return { isLocked, toggle: () => store.edit(["recipe", "stages", place, "seed"], isLocked ? DRAWN : picture.seed) };
}

/** Whether any stage of the recipe draws its seed anew. `seeded` says which types have one. */
export function drawsSeeds(recipe, seeded) {
  return (recipe.stages ?? []).some((stage) => seeded(stage) && seedOf(recipe, stage) === DRAWN);
}

/** The recipe with the seeds that a run drew in the place of those that are open. */
export function withSeedsOf(recipe, frozen) {
  const drawn = Object.fromEntries((frozen.stages ?? []).map((stage) => [stage.id, stage.seed]));
  const stages = recipe.stages.map((stage) => (seedOf(recipe, stage) === DRAWN && (drawn[stage.id] ?? DRAWN) !== DRAWN ? { ...stage, seed: drawn[stage.id] } : stage));
  return { ...recipe, stages };
}
