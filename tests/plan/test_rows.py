"""Items: rows are zipped, axes multiplied, inputs typed, and no more made than is meant."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extension.plan.rows import MOST_ITEMS, UNCONFIRMED_ITEMS, make_items, read_input
from lib_extension.spec.errors import AtelierError, BadRequest, TooLarge
from lib_extension.spec.recipe import Input, Recipe

STAGES = ({"id": "base", "type": "txt2img"},)


def recipe(**fields: Any) -> Recipe:
    return Recipe(name="r", stages=STAGES, **fields)


def test_rows_are_zipped_and_axes_multiplied_the_last_fastest():
    items = make_items(recipe(rows=({"a": 1, "b": 2}, {"a": 3}), axes={"c": [5, 6], "stages.base.steps": [7, 8]}), {})
    assert [item.values for item in items] == [
        *[{"a": 1, "b": 2, "c": 5}] * 2,
        *[{"a": 1, "b": 2, "c": 6}] * 2,
        *[{"a": 3, "c": 5}] * 2,
        *[{"a": 3, "c": 6}] * 2,
    ]
    assert [item.paths for item in items] == [{"stages.base.steps": 7}, {"stages.base.steps": 8}] * 4
    assert [item.index for item in items] == list(range(8))


def test_without_rows_and_axes_there_is_one_item():
    assert [item.values for item in make_items(recipe(), {})] == [{}]


@given(st.integers(0, 5), st.lists(st.integers(1, 4), max_size=3))
def test_the_number_of_items(rows: int, axes: list[int]):
    made = make_items(recipe(rows=({},) * rows, axes={f"a{i}": list(range(n)) for i, n in enumerate(axes)}), {})
    assert len(made) == max(1, rows) * math.prod(axes)


def test_a_billion_items_are_refused_with_their_number_before_one_is_made():
    with pytest.raises(TooLarge, match=r"makes 1,000,000,000 items \(1,000 of a × 1,000 of b × 1,000 of c\); 1,000,000 is the most"):
        make_items(recipe(axes={name: list(range(1000)) for name in "abc"}), {}, confirm=True)


def test_many_items_need_a_confirmation():
    many = recipe(rows=({},) * 101, axes={"a": list(range(100))})
    with pytest.raises(
        TooLarge, match=r"makes 10,100 items \(101 rows × 100 of a\). More than 10,000 must be confirmed: say so with confirm"
    ):
        make_items(many, {})
    assert len(make_items(many, {}, confirm=True)) == 10_100 > UNCONFIRMED_ITEMS
    assert MOST_ITEMS > UNCONFIRMED_ITEMS


INPUTS = {
    "place": Input(type="text", default="here"),
    "steps": Input(type="number", default=20, minimum=1, maximum=50),
    "style": Input(type="choice", choices=("flat", "photo"), default="flat"),
    "lora": Input(type="lora", optional=True),
}


def test_inputs_are_given_or_have_their_default_and_rows_come_before_both():
    rows = ({}, {"place": "there", "steps": "0.5e1"}, {"steps": "", "lora": "x"})
    made = make_items(recipe(inputs=INPUTS, rows=rows), {"style": "photo", "steps": 30})
    assert [item.values for item in made] == [
        {"place": "here", "steps": 30, "style": "photo", "lora": None},
        {"place": "there", "steps": 5, "style": "photo", "lora": None},
        {"place": "here", "steps": 30, "style": "photo", "lora": "x"},
    ]
    assert [type(item.values["steps"]) for item in made] == [int, int, int]


def test_an_empty_text_for_an_optional_input_is_none_and_not_its_default():
    style = {"style": Input(type="lora", optional=True, default="ink"), "model": Input(type="checkpoint", default="base")}
    rows = ({}, {"style": ""}, {"style": "wash"})
    for asked, wanted in (({}, "ink"), ({"style": None}, "ink"), ({"style": ""}, None), ({"style": "pen"}, "pen")):
        made = make_items(recipe(inputs=style, rows=rows), {**asked, "model": ""})
        assert [item.values for item in made] == [{"style": said, "model": "base"} for said in (wanted, wanted, "wash")]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"plcae": "x"}, 'has no input "plcae". Did you mean "place"?'),
        ({"steps": 0}, 'The input "steps" is 0; it must be at least 1.'),
        ({"steps": "51"}, 'The input "steps" is 51; it must be at most 50.'),
        ({"steps": "many"}, "The input \"steps\" is 'many'; it must be a number."),
        ({"steps": math.nan}, "must be a number"),
        ({"steps": "1e999"}, "must be a number"),
        ({"steps": True}, "must be a number"),
        ({"steps": 10**400}, "must be a number"),
        ({"style": "foto"}, 'it must be one of flat, photo. Did you mean "photo"?'),
        ({"lora": 5}, 'The input "lora" is 5; it must be text.'),
        ({"place": ["x"]}, "must be text"),
    ],
)
def test_values_that_an_input_cannot_have_are_refused(given: dict[str, Any], message: str):
    with pytest.raises(BadRequest) as raised:
        make_items(recipe(inputs=INPUTS), given)
    assert message in str(raised.value)


def test_a_value_that_no_item_would_have_is_refused():
    rows = ({"place": "", "steps": 5}, {"place": "there", "steps": 6})
    with pytest.raises(BadRequest, match='"steps" is given, but every row has its own'):
        make_items(recipe(inputs=INPUTS, rows=rows), {"steps": 7})
    with pytest.raises(BadRequest, match='"place" is given, but every row has its own'):
        make_items(recipe(inputs=INPUTS, rows=rows), {"place": "here"})  # an empty text is a text
    with pytest.raises(BadRequest, match='"style" is given, but it is an axis of the recipe'):
        make_items(recipe(inputs=INPUTS, axes={"style": ["flat"]}), {"style": "photo"})
    assert [item.values["steps"] for item in make_items(recipe(inputs=INPUTS, rows=({}, *rows)), {"steps": 7})] == [7, 5, 6]
    assert len(make_items(recipe(inputs=INPUTS, rows=rows), {"steps": "", "place": None})) == 2


def test_a_row_is_named_in_messages():
    with pytest.raises(BadRequest, match="Row 2: The input \"style\" is 'flet'"):
        make_items(recipe(inputs=INPUTS, rows=({}, {"style": "flet"})), {})
    with pytest.raises(BadRequest, match='The input "text" needs a value in row 2'):
        make_items(recipe(inputs={"text": Input(type="text")}, rows=({"text": "a"}, {})), {})


@given(st.sampled_from(sorted(INPUTS)), st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()))
@settings(max_examples=200)
def test_any_value_is_read_in_the_inputs_type_or_refused(name: str, value: Any):
    try:
        read = read_input(name, INPUTS[name], value)
    except AtelierError:
        return
    assert read is None or isinstance(read, (int, float) if name == "steps" else str)
    assert read_input(name, INPUTS[name], read) == read
