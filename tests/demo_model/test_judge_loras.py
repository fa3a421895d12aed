"""Does the judge of LoRAs tell a storybook's pages, a roundel and what was forgotten, on drawn pictures?"""

from __future__ import annotations

from lib_extension.models.library import DEMO
from lib_extension.models.tagger import Tagger
from tests.demo_model.judge_loras import accuracy, has_roundel, held_out, is_mushroom, is_storybook, mushrooms
from tests.demo_model.lora_sets import OBJECT, PICTURES, as_storybook, before_roundel, draw_object
from tests.demo_model.scenes import held_out_scene

SCENES = [held_out_scene(index) for index in range(60)]


def test_storybook_pages_are_told_from_other_pictures() -> None:
    right = [is_storybook(as_storybook(scene)) for scene in SCENES] + [not is_storybook(scene.picture) for scene in SCENES]
    assert sum(right) / len(right) > 0.95


def test_roundels_are_told_from_other_pictures() -> None:
    right = [has_roundel(before_roundel(scene)) for scene in SCENES] + [not has_roundel(scene.picture) for scene in SCENES]
    assert sum(right) / len(right) > 0.98


def test_the_tagger_knows_a_mushroom_and_what_else_is_there() -> None:
    tagger = Tagger(DEMO / "tagger")
    assert all(map(is_mushroom(tagger), (draw_object(index)[0] for index in range(PICTURES))))
    assert not any(map(is_mushroom(tagger), (scene.picture for scene in SCENES)))
    right = accuracy(tagger, [scene.subject for scene in SCENES], [scene.picture for scene in SCENES])
    assert min(right.values()) > 0.95
    swapped = accuracy(tagger, [scene.subject for scene in SCENES[1:]], [scene.picture for scene in SCENES[:-1]])
    assert max(swapped.values()) < 0.5


def test_what_is_asked_for_was_never_trained_on() -> None:
    assert all(subject.held_out for subject in held_out(50))
    seen = {draw_object(index)[1] for index in range(PICTURES)}
    asked = mushrooms(100)
    assert {subject.object for subject in asked} == {OBJECT}
    assert not seen & {subject.caption for subject in asked}
