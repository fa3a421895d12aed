"""Which seed does each stage have? Drawn ones are written into the recipe once; then the plan and its keys are fixed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from random import Random
from typing import Any

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.recipe import VARIABLE, Recipe
from lib_extension.stages import STAGES

SEEDS = 2**32  # a WebUI's seeds are 32 bits


def freeze(recipe: Recipe, random: Random) -> Recipe:
    """The recipe with every seed of -1 drawn: in stages, rows, axes, and the defaults of inputs that stand for a seed."""
    seeded = {stage["id"] for stage in recipe.stages if _is_seeded(stage)}
    variables = _seed_variables(recipe)
    drawn = variables | {f"stages.{id}.seed" for id in seeded}

    def draw(value: Any) -> Any:
        return _draw(random) if _is_unset(value) else value

    return dataclasses.replace(
        recipe,
        stages=tuple({**stage, "seed": draw(stage.get("seed", -1))} if stage["id"] in seeded else stage for stage in recipe.stages),
        rows=tuple({name: draw(value) if name in drawn else value for name, value in row.items()} for row in recipe.rows),
        axes={name: [draw(value) if name in drawn else value for value in values] for name, values in recipe.axes.items()},
        inputs={
            name: dataclasses.replace(declared, default=draw(declared.default)) if name in variables else declared
            for name, declared in recipe.inputs.items()
        },
    )


def freeze_values(recipe: Recipe, values: Mapping[str, Any], random: Random) -> dict[str, Any]:
    """The values given to a recipe's inputs, those of -1 drawn that stand for a seed."""
    variables = _seed_variables(recipe)
    return {name: _draw(random) if name in variables and _is_unset(value) else value for name, value in values.items()}


def node_seed(stage: Any, item: int, position: int) -> int:
    """The seed of one instance, by the stage's policy: `item` is its item's index, `position` the taken picture's in it."""
    if stage.seed < 0:
        raise BadRequest(f'Stage "{stage.id}" has the seed {stage.seed}: it must be drawn, or be a number from 0, before the plan is made.')
    offset = {"per item": item, "per candidate": position}.get(stage.seed_policy, 0)
    return (stage.seed + offset) % SEEDS


def _draw(random: Random) -> int:
    return random.randrange(SEEDS - 1)


def _seed_variables(recipe: Recipe) -> set[str]:
    """The variables that stand for a seed."""
    seeds = (stage.get("seed") for stage in recipe.stages if _is_seeded(stage))
    return {found[2] for seed in seeds if isinstance(seed, str) and (found := VARIABLE.fullmatch(seed))}


def _is_seeded(stage: Mapping[str, Any]) -> bool:
    type = STAGES.get(stage.get("type", ""))
    return type is not None and type.seeded


def _is_unset(seed: Any) -> bool:
    return seed in (-1, "-1") and not isinstance(seed, bool)
