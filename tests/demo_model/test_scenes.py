"""Are the drawn scenes what their captions, masks and depth maps say, and the same every time?"""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from PIL import Image, ImageChops

from tests.demo_model.character import POSES, VIEWS
from tests.demo_model.objects import COLOURS
from tests.demo_model.places import PLACES
from tests.demo_model.scenes import EVERY_OBJECT, TAGGED_OBJECTS, Scene, Subject, draw_scene, held_out_scene, tagger_scene, training_scene

COMBINATIONS = [Subject(thing, colour, place) for thing in TAGGED_OBJECTS for colour in COLOURS for place in PLACES]


def scene_of(thing: str, **more: str) -> Scene:
    return draw_scene(Subject(thing, "green", "cafe", **more), Random(5))


def values(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture).astype(int)


def test_a_number_always_gives_the_same_scene() -> None:
    first, again = training_scene(7), training_scene(7)
    assert first.subject == again.subject
    assert ImageChops.difference(first.picture, again.picture).getbbox() is None


def test_one_combination_in_eight_is_held_out() -> None:
    assert 0.08 < sum(s.held_out for s in COMBINATIONS) / len(COMBINATIONS) < 0.17


def test_training_and_judging_share_no_combination() -> None:
    assert not any(training_scene(i, 16).subject.held_out for i in range(300))
    assert all(held_out_scene(i, 16).subject.held_out for i in range(100))


def test_the_model_never_sees_what_only_the_tagger_learns() -> None:
    assert {training_scene(i, 16).subject.object for i in range(300)} == set(EVERY_OBJECT)
    assert {tagger_scene(i, 16).subject.object for i in range(300)} == set(TAGGED_OBJECTS)
    assert not any(tagger_scene(i, 16).subject.held_out for i in range(300))


@pytest.mark.parametrize(
    ("subject", "caption", "tags"),
    [
        (Subject("watch", "red", "beach"), "a red watch on a beach", "red watch, beach"),
        (Subject("star", "orange", "night"), "an orange star at night", "orange star, night"),
        (
            Subject("watch", "blue", "cafe", strap="orange"),
            "a blue watch with an orange strap in a cafe",
            "blue watch with an orange strap, cafe",
        ),
        (
            Subject("character", "green", "forest", view="side", pose="walking"),
            "a green character walking, side view, in a forest",
            "green character walking, side view, forest",
        ),
    ],
)
def test_captions(subject: Subject, caption: str, tags: str) -> None:
    assert (subject.caption, subject.tags) == (caption, tags)


@pytest.mark.parametrize("thing", [thing for thing in TAGGED_OBJECTS if thing != "character"])
def test_an_object_is_masked_near_and_on_the_picture(thing: str) -> None:
    scene = scene_of(thing)
    mask = values(scene.masks["object"]) > 250
    assert 0.04 < mask.mean() < 0.5
    assert values(scene.depth)[mask].min() > values(scene.depth)[~mask].max() - 60
    assert values(scene.depth)[mask].mean() > 200
    assert not mask[0].any()
    assert not mask[-1].any()


def test_only_watches_have_straps_and_a_face_lies_inside_its_object() -> None:
    watch = scene_of("watch")
    inside = values(watch.masks["object"]) > 0
    assert values(watch.masks["strap"]).any()
    assert values(watch.masks["face"]).any()
    assert inside[values(watch.masks["face"]) > 0].all()
    for thing in TAGGED_OBJECTS:
        if thing not in ("watch", "character"):
            assert not values(scene_of(thing).masks["strap"]).any()


@pytest.mark.parametrize("pose", POSES)
def test_a_character_has_a_skeleton_that_lies_on_it_and_a_face_unless_seen_from_behind(pose: str) -> None:
    for view in VIEWS:
        scene = scene_of("character", view=view, pose=pose)
        assert scene.skeleton is not None
        bones = values(scene.skeleton).max(2) > 60
        on_body = values(scene.masks["object"])[bones] > 0
        assert on_body.mean() > 0.85
        assert values(scene.masks["face"]).any() == (view != "back")


def test_objects_have_no_skeleton() -> None:
    assert scene_of("mug").skeleton is None


def test_a_larger_scene_shows_the_same() -> None:
    small = training_scene(3, 64).picture
    large = training_scene(3, 256).picture.resize((64, 64), Image.Resampling.BOX)
    assert np.abs(values(small) - values(large)).mean() < 3
