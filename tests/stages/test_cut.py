"""Cells that are cut out of a sheet are what was put on it, or what was made of it since."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PIL import Image

from lib_extension.spec.errors import BadRequest
from lib_extension.stages import STAGES
from tests.stages.painting import photo, pixels, run, stage, stored

VIEWS = [photo(40, 60), photo(50, 60, 1), photo(30, 60, 2)]


def sheet():
    (picture,) = run(stage("sheet", layout="turnaround", gap=4, labels="view"), *VIEWS).pictures
    return picture


def test_cells_are_the_pictures_of_the_sheet_in_the_order_asked_for():
    cut = stage("cut", which=[2, 0])
    pictures = run(cut, sheet()).pictures
    assert [one.image.size for one in pictures] == [(30, 60), (40, 60)]
    assert np.array_equal(pixels(pictures[0]), pixels(VIEWS[2]))
    assert np.array_equal(pixels(pictures[1]), pixels(VIEWS[0]))
    assert pictures[0].facts == {}  # where cells lay on the sheet says nothing of one of them
    assert (STAGES["cut"].count(cut, 1), STAGES["cut"].local(cut)) == (2, True)


def test_what_was_made_of_a_sheet_is_cut_where_the_sheet_says_at_its_own_size_too():
    known = sheet()
    (left, top, right, bottom) = known.facts["cells"][1]
    drawn = photo(*known.image.size, place=3)
    (picture,) = run(stage("cut", of="canvas", which=[1]), stored(drawn), canvas=known).pictures
    assert np.array_equal(pixels(picture), pixels(drawn)[top:bottom, left:right])
    assert (picture.infotext, picture.seed) == ("a photograph", 3)
    twice = drawn.resize((drawn.width * 2, drawn.height * 2), Image.Resampling.NEAREST)
    (larger,) = run(stage("cut", of="canvas", which=[1]), twice, canvas=known).pictures
    assert np.array_equal(pixels(larger), pixels(twice)[2 * top : 2 * bottom, 2 * left : 2 * right])


def test_what_cannot_be_cut_says_why():
    with pytest.raises(BadRequest, match='"which" is empty'):
        stage("cut", which=[])
    with pytest.raises(BadRequest, match='"s" asks for cell 3, but the sheet has 3: 0 to 2'):
        run(stage("cut", which=[0, 3]), sheet())
    with pytest.raises(BadRequest, match=r'What "s" takes has no cells: it is no sheet. Name a sheet stage in "of"'):
        run(stage("cut", which=[0]), dataclasses.replace(sheet(), facts={}))
    with pytest.raises(BadRequest, match=r'"canvas" is \d+×\d+, the picture to cut 90×90: other proportions'):
        run(stage("cut", of="canvas", which=[0]), photo(90, 90), canvas=sheet())
