from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extension.spec.numbers_as_text import text_of, with_texts
from lib_extension.spec.settings import Settings, field, from_json


@dataclass(frozen=True, kw_only=True)
class Inner(Settings):
    name: str = field("")
    weight: float = field(1.0)


@dataclass(frozen=True, kw_only=True)
class Other(Settings):
    kind: Literal["a", "5"] = field("a")
    steps: int = field(1)


@dataclass(frozen=True, kw_only=True)
class Stage(Settings):
    prompt: str = field("")
    checkpoint: str | None = field(None)
    upscale: str | int = field("")
    names: tuple[str, ...] = field(())
    size: tuple[int, int] = field((1, 1))
    loras: tuple[Inner, ...] = field(())
    sources: list[Inner | Other] = field([])
    texts: dict[str, str] = field({})
    anything: dict[str, Any] = field({})
    flag: bool = field(False)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"prompt": 5}, {"prompt": "5"}),
        ({"prompt": 5.0}, {"prompt": "5"}),
        ({"prompt": 0.25}, {"prompt": "0.25"}),
        ({"prompt": True}, {"prompt": "true"}),
        ({"checkpoint": 1950}, {"checkpoint": "1950"}),
        ({"checkpoint": None}, {"checkpoint": None}),
        ({"upscale": 2}, {"upscale": 2}),
        ({"names": ["a", 7]}, {"names": ["a", "7"]}),
        ({"size": [3, 4]}, {"size": [3, 4]}),
        ({"loras": [{"name": 90, "weight": 1}]}, {"loras": [{"name": "90", "weight": 1}]}),
        (
            {"sources": [{"name": 5, "weight": 2}, {"kind": 5, "steps": 5}]},
            {"sources": [{"name": "5", "weight": 2}, {"kind": "5", "steps": 5}]},
        ),
        ({"texts": {"a": 1}, "anything": {"a": 1}}, {"texts": {"a": "1"}, "anything": {"a": 1}}),
        ({"flag": True, "unknown": 3}, {"flag": True, "unknown": 3}),
    ],
)
def test_numbers_are_written_out_where_only_text_can_stand(given: dict[str, Any], read: dict[str, Any]):
    assert with_texts(Stage, given) == read


plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)
values = st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3))


@given(st.dictionaries(st.sampled_from([*Stage.__dataclass_fields__, "x"]), values))
def test_nothing_breaks_it_and_doing_it_twice_changes_nothing(data: dict[str, Any]):
    once = with_texts(Stage, data)
    assert with_texts(Stage, once) == once


def test_what_could_be_read_is_read_the_same():
    told = {"prompt": "a", "upscale": 2, "names": ("b",), "loras": [{"name": "c"}], "size": [2, 3]}
    assert from_json(Stage, with_texts(Stage, told)) == from_json(Stage, told)


@pytest.mark.parametrize(("value", "text"), [(5, "5"), (5.0, "5"), (-0.5, "-0.5"), (False, "false"), (1e300, "1e+300"), ("x", "x")])
def test_a_value_within_a_text(value: object, text: str):
    assert text_of(value) == text
