"""Which seed does each stage have? Drawn ones are written into the recipe once; then the plan and its keys are fixed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from random import Random
from typing import Any

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.recipe import Recipe
from lib_extension.stages import STAGES

SEEDS = 2**32  # a WebUI's seeds are 32 bits


def freeze(recipe: Recipe, random: Random) -> Recipe:
    """The recipe with every seed of -1 drawn: in stages, rows, axes, and the defaults of inputs that stand for a seed."""
    seeded = {stage["id"] for stage in recipe.stages if _is_seeded(stage)}
    paths = {f"stages.{id}.seed" for id in seeded}
    variables = {stage["seed"][1:-1] for stage in recipe.stages if stage["id"] in seeded and _is_variable(stage.get("seed"))}
    drawn = paths | variables

    def draw(value: Any) -> Any:
        return random.randrange(SEEDS - 1) if _is_unset(value) else value

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


def node_seed(stage: Any, item: int, position: int) -> int:
    """The seed of one instance, by the stage's policy: `item` is its item's index, `position` the taken picture's in it."""
    if stage.seed < 0:
        raise BadRequest(f'Stage "{stage.id}" has the seed {stage.seed}: it must be drawn, or be a number from 0, before the plan is made.')
    offset = {"per item": item, "per candidate": position}.get(stage.seed_policy, 0)
    return (stage.seed + offset) % SEEDS


def _is_seeded(stage: Mapping[str, Any]) -> bool:
    type = STAGES.get(stage.get("type", ""))
    return type is not None and type.seeded


def _is_variable(seed: Any) -> bool:
    return isinstance(seed, str) and seed.startswith("{") and seed.endswith("}")


def _is_unset(seed: Any) -> bool:
    return seed in (-1, "-1") and not isinstance(seed, bool)
