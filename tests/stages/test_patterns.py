"""Names in braces stand for each picture's own values, and items are told apart by what differs."""

from __future__ import annotations

import pytest

from lib_extension.spec.errors import BadRequest
from lib_extension.stages.patterns import fill_pattern, with_variables


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("{place}-{stage}-{index}", "beach-base-2"),
        ("no names", "no names"),
        ("{none}|{a-b}", "|x"),
        ("{stages.redraw.loras.0.weight}", "0.5"),
        ("{} { place } {1}", "{} { place } {1}"),
    ],
)
def test_filled(pattern: str, text: str):
    by_path = {"stages.redraw.loras.0.weight": 0.5}
    assert fill_pattern(pattern, {"place": "beach", "stage": "base", "index": 2, "none": None, "a-b": "x", **by_path}) == text


def test_a_value_is_not_a_pattern():
    assert fill_pattern("{a}", {"a": "{b}", "b": "secret"}) == "{b}"


def test_unknown_names():
    with pytest.raises(BadRequest, match=r'asks for {stag}, which no picture has here. Did you mean "stage"?'):
        fill_pattern("{stag}", {"stage": "base"})


@pytest.mark.parametrize(
    ("items", "texts"),
    [
        ([{"product": "watch", "place": "beach"}, {"product": "watch", "place": "forest"}], ["beach", "forest"]),
        ([{"product": "watch", "strength": 0.4}, {"product": "bag", "strength": 0.5}], ["watch, 0.4", "bag, 0.5"]),
        ([{"product": "watch", "place": "beach"}], ["watch, beach"]),
        ([{"place": "beach"}, {"other": "x"}], ["beach", "x"]),
        ([{"rows": [1, 2], "none": None, "place": "beach"}], ["beach"]),
        ([{}], [""]),
        ([{"text": "a" * 200}], ["a" * 79 + "…"]),
    ],
)
def test_items_are_told_apart(items: list[dict[str, object]], texts: list[str]):
    labels = [{"item": place, **item, "stage": "base", "index": 0} for place, item in enumerate(items)]
    assert [label["variables"] for label in with_variables(labels)] == texts
