"""Do detectors find what their numbers say, in the original's pixels?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lib_extension.models.masks.detector import Detector, DetectorSettings
from lib_extension.models.masks.found import Places, Thing
from lib_extension.spec.errors import BadFile, BadRequest, NotFound
from lib_extension.spec.settings import from_json
from tests.models.masks.yolo_files import write_detector


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_detector(folder / "detectors" / "squares.onnx")
    write_detector(folder / "detectors" / "halves.onnx", masks=True)
    write_detector(folder / "detectors" / "wide.onnx", box=16, names=None)
    write_detector(folder / "detectors" / "odd.onnx", names="__import__('os').getcwd()")
    (folder / "detectors" / "broken.onnx").write_bytes(b"rubbish" * 100)
    (folder / "detectors" / "old.pt").write_bytes(b"pickle")
    write_detector(folder / "secret.onnx")
    return folder


def find(models: Path, picture: Image.Image, **settings: Any) -> list[Thing]:
    return Detector(Places(models, models)).find(picture, from_json(DetectorSettings, {"model": "squares", **settings}))


def drawn(*squares: tuple[tuple[int, int, int, int], str], size: tuple[int, int] = (64, 64)) -> Image.Image:
    picture = Image.new("RGB", size)
    for (left, top, right, bottom), colour in squares:
        ImageDraw.Draw(picture).rectangle((left, top, right - 1, bottom - 1), colour)
    return picture


RED, GREEN = ((8, 16, 16, 24), "#ff0000"), ((40, 48, 48, 56), "#00cc00")


def test_boxes_scores_and_names_are_those_of_the_network(models: Path) -> None:
    red, green = find(models, drawn(RED, GREEN))
    assert (red.box, red.label, red.score) == ((8, 16, 16, 24), "red", pytest.approx(1))
    assert (green.box, green.label, green.score) == ((40, 48, 48, 56), "green", pytest.approx(0.8))
    assert red.layer.sum() == 64
    assert red.layer[16:24, 8:16].all()


@pytest.mark.parametrize(
    ("size", "square", "box"),
    [
        ((128, 64), (32, 16, 48, 32), (32, 16, 48, 32)),  # half as large, 16 px of grey above
        ((64, 128), (16, 32, 32, 48), (16, 32, 32, 48)),  # and beside
        ((32, 32), (8, 8, 12, 12), (8, 8, 12, 12)),  # twice as large
    ],
)
def test_pictures_of_any_form_are_shown_whole(models: Path, size: tuple[int, int], square: Any, box: Any) -> None:
    # The grey round it is 0.45 of each colour.
    found = find(models, drawn((square, "#ff0000"), size=size), confidence=0.6)
    assert [thing.box for thing in found] == [box]
    assert found[0].layer.shape == (size[1], size[0])


def test_confidence_classes_and_count_choose(models: Path) -> None:
    picture = drawn(RED, GREEN)
    assert [thing.label for thing in find(models, picture, confidence=0.9)] == ["red"]
    assert [thing.label for thing in find(models, picture, classes=["green"])] == ["green"]
    assert [thing.label for thing in find(models, picture, max_count=1)] == ["red"]
    assert find(models, drawn()) == []


def test_of_boxes_that_overlap_the_surest_stays(models: Path) -> None:
    # Boxes of 16 px every 8 px: neighbours share a third. The square lies in one cell alone, and a fainter one beside it.
    picture = drawn(((24, 24, 32, 32), "#ff0000"), ((32, 24, 40, 32), "#cc0000"))
    assert [thing.box for thing in find(models, picture, model="wide", overlap=0.3)] == [(20, 20, 36, 36)]
    assert len(find(models, picture, model="wide", overlap=0.4)) == 2
    other_class = drawn(((24, 24, 32, 32), "#ff0000"), ((32, 24, 40, 32), "#00cc00"))
    assert [thing.label for thing in find(models, other_class, model="wide", overlap=0.3)] == ["0", "1"]


def test_instances_have_the_form_of_their_masks(models: Path) -> None:
    picture = drawn(((28, 16, 36, 24), "#ff0000"), ((8, 40, 16, 48), "#ff0000"))
    found = {thing.box: thing.layer for thing in find(models, picture, model="halves", confidence=0.4)}
    assert found[(8, 40, 16, 48)].sum() == 64
    assert found[(24, 16, 32, 24)].sum() == 64
    assert (32, 16, 40, 24) not in found  # all of it is on the right, where the mask is not


def test_masks_are_cut_out_of_the_letterbox(models: Path) -> None:
    # 64 px wide and 128 high: 16 px of grey on each side, so that the masks end in the picture's middle.
    (thing,) = find(models, drawn(((24, 32, 40, 48), "#ff0000"), size=(64, 128)), model="halves", confidence=0.45)
    assert thing.box == (16, 32, 32, 48)
    rows, columns = np.nonzero(thing.layer)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (32, 47, 16, 31)


def test_names_are_read_but_not_run(models: Path) -> None:
    assert [thing.label for thing in find(models, drawn(RED), model="odd")] == ["0"]


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"model": "squars"}, NotFound, 'Did you mean "squares"'),
        ({"model": "../secret"}, NotFound, r'no detector "\.\./secret"'),
        ({"model": "face"}, NotFound, "There are: broken, halves, odd, squares, wide.*detectors/ in the models folder"),
        ({"model": "old.pt"}, BadFile, "pickle.*yolo export"),
        ({"model": "broken"}, BadFile, "cannot be read as ONNX"),
        ({"classes": ["gren"]}, BadRequest, 'knows no "gren".* Did you mean "green"'),
    ],
)
def test_what_is_not_there_is_named(models: Path, settings: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        find(models, drawn(), **settings)


def test_another_networks_file_is_refused(tmp_path: Path) -> None:
    parts = Path(__file__).parents[3] / "lib_extension" / "models" / "demo" / "parts" / "model.onnx"
    (tmp_path / "detectors").mkdir()
    (tmp_path / "detectors" / "parts.onnx").write_bytes(parts.read_bytes())
    with pytest.raises(BadFile, match=r"Needed is what YOLOv8 and later export"):
        find(tmp_path, drawn(), model="parts")


def test_without_a_folder_it_says_which(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r'no detector "squares"\. Put its \.onnx file into detectors/ in the models folder'):
        find(tmp_path, drawn())
