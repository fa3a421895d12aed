"""The grid is the WebUI's, and a labelled sheet shows every picture and label."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_extension.pictures.grid import image_grid, labelled_sheet
from lib_extension.spec.errors import TooLarge

RECORDED = np.load(Path(__file__).parents[1] / "data" / "webui_pictures.npz")
BASE = Image.fromarray(RECORDED["base"])
PICTURES = [BASE.crop((0, 0, *size)) for size in ((30, 20), (10, 20), (30, 8), (5, 5), (12, 13))]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_grid_is_the_webuis(count: int):
    assert np.array_equal(np.asarray(image_grid(PICTURES[:count])), RECORDED[f"grid/{count}"])


def test_grid_of_a_batch_is_one_row_of_it():
    assert image_grid(PICTURES[:4], rows=2).size == (60, 40)
    assert image_grid(PICTURES[:3], rows=9).size == (30, 60)


def test_headings_and_labels_are_drawn():
    plain = labelled_sheet([BASE], [""])
    named = labelled_sheet([BASE], ["base"], heading="Watch")
    ink = [np.all(np.asarray(sheet.image) < 100, axis=2).sum() for sheet in (plain, named)]
    assert ink[1] > ink[0] + 50


def test_a_labelled_sheet_is_not_made_where_it_could_not_be_opened():
    pictures = [Image.new("L", (8000, 4000))] * 2
    with pytest.raises(TooLarge, match=r"The sheet would have 8000×\d+ pixels; 64 megapixels is the most"):
        labelled_sheet(pictures, ["", "a label"], columns=1, gap=0)


def test_a_labelled_sheet_goes_row_by_row():
    pictures = [Image.new("RGB", size, "red") for size in ((10, 20), (30, 10), (20, 5))]
    sheet = labelled_sheet(pictures, ["", "", ""], gap=2)
    assert sheet.cells == ((7, 2, 17, 22), (24, 12, 54, 22), (2, 24, 22, 29))
    assert sheet.image.size == (56, 31)
    assert [sheet.image.getpixel(cell[:2]) for cell in sheet.cells] == [(255, 0, 0)] * 3
    assert sheet.image.getpixel((40, 26)) == (255, 255, 255)
