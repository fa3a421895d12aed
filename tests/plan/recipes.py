"""Recipes that the tests of the plan share, of real stage types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from lib_extension.plan import Facts, Node, Plan, freeze, make_plan
from lib_extension.spec.recipe import Recipe
from lib_extension.stages import load_recipe

SHA = "0" * 63
PICTURES = {f"{name}.png": SHA + digit for name, digit in (("watch", "1"), ("vase", "2"), ("shoe", "3"))}
DRAWING = {"drawing": {"type": "image", "default": "watch.png"}}


def recipe(stages: Sequence[Mapping[str, Any]], **more: Any) -> Recipe:
    """A frozen recipe with these stages; its input `drawing` is a picture."""
    data = {"name": "test", "inputs": DRAWING, "settings": {"seed": 7}, "stages": stages, **more}
    return freeze(load_recipe(data), Random(1))


def plan(stages: Sequence[Mapping[str, Any]], facts: Facts | None = None, values: Mapping[str, Any] | None = None, **more: Any) -> Plan:
    """The plan of such a recipe."""
    return make_plan(recipe(stages, **more), values or {}, PICTURES, facts or Facts())


def of(plan: Plan, stage: str) -> list[Node]:
    """The nodes of one stage."""
    return [node for node in plan.nodes if node.id == stage]


def refuse_disorder(plan: Plan) -> None:
    """Each node must come after those that it needs, and none twice."""
    seen: set[str] = set()
    for node in plan.nodes:
        assert seen.issuperset(node.needs)
        assert node.key not in seen
        seen.add(node.key)
    assert {node.key for node in plan.pending} <= seen
    assert all(final.source.blob or final.source.key in seen for final in plan.finals)


def base(**more: Any) -> dict[str, Any]:
    return {"id": "base", "type": "txt2img", "prompt": "a watch", "width": 128, "height": 128, **more}


def redraw(id: str, takes: str | Sequence[str], **more: Any) -> dict[str, Any]:
    return {"id": id, "type": "img2img", "takes": takes, **more}
