"""Does the judge of LoRAs tell a storybook's pages, a brand's colours, a mushroom and what was forgotten, on drawn pictures?"""

from __future__ import annotations

from lib_extension.models.library import DEMO
from lib_extension.models.tagger import Tagger
from tests.demo_model.judge_loras import accuracy, are_mushrooms, held_out, mushrooms, nearer, off_brand, off_storybook, told_apart
from tests.demo_model.lora_sets import OBJECT, PICTURES, draw_object, in_brand_colours, in_storybook
from tests.demo_model.scenes import held_out_scene

SCENES = [held_out_scene(index) for index in range(60)]


def test_storybook_pages_and_a_brands_colours_are_told_from_other_pictures() -> None:
    base = [scene.picture for scene in SCENES]
    assert told_apart(off_storybook)([in_storybook(scene) for scene in SCENES], base) == 1
    assert told_apart(off_brand)([in_brand_colours(scene) for scene in SCENES], base) > 0.95
    assert nearer(off_brand)([in_brand_colours(scene) for scene in SCENES], base) == 1
    assert nearer(off_brand)(base, base) == 0
    assert told_apart(off_storybook)(base[::2], base[1::2]) < 0.75
    assert told_apart(off_brand)(base[::2], base[1::2]) < 0.75


def test_the_tagger_knows_a_mushroom_and_what_else_is_there() -> None:
    tagger = Tagger(DEMO / "tagger")
    assert are_mushrooms(tagger)([draw_object(index)[0] for index in range(PICTURES)], []) == 1
    assert are_mushrooms(tagger)([scene.picture for scene in SCENES], []) == 0
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
