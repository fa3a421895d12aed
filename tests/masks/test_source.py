"""Masks are combined and worked over, and nothing found stays nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator, meta
from PIL import Image

from lib_extension.masks import MASKS, make_mask, needs_network, read_source, references, source_schema
from lib_extension.masks.mask_type import MaskGiven
from lib_extension.pictures.png import decode_picture
from lib_extension.spec.calls import Call, ModelMask
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import from_json, to_json
from lib_extension.stages.stage import Answer
from tests.masks.asked import carried_out, found, mask_of, picture

TAKEN = picture(np.array([[(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]]))


def colour(name: str, **more: Any) -> dict[str, Any]:
    return {"kind": "colour", "colour": name, "tolerance": 0, **more}


R, G, B, NOTHING = colour("red"), colour("lime"), colour("blue"), colour("yellow")


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ({"union": [R, B]}, [1, 0, 1, 0]),
        ({"union": [R, NOTHING]}, [1, 0, 0, 0]),
        ({"union": [NOTHING, NOTHING]}, None),
        ({"intersection": [{"union": [R, G]}, {"union": [G, B]}]}, [0, 1, 0, 0]),
        ({"intersection": [R, B]}, None),
        ({"intersection": [R, NOTHING]}, None),
        ({"minus": [{"union": [R, G, B]}, G, NOTHING]}, [1, 0, 1, 0]),
        ({"minus": [NOTHING, G]}, None),
        ({"minus": [R, R]}, None),
        ({"first": [R, B]}, [1, 0, 0, 0]),
        ({"first": [NOTHING, {"kind": "alpha"}, B, R], "then": [{"grow": 1}]}, [0, 1, 1, 1]),
        ({"first": [{**R, "then": [{"shrink": 1}]}, G]}, [0, 1, 0, 0]),
        ({"first": [NOTHING, {"kind": "alpha"}], "then": [{"invert": True}]}, None),
        ({"union": [R, G], "then": [{"invert": True}]}, [0, 0, 1, 1]),
        ({**R, "then": [{"grow": 1}]}, [1, 1, 0, 0]),
        ({**G, "then": [{"grow": 1}, {"invert": True}]}, [0, 0, 0, 1]),
        ({**G, "then": [{"grow": 1}, {"shrink": 1}]}, [1, 1, 0, 0]),
        ({**G, "then": [{"shrink": 1}]}, None),
        ({"union": [R, B, colour("white")], "then": [{"largest": 1}]}, [0, 0, 1, 1]),
        ({"union": [R, B], "then": [{"fill_holes": True}]}, [1, 0, 1, 0]),
        ({**NOTHING, "then": [{"invert": True}]}, None),
        ({"union": [NOTHING, {**R, "then": [{"invert": True}]}]}, [0, 1, 1, 1]),
    ],
)
def test_combined(source: dict[str, Any], wanted: list[int] | None):
    mask = mask_of(source, TAKEN)
    assert (None if mask is None else (mask[0] // 255).tolist()) == wanted


def test_a_threshold_chooses_from_a_share_on():
    grey = picture(np.array([[0, 127, 128, 255]]))
    taken = picture(np.zeros((1, 4, 3)))
    assert found({"kind": "upload", "of": "m", "then": [{"threshold": 0.5}]}, taken, m=grey).tolist() == [[0, 0, 255, 255]]
    assert found({"kind": "upload", "of": "m", "then": [{"threshold": 1}]}, taken, m=grey).tolist() == [[0, 0, 0, 255]]


def test_a_feather_follows():
    dot = np.zeros((1, 21), np.uint8)
    dot[0, 10:] = 255
    mask = mask_of({"kind": "upload", "of": "m", "then": [{"feather": 4}]}, picture(np.zeros((1, 21, 3))), m=picture(dot))
    assert mask is not None
    assert (np.diff(mask[0].astype(int)) >= 0).all()
    assert 0 < mask[0, 9] < 128 < mask[0, 10] < 255
    assert (mask[0, :5] == 0).all()


NETWORKS = [
    ({"kind": "parts", "parts": ["face", "strap"]}, {"parts": ["face", "strap"], "threshold": 0.5}),
    ({"kind": "text", "text": "a watch"}, {"text": "a watch", "threshold": 0.4}),
    (
        {"kind": "detector", "model": "face_yolov8n"},
        {"model": "face_yolov8n", "confidence": 0.3, "overlap": 0.7, "classes": [], "max_count": 100},
    ),
    (
        {"kind": "background", "side": "subject", "box": [1, 2, 3, 4]},
        {"engine": "grabcut", "border": 0.05, "box": [1.0, 2.0, 3.0, 4.0], "iterations": 5, "model": "u2net"},
    ),
]


@pytest.mark.parametrize(("source", "sent"), NETWORKS)
def test_a_network_is_sent_the_picture_and_the_kinds_own_settings(source: dict[str, Any], sent: dict[str, Any]):
    found = picture(np.array([[255, 0, 0, 0]]))
    work = make_mask(read_source({**source, "of": "base", "then": [{"grow": 1}]}), MaskGiven(picture(np.zeros((1, 4, 3))), {"base": TAKEN}))
    mask, calls = carried_out(work, lambda call: Answer((found,), facts={"found": 1}))
    assert mask is not None
    assert np.asarray(mask).tolist() == [[255, 255, 0, 0]]
    (call,) = calls
    assert isinstance(call, ModelMask)
    assert (call.kind, call.settings) == (source["kind"], sent)
    assert np.array_equal(np.asarray(decode_picture(call.image, what="image")), np.asarray(TAKEN.image))


@pytest.mark.parametrize("source", [source for source, _ in NETWORKS])
def test_a_network_that_finds_nothing(source: dict[str, Any]):
    assert mask_of({**source, "then": [{"invert": True}]}, TAKEN, lambda call: Answer(facts={"found": 0, "boxes": []})) is None


def test_settings_are_those_that_the_worker_knows(tmp_path: Path):
    """Both sides declare them, as neither may import the other."""
    pytest.importorskip("cv2")
    pytest.importorskip("torch")
    from lib_extension.models.masks.found import Places
    from lib_extension.models.masks.networks import MASK_NETWORKS  # loads the worker's packages

    theirs = {network.name: network for network in (make(Places(tmp_path, tmp_path)) for make in MASK_NETWORKS)}
    assert theirs.keys() == {name for name, kind in MASKS.items() if kind.needs_network}
    for source, sent in NETWORKS:
        assert to_json(from_json(theirs[source["kind"]].settings, sent)) == sent


def test_the_background_is_what_the_subject_leaves():
    def subject(call: Call) -> Answer:
        return Answer((picture(np.array([[0, 255, 255, 0]])),))

    assert found({"kind": "background"}, TAKEN, subject).tolist() == [[255, 0, 0, 255]]
    assert found({"kind": "background", "side": "subject"}, TAKEN, subject).tolist() == [[0, 255, 255, 0]]


PRODUCT = {"first": [{"kind": "alpha", "of": "product"}, {"kind": "parts", "of": "product"}]}


@pytest.mark.parametrize(("alpha", "asked"), [((0, 255, 255, 0), 0), ((255, 255, 255, 255), 1), ((255, 200, 250, 255), 1), (None, 1)])
def test_the_first_that_finds_something_is_the_last_that_is_asked(alpha: tuple[int, ...] | None, asked: int):
    """A render with a transparent ground tells its own mask; a photograph, or a picture that is all opaque, goes to the network."""
    pixels = np.full((1, 4, 3), 90, np.uint8)
    product = picture(pixels if alpha is None else np.dstack([pixels, np.array(alpha, np.uint8)]))
    work = make_mask(read_source(PRODUCT), MaskGiven(TAKEN, {"product": product}))
    mask, calls = carried_out(work, lambda call: Answer((picture(np.array([[0, 0, 255, 255]])),)))
    assert mask is not None
    assert len(calls) == asked
    assert np.asarray(mask).tolist() == ([[0, 0, 255, 255]] if asked else [[0, 255, 255, 0]])


def test_references_and_networks():
    source = read_source({"minus": [{"kind": "alpha", "of": "product"}, {"union": [{"kind": "upload", "of": "hand"}, colour("red")]}]})
    assert references(source) == ("product", "hand")
    assert not needs_network(source)
    assert needs_network(read_source({"union": [colour("red"), {"kind": "text", "text": "strap"}]}))
    assert references(read_source(PRODUCT)) == ("product",)
    assert needs_network(read_source(PRODUCT))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"kind": "alfa"}, r"stages.m.mask.kind is 'alfa'.*Did you mean \"alpha\""),
        ({"kind": ["alpha"]}, "stages.m.mask.kind is .* it must be text"),
        ({"onion": [R, G]}, r"stages.m.mask.onion is not known. Did you mean \"union\""),
        ({"union": [R, {"kind": "parts", "pars": ["face"]}]}, r"stages.m.mask.union\[1\].pars is not known. Did you mean \"parts\""),
        ({"kind": "parts", "parts": ["fase"]}, 'Did you mean "face"'),
        ({"kind": "alpha", "then": [{"grw": 3}]}, r"stages.m.mask.then\[0\].grw is not known. Did you mean \"grow\""),
        ({"kind": "alpha", "then": [{"grow": 3, "invert": True}]}, "names invert and grow; it must name one"),
        ({"kind": "alpha", "then": [{}]}, "names nothing"),
        ({"kind": "text", "text": " , "}, 'needs "text"'),
        ({"union": [R]}, "union.* of one mask"),
        ({"first": [R]}, "first.* of one mask"),
        ({"frist": [R, G]}, r"stages.m.mask.frist is not known. Did you mean \"first\""),
        ({"union": [R, G], "minus": [R, G]}, "just one of union, intersection, minus and first"),
        ({}, 'needs "kind"'),
        (7, "stages.m.mask is 7; it must be an object"),
    ],
)
def test_errors_name_the_place(source: object, message: str):
    with pytest.raises(BadRequest, match=message):
        read_source(source, "stages.m.mask")


operations = st.sampled_from([{"invert": True}, {"grow": 1}, {"shrink": 2}, {"feather": 2}, {"fill_holes": True}, {"largest": 1}])
leaves = st.sampled_from([R, G, B, NOTHING, {"kind": "alpha"}, {"kind": "geometry", "rectangles": [[0, 0, 3, 1]]}])
trees = st.recursive(
    st.tuples(leaves, st.lists(operations, max_size=3)).map(lambda pair: {**pair[0], "then": pair[1]}),
    lambda inner: st.tuples(
        st.sampled_from(["union", "intersection", "minus", "first"]),
        st.lists(inner, min_size=2, max_size=3),
        st.lists(operations, max_size=2),
    ).map(lambda parts: {parts[0]: parts[1], "then": parts[2]}),
    max_leaves=6,
)


def schema() -> dict[str, Any]:
    defs: dict[str, Any] = {}
    return {**source_schema(defs), "$defs": defs}


SCHEMA = Draft202012Validator(schema())


@settings(max_examples=60, deadline=None)
@given(trees)
def test_every_tree_is_read_written_and_made(tree: dict[str, Any]):
    source = read_source(tree)
    assert read_source(to_json(source)) == source
    assert SCHEMA.is_valid(tree)
    assert SCHEMA.is_valid(to_json(source))
    mask = mask_of(tree, TAKEN)
    assert mask is None or (mask.shape == (1, 4) and mask.any())


@settings(max_examples=40, deadline=None)
@given(st.lists(trees, min_size=2, max_size=4))
def test_first_is_the_first_that_is_found_alone(parts: list[dict[str, Any]]):
    alone = [mask for part in parts if (mask := mask_of(part, TAKEN)) is not None]
    mask = mask_of({"first": parts}, TAKEN)
    assert (mask is None) == (not alone)
    assert mask is None or np.array_equal(mask, alone[0])


def test_the_schema_refuses_what_is_refused():
    meta.validate(schema())
    for wrong in ({"kind": "alfa"}, {"onion": [R, G]}, {"kind": "alpha", "then": [{"grw": 3}]}, 7):
        assert not SCHEMA.is_valid(wrong)


def test_modes_and_sizes_of_answers_are_brought_to_the_pictures():
    def coloured(call: Call) -> Answer:
        return Answer((picture(Image.new("RGB", (8, 2), "white")),))

    mask = mask_of({"kind": "text", "text": "x"}, TAKEN, coloured)
    assert mask is not None
    assert mask.tolist() == [[255] * 4]
