"""A sheet shows every picture in full, says where each lies, and names it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lib_extension.masks import MaskGiven, make_mask, read_source
from lib_extension.spec.errors import BadRequest
from lib_extension.stages.stage import Picture
from tests.masks.asked import carried_out
from tests.stages.painting import photo, pixels, run, stage, stored


def labels(*values: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    return tuple({"item": place, **value, "stage": "base", "index": 0} for place, value in enumerate(values))


def cells(picture: Picture) -> list[list[int]]:
    return [list(cell) for cell in picture.facts["cells"]]


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=1, max_size=9),
    columns=st.integers(0, 12),
    gap=st.integers(0, 20),
    layout=st.sampled_from(["contact", "turnaround"]),
)
def test_each_picture_lies_where_the_facts_say(sizes: list[tuple[int, int]], columns: int, gap: int, layout: str):
    pictures = [photo(*size, place=place % 5) for place, size in enumerate(sizes)]
    named = labels(*({"place": f"place {place}"} for place in range(len(sizes))))
    (sheet,) = run(stage("sheet", columns=columns, gap=gap, layout=layout), *pictures, labels=named).pictures
    boxes = cells(sheet)
    assert len(boxes) == len(pictures)
    for picture, (left, top, right, bottom) in zip(pictures, boxes, strict=True):
        if layout == "contact":
            assert np.array_equal(pixels(sheet)[top:bottom, left:right], pixels(picture))
        else:
            assert bottom - top == min(size[1] for size in sizes)
    for one in range(len(boxes)):
        for other in range(one):
            a, b = boxes[one], boxes[other]
            assert a[0] >= b[2] + gap or b[0] >= a[2] + gap or a[1] >= b[3] + gap or b[1] >= a[3] + gap
    width, height = sheet.image.size
    assert all(left >= gap and top >= gap and right <= width - gap and bottom <= height - gap for left, top, right, bottom in boxes)


def test_a_turnaround_is_one_row_and_its_seams_can_be_masked():
    views = [photo(40, 60), photo(50, 60, 1), photo(40, 120, 2)]
    (sheet,) = run(stage("sheet", layout="turnaround", gap=4, labels=""), *views).pictures
    assert cells(sheet) == [[4, 4, 44, 64], [48, 4, 98, 64], [102, 4, 122, 64]]
    assert sheet.image.size == (126, 68)
    source = read_source({"kind": "geometry", "shape": "seams", "width": 3})
    mask, _ = carried_out(make_mask(source, MaskGiven(sheet)))
    wanted = np.zeros((68, 126), int)
    wanted[4:64, 41:51] = wanted[4:64, 95:105] = 255
    assert mask is not None
    assert np.array_equal(pixels(mask), wanted)


def test_labels_stand_below_their_pictures():
    pictures = [Image.new("RGB", (100, 40), "blue")] * 2
    (named,) = run(stage("sheet", columns=1, labels="{place}"), *pictures, labels=labels({"place": "beach"}, {"place": ""})).pictures
    (left, top, right, bottom), below = cells(named)
    assert (left, top, right, bottom) == (8, 8, 108, 48)
    under = pixels(named)[bottom : below[1], left:right]
    assert under.min() < 64  # ink
    assert pixels(named)[below[3] :].min() == 255  # none for an empty label
    (bare,) = run(stage("sheet", columns=1, labels=""), *pictures).pictures
    assert pixels(bare)[48:56].min() == 255


def test_letters_that_a_font_lacks_are_no_reason_to_fail():
    (sheet,) = run(
        stage("sheet", labels="{place}", heading="目録 Каталог"), photo(80, 80), labels=labels({"place": "海辺 \ud800"})
    ).pictures
    assert sheet.image.height > 80


def test_a_dark_background_has_bright_letters():
    (sheet,) = run(stage("sheet", background="#101010", labels="{place}"), photo(80, 40), labels=labels({"place": "beach"})).pictures
    assert pixels(sheet)[0, 0].tolist() == [16, 16, 16]
    assert pixels(sheet)[49:].max() > 200


def test_what_is_transparent_shows_the_background():
    drawing = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    (sheet,) = run(stage("sheet", background="lime", labels=""), drawing).pictures
    assert pixels(sheet)[18, 18].tolist() == [0, 255, 0]


def test_cells_are_made_small_enough():
    (sheet,) = run(stage("sheet", cell=30, labels=""), photo(60, 20), photo(10, 90, 1)).pictures
    assert [(right - left, bottom - top) for left, top, right, bottom in cells(sheet)] == [(30, 10), (3, 30)]


def test_a_sheet_that_could_not_be_stored_says_what_to_set():
    pictures = [stored(Image.new("RGB", (4096, 4096)))] * 4
    with pytest.raises(BadRequest, match=r'"s" of 4 pictures would be too large. Set "cell" to (\d+) or less') as problem:
        run(stage("sheet", labels=""), *pictures)
    longest = int(str(problem.value).split(" to ")[1].split()[0])
    assert 3600 < longest < 4096
    assert run(stage("sheet", labels="", cell=longest), *pictures).pictures[0].facts["cells"][3][2] <= 8000


def test_unknown_names_and_colours():
    with pytest.raises(BadRequest, match=r'asks for {palce}, which no picture has here. Did you mean "place"?'):
        run(stage("sheet", labels="{palce}"), photo(20, 20), labels=labels({"place": "beach"}))
    with pytest.raises(BadRequest, match='"whiet" is no colour'):
        stage("sheet", background="whiet")
    assert run(stage("sheet")).reason == "There are no pictures to put on a sheet."


def test_a_long_label_is_cut():
    heights = [run(stage("sheet", labels="word " * count), photo(200, 20)).pictures[0].image.height for count in (10, 59, 60, 6000)]
    assert heights[0] < heights[1] <= heights[2] == heights[3]
