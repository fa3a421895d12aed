"""Do the LoRAs that come with the demo model, and the one of what it never saw, do what they were trained for, and nothing at weight 0?"""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from lib_extension.formats.base_model import what_is
from lib_extension.formats.safetensors_header import read_header
from lib_extension.models.library import DEMO
from lib_extension.models.tagger import Tagger
from tests.demo_model.drawing import Drawing
from tests.demo_model.judge_loras import (
    ATELIER,
    STORYBOOK,
    WANTED,
    Measure,
    accuracy,
    are_mushrooms,
    held_out,
    mushrooms,
    nearer,
    off_brand,
    off_storybook,
    told_apart,
)
from tests.demo_model.lora_sets import BRAND, STYLE

MUSHROOM = Path(__file__).parent / "loras" / "mushroom.safetensors"
COUNT = 20  # pictures of each kind; judge_loras draws hundreds
SEEDS = range(5000, 5000 + COUNT)


@pytest.fixture(scope="module")
def drawing() -> Drawing:
    return Drawing()


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger(DEMO / "tagger")


@pytest.fixture(scope="module")
def base(drawing: Drawing) -> list[Image.Image]:
    return drawing.draw([one.caption for one in held_out(COUNT)], SEEDS)


@pytest.mark.parametrize(
    ("file", "words", "learnt_of"), [(STORYBOOK, STYLE, told_apart(off_storybook)), (ATELIER, BRAND, nearer(off_brand))]
)
def test_what_a_lora_was_trained_for_is_told_from_the_bases_pictures_and_keeps_their_things(
    drawing: Drawing, tagger: Tagger, base: list[Image.Image], file: Path, words: str, learnt_of: Measure
) -> None:
    with drawing.with_lora(file):
        made = drawing.draw([f"{one.caption}, {words}" for one in held_out(COUNT)], SEEDS)
    assert learnt_of(made, base) >= WANTED["learnt"]
    assert accuracy(tagger, held_out(COUNT), made)["object"] >= 0.9


def test_a_thing_that_the_base_never_saw_comes_by_its_word(drawing: Drawing, tagger: Tagger) -> None:
    asked = mushrooms(COUNT)
    with drawing.with_lora(MUSHROOM):
        made = drawing.draw([one.caption for one in asked], SEEDS)
    assert are_mushrooms(tagger)(made, []) >= WANTED["learnt_object"]


@pytest.mark.parametrize("file", [STORYBOOK, ATELIER, MUSHROOM], ids=lambda file: file.stem)
def test_a_loras_weight_0_is_the_base_bit_for_bit(drawing: Drawing, base: list[Image.Image], file: Path) -> None:
    with drawing.with_lora(file, 0.0):
        made = drawing.draw([one.caption for one in held_out(COUNT)[:4]], SEEDS[:4])
    with drawing.with_lora(None):
        plain = drawing.draw([one.caption for one in held_out(COUNT)[:4]], SEEDS[:4])
    assert [one.tobytes() for one in made] == [one.tobytes() for one in plain]
    with drawing.with_lora(file, 1.0):
        changed = drawing.draw([held_out(COUNT)[0].caption], SEEDS[:1])
    assert changed[0].tobytes() != plain[0].tobytes()


@pytest.mark.parametrize("file", [STORYBOOK, ATELIER], ids=lambda file: file.stem)
def test_they_are_small_and_named_as_a_webui_reads_them(file: Path) -> None:
    assert file.stat().st_size < 2e6
    kind = what_is(read_header(file))
    assert (kind.kind, kind.family, kind.naming) == ("lora", "sd1", "kohya")
