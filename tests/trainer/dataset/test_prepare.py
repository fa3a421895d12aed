"""Are pictures prepared as was asked, once, and into nobody else's files?"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lib_extension.spec.dataset import PrepareSettings
from lib_extension.spec.errors import BadFile, BadRequest
from lib_extension.spec.settings import from_json
from tests.demo_model.scenes import training_scene
from trainer.dataset.prepare import around, aspect_of, widened
from trainer.dataset.prepare_folder import MANIFEST, prepare_folder
from trainer.report import Report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "in").mkdir(parents=True)
    for i, name in enumerate(("a.png", "b.jpg", "in/ç.webp")):
        training_scene(i).picture.resize((200 + 40 * i, 160)).save(folder / name)
        (folder / name).with_suffix(".txt").write_text(f"caption {i}", "utf-8")
    return folder


def prepare(folder: Path, **more: object) -> dict[str, object]:
    """The last event."""
    out = io.StringIO()
    settings = from_json(PrepareSettings, {"folder": str(folder), "into": str(folder.parent / "out"), "processes": 1, **more})
    prepare_folder(settings, Report(out))
    return json.loads(out.getvalue().splitlines()[-1])


def sizes(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for path in sorted(folder.rglob("*.png")):
        with Image.open(path) as picture:
            found[path.relative_to(folder).as_posix()] = picture.size
    return found


def test_pictures_and_captions_go_into_the_other_folder(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}
    assert prepare(folder, resize=80) == {
        "event": "prepared",
        "pictures": 3,
        "made": 3,
        "problems": 0,
        "folder": str(folder.parent / "out"),
    }
    assert sizes(folder.parent / "out") == {"a.png": (100, 80), "b.png": (120, 80), "in/ç.png": (140, 80)}
    assert (folder.parent / "out" / "in" / "ç.txt").read_text("utf-8") == "caption 2"
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before


def test_a_second_time_only_what_changed_is_made(folder: Path) -> None:
    prepare(folder, resize=80)
    assert prepare(folder, resize=80)["made"] == 0
    training_scene(9).picture.save(folder / "a.png")
    assert prepare(folder, resize=80)["made"] == 1
    assert prepare(folder, resize=64)["made"] == 3
    (folder.parent / "out" / "b.png").unlink()
    assert prepare(folder, resize=64)["made"] == 1
    assert prepare(folder, resize=64, boxes={"a.png": {"left": 0, "top": 0, "right": 0.5, "bottom": 1}})["made"] == 1


def test_a_line_of_the_manifest_that_was_cut_off_is_no_line(folder: Path) -> None:
    prepare(folder)
    manifest = folder.parent / "out" / MANIFEST
    manifest.write_bytes(manifest.read_bytes()[:-20])
    out = prepare(folder)
    assert (out["made"], out["problems"]) == (1, 0)  # it was said before that it would be made


def test_files_of_others_are_never_touched(folder: Path) -> None:
    (folder.parent / "out").mkdir()
    (folder.parent / "out" / "a.png").write_bytes(b"mine")
    assert prepare(folder)["problems"] == 1
    assert (folder.parent / "out" / "a.png").read_bytes() == b"mine"


@pytest.mark.parametrize("into", ["data", "data/in", "data/new", "."])
def test_the_pictures_own_folder_is_refused(folder: Path, into: str) -> None:
    with pytest.raises(BadRequest, match="neither in the folder"):
        prepare(folder, into=str(folder.parent / into))


def test_names_that_clash_get_their_endings(folder: Path) -> None:
    training_scene(7).picture.save(folder / "a.jpg")
    prepare(folder)
    assert set(sizes(folder.parent / "out")) == {"a.png", "a-png.png", "b.png", "in/ç.png"}


def test_broken_ones_are_told_and_the_rest_is_made(folder: Path) -> None:
    (folder / "z.png").write_bytes(b"no")
    out = prepare(folder)
    assert (out["pictures"], out["problems"]) == (3, 1)
    for name in ("a.png", "b.jpg", "in/ç.webp"):
        (folder / name).write_bytes(b"no")
    with pytest.raises(BadFile, match="None of the 4 pictures"):
        prepare(folder, into=str(folder.parent / "other"))


def test_shape_box_and_leaving_out(folder: Path) -> None:
    prepare(folder, aspect="1:1", leave_out=["b.jpg"], boxes={"a.png": {"left": 0.5, "top": 0, "right": 1, "bottom": 0.5}})
    assert sizes(folder.parent / "out") == {"a.png": (80, 80), "in/ç.png": (160, 160)}
    with pytest.raises(BadRequest, match=r'boxes names "gone\.png"'):
        prepare(folder, boxes={"gone.png": {"left": 0, "top": 0, "right": 1, "bottom": 1}})


def test_small_ones_are_enlarged_only_when_asked(folder: Path) -> None:
    prepare(folder, resize=320)
    assert sizes(folder.parent / "out")["a.png"] == (200, 160)
    prepare(folder, resize=320, enlarge="lanczos")
    assert sizes(folder.parent / "out")["a.png"] == (400, 320)
    with pytest.raises(BadFile, match="None of the 3"):
        prepare(folder, resize=320, enlarge="upscaler", into=str(folder.parent / "third"))


def test_the_background_is_filled_and_masked_by_the_network(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    scene = training_scene(4)
    scene.picture.save(folder / "a.png")
    prepare(folder, background="colour", colour="#00ff00")
    with Image.open(tmp_path / "out" / "a.png") as made:
        green = (np.abs(np.asarray(made, np.int16) - (0, 255, 0)).max(2) < 12).mean()
    thing = (np.asarray(scene.masks["object"]) > 127).mean()
    assert abs((1 - green) - thing) < 0.1
    prepare(folder, background="mask", into=str(tmp_path / "masked"))
    with Image.open(tmp_path / "masked" / "a-masklabel.png") as mask:
        assert mask.mode == "L"
        assert abs((np.asarray(mask) > 127).mean() - thing) < 0.05


def test_masks_of_ones_own_are_taken_and_missing_ones_told(folder: Path) -> None:
    masks = folder.parent / "masks"
    (masks / "in").mkdir(parents=True)
    for name in ("a", "b"):
        mask = Image.new("L", (100, 80))
        ImageDraw.Draw(mask).rectangle((40, 20, 59, 59), fill=255)
        mask.save(masks / f"{name}.png")
    out = prepare(folder, crop="subject", margin=0, masks=str(masks))
    assert out["problems"] == 1
    assert abs(sizes(folder.parent / "out")["a.png"][0] - 40) <= 2


def test_many_processes_make_the_same(folder: Path) -> None:
    prepare(folder, resize=80)
    one = {path.name: path.read_bytes() for path in (folder.parent / "out").rglob("*.png")}
    prepare(folder, resize=80, processes=2, into=str(folder.parent / "two"))
    assert {path.name: path.read_bytes() for path in (folder.parent / "two").rglob("*.png")} == one


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_cannot_be_written_is_said(folder: Path) -> None:
    folder.parent.chmod(0o500)
    try:
        with pytest.raises(BadFile, match="cannot be made"):
            prepare(folder)
    finally:
        folder.parent.chmod(0o700)


@pytest.mark.parametrize(("text", "shape"), [("", 0), ("1:1", 1), ("2:3", 2 / 3), ("16:9", 16 / 9)])
def test_aspect_of(text: str, shape: float) -> None:
    assert aspect_of(text) == shape


@pytest.mark.parametrize("text", ["1", "a:b", "0:1", "-1:2", "1:2:3", "inf:1"])
def test_what_is_no_aspect(text: str) -> None:
    with pytest.raises(BadRequest, match="aspect is"):
        aspect_of(text)


def test_boxes_grow_to_their_shape_where_there_is_room() -> None:
    mask = Image.new("L", (100, 100))
    ImageDraw.Draw(mask).rectangle((40, 10, 49, 49), fill=255)
    assert around(mask, 0) == (40, 10, 50, 50)
    assert around(mask, 0.1) == (36, 6, 54, 54)
    assert around(Image.new("L", (9, 9)), 0.5) == (0, 0, 9, 9)
    assert widened((40, 10, 50, 50), (100, 100), 1, may_grow=True) == (25, 10, 65, 50)
    assert widened((0, 10, 10, 50), (100, 100), 1, may_grow=True) == (0, 10, 40, 50)
    assert widened((0, 0, 200, 100), (200, 100), 1, may_grow=False) == (50, 0, 150, 100)
    assert widened((0, 0, 10, 100), (50, 100), 1, may_grow=True) == (0, 25, 50, 75)
