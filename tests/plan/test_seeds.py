"""Seeds: drawn once and written down, then counted up by the stage's policy."""

from __future__ import annotations

from random import Random

import pytest

from lib_extension.plan import freeze, make_plan
from lib_extension.plan.seeds import SEEDS, freeze_values
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.recipe import Recipe
from lib_extension.spec.settings import from_json, to_json
from lib_extension.stages import load_recipe
from tests.plan.recipes import base, of, plan, redraw


def unfrozen(*stages: dict[str, object], **more: object) -> Recipe:
    return load_recipe({"name": "r", "stages": [*stages], **more})


def test_every_seed_of_minus_one_is_drawn_once_and_others_stay():
    recipe = unfrozen(
        base(),
        redraw("vary", "base", seed=-1),
        redraw("late", "vary", seed=5),
        redraw("last", "late", seed="{seed}"),
        {"id": "sheet", "type": "sheet", "takes": "last"},
        inputs={"seed": {"type": "number", "default": -1}, "other": {"type": "number", "default": -1}},
        rows=[{"seed": -1, "n": -1}, {"seed": 3, "stages.late.seed": -1}],
        axes={"stages.vary.seed": [-1, -1, 4]},
    )
    frozen = freeze(recipe, Random(1))
    first, second, late, last, sheet = frozen.stages
    drawn = [first["seed"], second["seed"], frozen.inputs["seed"].default, frozen.rows[0]["seed"], frozen.rows[1]["stages.late.seed"]]
    drawn += frozen.axes["stages.vary.seed"][:2]
    assert len(set(drawn)) == 7
    assert all(0 <= seed < SEEDS for seed in drawn)
    assert (late["seed"], last["seed"], frozen.rows[0]["n"], frozen.rows[1]["seed"]) == (5, "{seed}", -1, 3)
    assert "seed" not in sheet
    assert frozen.inputs["other"].default == -1
    assert frozen.axes["stages.vary.seed"][2] == 4
    assert freeze(frozen, Random(2)) == frozen
    assert freeze(recipe, Random(1)) == frozen != freeze(recipe, Random(2))
    assert from_json(Recipe, to_json(frozen)) == frozen


def test_a_frozen_recipe_has_one_plan_and_an_unfrozen_one_none():
    recipe = unfrozen(base())
    frozen = freeze(recipe, Random(1))
    assert [node.key for node in make_plan(frozen, {}, {}).nodes] == [node.key for node in make_plan(frozen, {}, {}).nodes]
    with pytest.raises(BadRequest, match='Stage "base" has the seed -1: it must be drawn'):
        make_plan(recipe, {}, {})


def test_values_that_stand_for_a_seed_are_drawn_too():
    recipe = unfrozen(base(seed="{seed}"), inputs={"seed": {"type": "number"}, "n": {"type": "number", "default": 1}})
    values = freeze_values(recipe, {"seed": "-1", "n": -1}, Random(1))
    assert values["n"] == -1
    assert make_plan(recipe, values, {}).nodes[0].seed == values["seed"]


def test_policies():
    stages = [base(batch_size=2, seed=10, prompt="{place}"), redraw("vary", "base", seed=20)]
    axes = {"place": ["a", "b"], "stages.vary.seed_policy": ["fixed", "per item", "per candidate"]}
    made = plan(stages, axes=axes)
    found = {(node.items[0], node.position): node.seed for node in of(made, "vary")}
    assert found == {
        (0, 0): 20,
        (0, 1): 20,
        (1, 0): 21,
        (1, 1): 21,  # the second of item 2 is the second of item 1
        (3, 0): 20,
        (3, 1): 20,
        (4, 0): 24,
        (4, 1): 24,
        (5, 1): 21,
    }
    assert {node.seed for node in of(made, "base")} == {10}


def test_the_highest_seed_is_followed_by_zero():
    made = plan([base(seed=SEEDS - 1, seed_policy="per item")], rows=[{}, {}])
    assert [node.seed for node in made.nodes] == [SEEDS - 1, 0]
