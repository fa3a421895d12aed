"""Stages that are there only when an input has a value: one way of two is planned, and nothing of the other."""

from __future__ import annotations

from typing import Any

import pytest

from lib_extension.plan import Plan, Source
from lib_extension.spec.errors import BadRequest
from lib_extension.stages import load_recipe
from tests.plan.recipes import DRAWING, base, of, plan, redraw

WAY = {"way": {"type": "choice", "choices": ["short", "long"], "default": "short"}}
STAGES = [
    base(),
    redraw("quick", "base", when={"way": "short"}),
    redraw("first", "base", when={"way": "long"}, denoising_strength=0.2),
    redraw("second", "first", when={"way": "long"}),
    redraw("late", ["quick", "second"]),
    {"id": "sheet", "type": "sheet", "takes": ["quick", "first", "second"], "when": {"way": "long"}},
]


def made(values: dict[str, Any] | None = None, **more: Any) -> Plan:
    return plan(STAGES, values=values, inputs={**DRAWING, **WAY}, **more)


def stages_of(plan: Plan) -> list[str]:
    return [node.id for node in plan.nodes]


def test_only_the_stages_of_the_value_are_planned_and_the_others_tell_why_not():
    short, long = made(), made({"way": "long"})
    assert stages_of(short) == ["base", "quick", "late"]
    assert stages_of(long) == ["base", "first", "second", "late", "sheet"]
    assert [(left.stage, left.reason) for left in long.left_out] == [("quick", 'it is there only when "way" is "short"')]
    assert [left.stage for left in short.left_out] == ["first", "second", "sheet"]


def test_a_stage_that_is_left_out_passes_nothing_on():
    (late,) = of(made({"way": "long"}), "late")
    assert late.taken == (Source(of(made({"way": "long"}), "second")[0].key),)


def test_a_condition_is_in_no_key():
    plainly = plan([base(), redraw("quick", "base"), redraw("late", "quick")], inputs=DRAWING)
    assert [node.key for node in made().nodes] == [node.key for node in plainly.nodes]


def test_each_item_goes_its_own_way():
    both = plan(STAGES[:5], inputs={**DRAWING, **WAY}, axes={"way": ["short", "long"]})
    assert [(node.id, node.items) for node in both.nodes] == [
        ("base", (0, 1)),
        ("quick", (0,)),
        ("first", (1,)),
        ("second", (1,)),
        ("late", (0,)),
        ("late", (1,)),
    ]


def test_what_takes_only_what_is_left_out_is_left_out_too():
    later = plan([*STAGES[:3], redraw("after", "first")], inputs={**DRAWING, **WAY})
    assert stages_of(later) == ["base", "quick"]


def test_numbers_and_rows_are_compared_as_they_are_written():
    rows = [{"parts": 2}, {"parts": 3}]
    found = plan([base(), redraw("third", "base", when={"parts": "3"})], rows=rows)
    assert of(found, "third")[0].items == (1,)


def test_conditions_that_can_never_be_met_are_refused():
    with pytest.raises(BadRequest, match=r'stages.quick.when.way is "shrt", which the input cannot be.*Did you mean "short"'):
        load_recipe({"name": "r", "inputs": WAY, "stages": [base(), redraw("quick", "base", when={"way": "shrt"})]})
    with pytest.raises(BadRequest, match=r'"quick" uses {wya}, which is no input, row or axis. Did you mean "way"'):
        plan([base(), redraw("quick", "base", when={"wya": "short"})], inputs=WAY)
    with pytest.raises(BadRequest, match="one for the whole run"):
        made(axes={"way": ["short", "long"]})


def test_a_condition_is_never_every_stages():
    with pytest.raises(BadRequest, match=r"settings.when would be every stage's"):
        load_recipe({"name": "r", "settings": {"when": {"way": "short"}}, "stages": [base()]})
