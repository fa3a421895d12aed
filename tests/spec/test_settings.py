"""A setting is declared once: JSON in, JSON out, JSON Schema and errors all follow from that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator, meta

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field, from_json, json_schema, read_value, to_json, value_schema, with_fields


@dataclass(frozen=True)
class Blur(Settings):
    """How soft an edge is."""

    radius: float = field(4.0, label="Radius", minimum=0, maximum=64, step=0.5, help="Pixels.")
    kind: Literal["gauss", "box"] = field("gauss")


@dataclass(frozen=True)
class Stage(Settings):
    name: str = field()
    steps: int = field(20, minimum=1)
    on: bool = field(True)
    sampler: str = field("Euler", choices=["Euler", "DDIM"])
    blur: Blur = field(Blur())
    size: tuple[int, int] = field((512, 512), minimum=8)
    seeds: tuple[int, ...] = field((), maximum=9)
    weights: dict[str, float] = field({}, maximum=2)
    mask: Blur | str | None = field(None)
    rest: list[Any] = field([])

    def check(self) -> None:
        if self.name == self.sampler:
            raise BadRequest("name and sampler are the same.")


def test_defaults_fill_what_is_left_out():
    assert from_json(Stage, {"name": "a"}) == Stage("a")
    assert from_json(Stage, {"name": "a", "mask": {"radius": 3}, "size": [8, 16]}) == Stage("a", mask=Blur(3.0), size=(8, 16))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "Stage is []; it must be an object."),
        ({}, "name is missing."),
        ({"name": "a", "stepz": 1}, 'stepz is not known. Did you mean "steps"?'),
        ({"name": "a", "blur": {"radios": 1}}, 'blur.radios is not known. Did you mean "radius"?'),
        ({"name": "a", "steps": 0}, "steps is 0; it must be at least 1."),
        ({"name": "a", "steps": 2.5}, "steps is 2.5; it must be a whole number."),
        ({"name": "a", "steps": True}, "steps is True; it must be a whole number."),
        ({"name": "a", "on": 1}, "on is 1; it must be true or false."),
        ({"name": 1}, "name is 1; it must be text."),
        ({"name": "a", "sampler": "Eular"}, "sampler is 'Eular'; it must be one of 'Euler', 'DDIM'. Did you mean \"Euler\"?"),
        ({"name": "a", "blur": {"radius": 65}}, "blur.radius is 65; it must be between 0 and 64."),
        ({"name": "a", "blur": {"radius": float("nan")}}, "blur.radius is nan; it must be a number."),
        ({"name": "a", "blur": {"kind": "bux"}}, "blur.kind is 'bux'; it must be one of 'gauss', 'box'. Did you mean \"box\"?"),
        ({"name": "a", "size": [8]}, "size has 1 values; it must have 2."),
        ({"name": "a", "size": [8, 7]}, "size[1] is 7; it must be at least 8."),
        ({"name": "a", "seeds": [1, 10]}, "seeds[1] is 10; it must be at most 9."),
        ({"name": "a", "seeds": 1}, "seeds is 1; it must be a list."),
        ({"name": "a", "weights": {"x": 3}}, "weights.x is 3; it must be at most 2."),
        ({"name": "a", "weights": []}, "weights is []; it must be an object."),
        ({"name": "Euler"}, "name and sampler are the same."),
    ],
)
def test_wrong_values_are_named(data: object, message: str):
    with pytest.raises(BadRequest) as caught:
        from_json(Stage, data)
    assert str(caught.value) == message


def test_where_begins_the_path():
    with pytest.raises(BadRequest, match=r"^stages\[2\]\.steps is 0"):
        from_json(Stage, {"name": "a", "steps": 0}, "stages[2]")


def test_mutable_defaults_are_not_shared():
    first, second = Stage("a"), Stage("b")
    assert first.rest == second.rest
    assert first.rest is not second.rest


def test_schema():
    schema = json_schema(Stage)
    meta.validate(schema)
    assert schema["required"] == ["name"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["steps"] == {"type": "integer", "minimum": 1, "default": 20}
    assert schema["properties"]["blur"] == {"$ref": "#/$defs/Blur", "default": {"radius": 4.0, "kind": "gauss"}}
    assert schema["$defs"]["Blur"]["description"] == "How soft an edge is."
    radius = {"type": "number", "minimum": 0, "maximum": 64, "title": "Radius", "description": "Pixels.", "step": 0.5, "default": 4.0}
    assert schema["$defs"]["Blur"]["properties"]["radius"] == radius


blurs = st.builds(Blur, st.floats(0, 64), st.sampled_from(["gauss", "box"]))
stages = st.builds(
    Stage,
    name=st.text().filter(lambda name: name not in ("Euler", "DDIM")),
    steps=st.integers(1, 10**6),
    on=st.booleans(),
    sampler=st.sampled_from(["Euler", "DDIM"]),
    blur=blurs,
    size=st.tuples(st.integers(8, 4096), st.integers(8, 4096)),
    seeds=st.lists(st.integers(-5, 9)).map(tuple),
    weights=st.dictionaries(st.text(max_size=3), st.floats(-1, 2)),
    mask=st.none() | blurs | st.text(),
    rest=st.lists(st.integers() | st.text()),
)


@given(stages)
def test_json_and_back(stage: Stage):
    written = to_json(stage)
    assert from_json(Stage, written) == stage
    assert Draft202012Validator(json_schema(Stage)).is_valid(written)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.text(max_size=3),
            "steps": st.integers(-2, 3),
            "on": st.booleans(),
            "blur": st.none() | st.just({"radius": 3}),
        },
    )
)
def test_some_fields_read_anew_are_as_if_all_were(changes: dict[str, Any]):
    whole = {"name": "a", "steps": 5, "mask": {"radius": 1}}

    def outcome(read: Callable[[], Stage]) -> Stage | None:
        try:
            return read()
        except BadRequest:
            return None

    assert outcome(lambda: with_fields(from_json(Stage, whole), changes)) == outcome(lambda: from_json(Stage, whole | changes))


def test_unknown_fields_are_no_better_alone():
    with pytest.raises(BadRequest, match=r'stage.stepz is not known. Did you mean "steps"'):
        with_fields(Stage("a"), {"stepz": 1}, "stage")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["radius", "kind", "x"]), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["name", "steps", "on", "sampler", "blur", "size", "seeds", "weights", "mask", "y"]), json_values))
def test_what_is_taken_is_what_the_schema_allows(data: dict[str, Any]):
    """`check` aside, and whole floats aside: the schema's "integer" takes 4.0 as from_json does."""
    try:
        from_json(Stage, data)
        taken = True
    except BadRequest as refused:
        taken = "are the same" in str(refused)
    assert taken == Draft202012Validator(json_schema(Stage)).is_valid(data)


@dataclass(frozen=True)
class Circle(Settings):
    kind: Literal["circle"]
    radius: int = field(1, minimum=1)


@dataclass(frozen=True)
class Square(Settings):
    kind: Literal["square"]
    side: int = field(1, minimum=1)


@dataclass(frozen=True)
class Group(Settings):
    shapes: list[Shape]


Shape = Circle | Square | Group


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ({"kind": "circle", "radius": 3}, Circle("circle", 3)),
        ({"shapes": [{"kind": "square"}, {"shapes": []}]}, Group([Square("square"), Group([])])),
    ],
)
def test_a_field_of_one_choice_tells_which_form_is_meant(data: object, wanted: Settings):
    assert read_value(Shape, data, "shape") == wanted
    assert to_json(read_value(Shape, to_json(wanted))) == to_json(wanted)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"kind": "circle", "side": 3}, "shape.side is not known."),
        ({"kind": "circel"}, "shape.kind is 'circel'; it must be one of 'circle', 'square'. Did you mean \"circle\"?"),
        ({"kind": 3}, "shape.kind is 3; it must be text."),
        ({"shaps": []}, 'shape.shaps is not known. Did you mean "shapes"?'),
        ({"shapes": [{"kind": "square", "side": 0}]}, "shape.shapes[0].side is 0; it must be at least 1."),
        ("circle", "shape is 'circle'; it must be an object."),
    ],
)
def test_only_the_form_that_is_meant_has_something_to_say(data: object, message: str):
    with pytest.raises(BadRequest) as refused:
        read_value(Shape, data, "shape")
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([{"kind": "circle"}, {"kind": "round"}], "shape[1].kind is 'round'; it must be one of 'circle', 'square'."),
        ({"kind": "round"}, "shape.kind is 'round'; it must be one of 'circle', 'square'."),
    ],
)
def test_lists_objects_and_texts_are_told_apart(data: object, message: str):
    with pytest.raises(BadRequest) as refused:
        read_value(str | Shape | tuple[Shape, ...], data, "shape")
    assert str(refused.value) == message


def test_the_schema_of_a_union_holds_itself():
    defs: dict[str, Any] = {}
    schema = {**value_schema(Shape, defs), "$defs": defs}
    meta.validate(schema)
    assert Draft202012Validator(schema).is_valid({"shapes": [{"shapes": [{"kind": "circle"}]}]})
    assert not Draft202012Validator(schema).is_valid({"shapes": [{"shapes": [{"kind": "circel"}]}]})


@dataclass(frozen=True)
class Hinted(Settings):
    prompt: str = field("", label="Prompt", multiline=True, prompt=True)
    model: str = field("", names="checkpoints", advanced=True)
    over: str = field("", source="picture")


def test_hints_for_forms_stand_in_the_schema_and_nowhere_else():
    schema = json_schema(Hinted)["properties"]
    assert schema["prompt"] == {"type": "string", "title": "Prompt", "default": "", "x-multiline": True, "x-prompt": True}
    assert schema["model"] == {"type": "string", "default": "", "x-names": "checkpoints", "x-advanced": True}
    assert schema["over"]["x-source"] == "picture"
    assert to_json(Hinted()) == {"prompt": "", "model": "", "over": ""}
