"""Is the subject told from its background?"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lib_extension.models.masks.background import Background, BackgroundSettings
from lib_extension.models.masks.found import Places, Thing
from lib_extension.spec.errors import BadRequest, NotFound
from lib_extension.spec.settings import from_json
from tests.demo_model.scenes import held_out_scene


def find(picture: Image.Image, **settings: Any) -> list[Thing]:
    nowhere = Path("nowhere")
    return Background(Places(nowhere, nowhere)).find(picture, from_json(BackgroundSettings, settings))


def overlap(mine: np.ndarray, true: np.ndarray) -> float:
    return float((mine & true).sum() / (mine | true).sum())


def disc(size: tuple[int, int] = (160, 120)) -> tuple[Image.Image, np.ndarray]:
    """A red disc on a noisy green ground, and where it is."""
    true = Image.new("1", size)
    box = (size[0] // 4, size[1] // 5, size[0] * 3 // 4, size[1] * 4 // 5)
    ImageDraw.Draw(true).ellipse(box, 1)
    mask = np.asarray(true)
    noise = np.random.default_rng(0).integers(-25, 25, (size[1], size[0], 3))
    pixels = np.where(mask[:, :, None], (200, 40, 40), (60, 140, 60)) + noise
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8)), mask


@pytest.mark.parametrize("size", [(160, 120), (1200, 700)])
def test_a_disc_is_cut_out_at_any_size(size: tuple[int, int]) -> None:
    picture, true = disc(size)
    (thing,) = find(picture)
    assert overlap(thing.layer, true) > 0.97
    columns = np.flatnonzero(true.any(axis=0))
    assert thing.box[0] == pytest.approx(columns[0], abs=size[0] / 100 + 1)
    assert thing.box[2] == pytest.approx(columns[-1] + 1, abs=size[0] / 100 + 1)


def test_drawn_things_are_cut_out() -> None:
    """A standing thing on sand or among trees is not told by colour alone, so not every one is met."""
    scenes = [scene for scene in (held_out_scene(i) for i in range(40)) if scene.subject.place == "studio"]
    assert len(scenes) >= 5
    assert np.mean([overlap(find(s.picture)[0].layer, np.asarray(s.masks["object"]) > 127) for s in scenes]) > 0.6


def test_a_box_says_which_of_two_is_meant() -> None:
    left, mask = disc()
    picture = Image.new("RGB", (320, 120))
    picture.paste(left, (0, 0))
    picture.paste(left, (160, 0))
    (thing,) = find(picture, box=[185, 10, 300, 110])
    true = np.zeros((120, 320), bool)
    true[:, 160:] = mask
    assert overlap(thing.layer, true) > 0.9
    assert not thing.layer[:, :180].any()


def test_the_same_picture_gives_the_same_mask() -> None:
    picture = held_out_scene(3).picture
    assert np.array_equal(find(picture)[0].layer, find(picture)[0].layer)


def test_an_empty_picture_has_no_subject() -> None:
    assert find(Image.new("RGB", (64, 64), "white")) == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"box": [0, 0, 400, 10]}, "inside the picture of 160×120"),
        ({"box": [30, 30, 20, 40]}, "must be left, top, right, bottom"),
        ({"box": [0, 0, 160, 120]}, "covers the picture"),
        ({"border": 0.6}, "between 0.01 and 0.45"),
        ({"boarder": 0.1}, 'Did you mean "border"'),
        ({"engine": "grabcat"}, 'Did you mean "grabcut"'),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        find(disc()[0], **settings)


def test_a_picture_can_be_too_small() -> None:
    with pytest.raises(BadRequest, match="at least 8 pixels"):
        find(Image.new("RGB", (200, 4)))


@pytest.mark.skipif(importlib.util.find_spec("rembg") is not None, reason="rembg is installed")
def test_without_rembg_it_says_how_to_get_it() -> None:
    with pytest.raises(BadRequest, match=r'-m pip install rembg\), or choose "grabcut"'):
        find(disc()[0], engine="rembg")


@pytest.mark.skipif(importlib.util.find_spec("rembg") is None, reason="rembg is not installed")
def test_rembg_downloads_nothing() -> None:
    with pytest.raises(NotFound, match=r"rembg/ in the models folder"):
        find(disc()[0], engine="rembg")
