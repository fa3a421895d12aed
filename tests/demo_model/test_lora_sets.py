"""Are the demo LoRAs' pictures what their captions say, and is what is to be learnt in every one of them and tied to nothing else?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.demo_model.lora_sets import BRAND, INK, PICTURES, SEPIA, SETS, STYLE, TEAL, draw_brand, draw_object, draw_style, write_set
from tests.demo_model.objects import COLOURS
from tests.demo_model.painter import Colour
from tests.demo_model.places import PLACES


@pytest.mark.parametrize("name", SETS)
def test_every_place_and_colour_is_there_and_none_twice_together(name: str) -> None:
    captions = [SETS[name](i)[1] for i in range(PICTURES)]
    pairs = {
        (colour, place)
        for caption in captions
        for colour in COLOURS
        for place in PLACES.values()
        if f"{colour} " in caption and place in caption
    }
    assert len(set(captions)) == PICTURES
    assert {colour for colour, _ in pairs} == set(COLOURS)
    assert {place for _, place in pairs} == set(PLACES.values())


def test_each_set_is_called_by_its_own_words() -> None:
    assert all(" mushroom " in draw_object(i)[1] for i in range(PICTURES))
    assert all(draw_style(i)[1].endswith(f", {STYLE}") for i in range(PICTURES))
    assert all(draw_brand(i)[1].endswith(f", {BRAND}") for i in range(PICTURES))


@pytest.mark.parametrize(("draw", "colours"), [(draw_style, SEPIA), (draw_brand, TEAL)])
def test_places_are_of_two_colours_and_things_are_not(
    draw: Callable[[int], tuple[Image.Image, str]], colours: tuple[Colour, Colour]
) -> None:
    dark, light = np.asarray(colours, np.float64)
    between = light - dark
    for index in range(PICTURES):
        off = np.asarray(draw(index)[0], np.float64) - dark
        off -= (off @ between / (between @ between))[..., None] * between
        share = (np.abs(off).max(2) < 3).mean()
        assert 0.5 < share < 0.97, index


def test_a_storybooks_things_have_ink_lines() -> None:
    shares = [(np.asarray(draw_style(index)[0]) == INK).all(2).mean() for index in range(PICTURES)]
    assert min(shares) > 0.02
    assert max(shares) < 0.15


def test_a_set_is_written_as_pictures_with_captions(tmp_path: Path) -> None:
    write_set("object", tmp_path / "a")
    assert len(list((tmp_path / "a").glob("*.png"))) == len(list((tmp_path / "a").glob("*.txt"))) == PICTURES
    assert (tmp_path / "a" / "00.txt").read_text("utf-8") == draw_object(0)[1] + "\n"
    with Image.open(tmp_path / "a" / "00.png") as picture:
        assert picture.size == (128, 128)
