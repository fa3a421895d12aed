"""Why a stage runs: what entered its key, compared with the run before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from lib_extension.plan import Explained, Facts, Plan, explain
from tests.plan.recipes import DRAWING, base, plan, redraw

STAGES = [
    base(batch_size=2),
    redraw("vary", "base", denoising_strength=0.4, controlnet=[{"image": "drawing", "module": "canny", "model": "demo"}]),
    {"id": "sheet", "type": "sheet", "takes": "vary", "labels": "{place}"},
]
ROWS = [{"place": "here"}]


def told(before: Plan, after: Plan) -> dict[str, tuple[str, str]]:
    """place → (state, why), where all of the earlier plan has results."""
    found = explain(after, set(before.by_key), {node.place: node.parts for node in before.nodes})
    return {each.node.place: (each.state, each.why) for each in found}


def edited(number: int, **fields: Any) -> list[dict[str, Any]]:
    return [{**stage, **fields} if i == number else stage for i, stage in enumerate(STAGES)]


def test_nothing_changed():
    before = plan(STAGES, rows=ROWS)
    assert set(told(before, before).values()) == {("cached", "nothing it depends on has changed")}


def test_an_edit_is_told_and_what_follows_from_it():
    before, after = plan(STAGES, rows=ROWS), plan(edited(1, denoising_strength=0.35), rows=ROWS)
    assert told(before, after) == {
        "base/0/0": ("cached", "nothing it depends on has changed"),
        "vary/0/0": ("will run", "denoising_strength 0.40 → 0.35"),
        "vary/0/1": ("will run", "denoising_strength 0.40 → 0.35"),
        "sheet/0/0": ("will run", "takes vary, which runs anew"),
    }


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"steps": 25, "prompt": "a"}, 'prompt "" → "a", steps 20 → 25'),
        ({"prompt": "x" * 200}, f'prompt "" → "{"x" * 38}…'),
        ({"seed": 8}, "seed 7 → 8"),
        ({"checkpoint": "other"}, 'checkpoint "" → "other"'),
        (
            {"loras": [{"name": "a", "weight": 0.5}]},
            'loras is not [] any more, loras.0.name is "a" now, loras.0.te_weight is none now, and 1 more',
        ),
        ({"tiling": True}, "tiling False → True"),
    ],
)
def test_changes_of_settings(fields: Mapping[str, Any], why: str):
    assert told(plan(STAGES, rows=ROWS), plan(edited(1, **fields), rows=ROWS))["vary/0/0"] == ("will run", why)


def test_changes_of_what_is_around():
    def facts(checkpoint: str, backend: str, control: str = "c") -> Facts:
        return Facts(identities=lambda kind, name: checkpoint if kind == "checkpoint" else control, backend=backend)

    before = plan(STAGES, facts("a", "engine"), rows=ROWS)
    other_checkpoint = told(before, plan(STAGES, facts("b", "engine"), rows=ROWS))
    assert other_checkpoint["base/0/0"] == ("will run", "the checkpoint in use is another one")
    assert other_checkpoint["vary/0/0"] == ("will run", "the checkpoint in use is another one, takes base, which runs anew")
    assert told(before, plan(STAGES, facts("a", "a1111"), rows=ROWS))["base/0/0"] == ("will run", 'backend "engine" → "a1111"')
    other_control = told(before, plan(STAGES, facts("a", "engine", "d"), rows=ROWS))
    assert other_control["vary/0/0"] == ("will run", 'the controlnet "demo" is another file')
    given = told(before, plan(STAGES, facts("a", "engine"), {"drawing": "vase.png"}, rows=ROWS, inputs=DRAWING))
    assert given["base/0/0"][0] == "cached"
    assert given["vary/0/0"] == ("will run", "another picture is given for drawing")


def test_labels_choices_and_new_stages():
    before = plan(STAGES, rows=ROWS)
    assert told(before, plan(STAGES, rows=[{"place": "there"}]))["sheet/0/0"] == ("will run", "the label place changed")
    review = [STAGES[0], {"id": "choose", "type": "review", "takes": "base"}, redraw("vary", "choose")]
    undecided = plan(review)
    assert told(undecided, undecided)["choose/0/0"] == ("waits", "2 to choose from")
    first, second = (plan(review, Facts(choices={undecided.pending[0].key: (i,)})) for i in (0, 1))
    assert told(undecided, first)["vary/0/0"] == ("will run", "new")
    assert told(first, second)["vary/0/0"] == ("will run", "takes another picture of base: 2 of 2")


def test_a_result_that_is_gone():
    made = plan(STAGES, rows=ROWS)
    first: Explained = explain(made, set(), {node.place: node.parts for node in made.nodes})[0]
    assert (first.state, first.why) == ("will run", "its result is not there any more")
