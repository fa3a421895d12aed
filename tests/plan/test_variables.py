"""Variables: typed where they stand alone, written into texts elsewhere, left out without a value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extension.plan.variables import fill, names_in, set_path, texts_in
from lib_extension.spec.errors import BadRequest

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
json_values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3))


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("a watch {place}", "a watch on a beach"),
        ("{place}", "on a beach"),
        ("{steps}", 20),
        ("{steps} steps", "20 steps"),
        ("{half}", 0.5),
        ("({half})", "(0.5)"),
        ("{{place}} {place}", "{place} on a beach"),
        ("{{place}}", "{place}"),
        ("{ place } {} { {1} [a:b:0.5]", "{ place } {} { {1} [a:b:0.5]"),
        ("{brace}", "{place}"),  # what is filled in is not filled in again
        ("<{nothing}>", "<>"),
        ("{sizes}", [1, 2]),
    ],
)
def test_texts_are_filled_in(text: str, filled: Any):
    values = {"place": "on a beach", "steps": 20, "half": 0.5, "brace": "{place}", "nothing": None, "sizes": [1, 2]}
    assert fill({"x": [{"y": text}]}, values) == {"x": [{"y": filled}]}


def test_what_has_no_value_is_left_out():
    stage = {
        "steps": "{n}",
        "styles": ["a", "{n}"],
        "loras": [{"name": "{n}", "weight": 1}, {"name": "b", "weight": "{w}"}],
        "controlnet": [{"image": "x", "weight": "{n}"}],
        "mask": [{"kind": "text", "prompt": "{n}"}],
    }
    assert fill(stage, {"n": None, "w": 0.5}) == {
        "styles": ["a"],
        "loras": [{"name": "b", "weight": 0.5}],
        "controlnet": [],
        "mask": [{"kind": "text"}],
    }


def test_unknown_names_are_refused_with_the_near_miss():
    with pytest.raises(BadRequest) as raised:
        fill({"prompt": "{plcae}"}, {"place": "x"}, stage="base")
    assert str(raised.value) == 'Stage "base" uses {plcae}, which is no input, row or axis. Did you mean "place"?'


@given(json_values)
def test_without_variables_nothing_changes(value: Any):
    if not any("{" in text for _, text in texts_in(value)):
        assert fill({"field": value}, {}) == {"field": value}
        assert names_in(value) == frozenset()


@given(st.dictionaries(names, scalars, min_size=1, max_size=4), st.data())
def test_a_variable_alone_gives_its_value_and_its_type(values: dict[str, Any], data: st.DataObject):
    name = data.draw(st.sampled_from(sorted(values)))
    filled = fill({"field": f"{{{name}}}"}, values)
    assert filled == ({} if values[name] is None else {"field": values[name]})
    assert all(type(value) is type(values[name]) for value in filled.values())


@given(st.lists(names, max_size=4), st.text(alphabet="ab ,.", max_size=5))
def test_every_name_is_found_and_escaped_ones_are_not(found: list[str], between: str):
    assert names_in({"a": [between.join(f"{{{name}}}" for name in found)]}) == frozenset(found)
    assert names_in(between.join(f"{{{{{name}}}}}" for name in found)) == frozenset()


def test_paths_set_fields_of_fields_and_change_nothing_else():
    stage = {"steps": 20, "loras": [{"name": "a"}, {"name": "b"}]}
    changed = set_path(stage, "stages.base.loras.1.weight", 0.5)
    assert changed == {"steps": 20, "loras": [{"name": "a"}, {"name": "b", "weight": 0.5}]}
    assert set_path(stage, "stages.base.override_settings.eta_noise_seed_delta", 1)["override_settings"] == {"eta_noise_seed_delta": 1}
    assert stage == {"steps": 20, "loras": [{"name": "a"}, {"name": "b"}]}


@pytest.mark.parametrize(
    "path", ["stages.b.id", "stages.b.type", "stages.b.scope", "stages.b.loras.2.name", "stages.b.loras.x", "stages.b.steps.x"]
)
def test_paths_that_lead_nowhere_are_refused(path: str):
    with pytest.raises(BadRequest, match=path):
        set_path({"steps": 20, "loras": [{"name": "a"}, {"name": "b"}]}, path, 1)
