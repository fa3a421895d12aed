"""The grid is the WebUI's, and a contact sheet shows every picture and label."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_extension.pictures.grid import Row, contact_sheet, image_grid

RECORDED = np.load(Path(__file__).parents[1] / "data" / "webui_pictures.npz")
BASE = Image.fromarray(RECORDED["base"])
PICTURES = [BASE.crop((0, 0, *size)) for size in ((30, 20), (10, 20), (30, 8), (5, 5), (12, 13))]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_grid_is_the_webuis(count: int):
    assert np.array_equal(np.asarray(image_grid(PICTURES[:count])), RECORDED[f"grid/{count}"])


def test_grid_of_a_batch_is_one_row_of_it():
    assert image_grid(PICTURES[:4], rows=2).size == (60, 40)
    assert image_grid(PICTURES[:3], rows=9).size == (30, 60)


def places(sheet: Image.Image, colour: tuple[int, int, int]) -> tuple[int, int, int, int] | None:
    return Image.fromarray(np.all(np.asarray(sheet) == colour, axis=2)).getbbox()


def test_contact_sheet_keeps_every_picture_whole():
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    red, green, blue = (Image.new("RGB", size, colour) for size, colour in zip(((40, 30), (60, 20), (20, 50)), colours, strict=True))
    sheet = contact_sheet(
        [Row("studio", [red, None, green]), Row("a beach at night", [blue])], ["base", "img2img 0.4", "upscaled"], "Watch"
    )
    boxes = [places(sheet, colour) for colour in colours]
    assert None not in boxes
    sizes = [(box[2] - box[0], box[3] - box[1]) for box in boxes if box]
    assert sizes == [(40, 30), (60, 20), (20, 50)]
    (red_box, green_box, blue_box) = boxes
    assert red_box
    assert green_box
    assert blue_box
    assert red_box[0] == blue_box[0] < green_box[0]
    assert red_box[1] == green_box[1]
    assert red_box[3] < blue_box[1]


def test_labels_are_drawn():
    plain = contact_sheet([Row("", [BASE])], [""])
    named = contact_sheet([Row("studio", [BASE])], ["base"], "Watch")
    ink = [np.all(np.asarray(sheet) < 100, axis=2).sum() for sheet in (plain, named)]
    assert ink[1] > ink[0] + 50
