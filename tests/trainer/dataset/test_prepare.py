"""Are pictures prepared as was asked, once, and into nobody else's files?"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lib_extension.spec.dataset import PrepareSettings
from lib_extension.spec.errors import BadFile, BadRequest
from lib_extension.spec.settings import from_json
from tests.demo_model.scenes import training_scene
from trainer.data.pictures import file_hash
from trainer.dataset.prepare import around, aspect_of, widened
from trainer.dataset.prepare_folder import prepare_folder
from trainer.dataset.prepare_manifest import MANIFEST
from trainer.report import Report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "in").mkdir(parents=True)
    for i, name in enumerate(("a.png", "b.jpg", "in/ç.webp")):
        training_scene(i).picture.resize((200 + 40 * i, 160)).save(folder / name)
        (folder / name).with_suffix(".txt").write_text(f"caption {i}", "utf-8")
    return folder


def events(folder: Path, **more: object) -> list[dict[str, Any]]:
    out = io.StringIO()
    settings = from_json(PrepareSettings, {"folder": str(folder), "into": str(folder.parent / "out"), "processes": 1, **more})
    prepare_folder(settings, Report(out))
    return [json.loads(line) for line in out.getvalue().splitlines()]


def prepare(folder: Path, **more: object) -> dict[str, Any]:
    """The last event."""
    return events(folder, **more)[-1]


def logged(folder: Path, **more: object) -> str:
    return "\n".join(event["text"] for event in events(folder, **more) if event["event"] == "log")


def files(folder: Path) -> set[str]:
    """What lies in the prepared folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST}


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
    for name in ("ç.png", "ç.txt"):  # a line is on the disk before its files are
        (folder.parent / "out" / "in" / name).unlink()
    out = prepare(folder)
    assert (out["made"], out["problems"]) == (1, 0)
    assert prepare(folder)["made"] == 0


@pytest.mark.parametrize("line", ["[]", "{}", '{"folder": "", "name": "", "key": "", "files": 3}', "\0", '{"target": "a.png"}'])
def test_strange_lines_of_the_manifest_are_none(folder: Path, line: str) -> None:
    prepare(folder)
    with (folder.parent / "out" / MANIFEST).open("a") as manifest:
        manifest.write(f"\n{line}")
    assert prepare(folder)["made"] == 0


def test_pictures_of_others_are_never_touched(folder: Path) -> None:
    (folder.parent / "out").mkdir()
    (folder.parent / "out" / "a.png").write_bytes(b"mine")
    assert prepare(folder)["problems"] == 1
    assert (folder.parent / "out" / "a.png").read_bytes() == b"mine"
    assert not (folder.parent / "out" / "a.txt").exists()
    (folder.parent / "out" / "b.png").write_bytes(b"retouched")
    assert prepare(folder, resize=64)["problems"] == 2
    assert (folder.parent / "out" / "b.png").read_bytes() == b"retouched"


def test_captions_of_others_and_changed_ones_stay_and_are_told(folder: Path) -> None:
    out = folder.parent / "out"
    out.mkdir()
    (out / "a.txt").write_text("mine")
    assert "1 × not made here or changed since: they stay as they are" in logged(folder)
    (out / "b.txt").write_text("edited")
    told = logged(folder, resize=80)
    assert "2 × not made here or changed since" in told
    assert told.endswith(": a.txt, b.txt")
    assert sizes(out)["a.png"] == (100, 80)
    assert [(out / name).read_text("utf-8") for name in ("a.txt", "b.txt", "in/ç.txt")] == ["mine", "edited", "caption 2"]
    (folder / "a.txt").write_text("mine")
    (out / "b.txt").unlink()
    assert logged(folder, resize=80) == ""
    assert (out / "b.txt").read_text() == "caption 1"


def test_a_caption_that_is_corrected_or_gone_goes_along(folder: Path) -> None:
    out = folder.parent / "out"
    prepare(folder)
    before = (out / "a.png").stat().st_mtime_ns
    (folder / "a.txt").write_text("corrected")
    assert prepare(folder)["made"] == 1
    assert (out / "a.txt").read_text() == "corrected"
    assert (out / "a.png").stat().st_mtime_ns == before
    (folder / "a.txt").rename(folder / "a.caption")
    (folder / "b.txt").unlink()
    assert "2 × no longer asked for, and removed: a.txt, b.txt" in logged(folder)
    assert files(out) == {"a.png", "a.caption", "b.png", "in/ç.png", "in/ç.txt"}


def test_what_is_no_longer_asked_for_goes_unless_it_was_changed(folder: Path) -> None:
    out = folder.parent / "out"
    prepare(folder)
    (out / "b.txt").write_text("edited")
    (out / "mine.png").write_bytes(b"mine")
    told = logged(folder, leave_out=["b.jpg"])
    assert "1 × no longer asked for, and removed: b.png" in told
    assert "1 × no longer asked for, but changed since they were made: they stay" in told
    assert files(out) == {"a.png", "a.txt", "b.txt", "in/ç.png", "in/ç.txt", "mine.png"}
    prepare(folder, format="jpg", nested=False)
    assert files(out) == {"a.jpg", "a.txt", "b.jpg", "b.txt", "mine.png"}
    assert (out / "b.txt").read_text() == "edited"


def test_what_other_folders_pictures_and_broken_ones_became_stays(folder: Path) -> None:
    other = folder.parent / "other"
    other.mkdir()
    training_scene(5).picture.save(other / "c.png")
    prepare(folder)
    prepare(other, into=str(folder.parent / "out"))
    (folder / "a.png").write_bytes(b"no")
    prepare(folder, format="jpg")
    assert files(folder.parent / "out") == {"a.png", "a.txt", "b.jpg", "b.txt", "in/ç.jpg", "in/ç.txt", "c.png"}


def test_nothing_outside_is_removed_whatever_the_manifest_says(folder: Path) -> None:
    prepare(folder)
    outside = folder.parent / "outside.png"
    outside.write_bytes(b"mine")
    line = {"folder": str(folder.resolve()), "name": "gone.png", "key": "", "files": {"../outside.png": file_hash(b"mine")}}
    with (folder.parent / "out" / MANIFEST).open("a") as manifest:
        manifest.write(f"\n{json.dumps(line)}")
    prepare(folder)
    assert outside.read_bytes() == b"mine"


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


def quarter(size: tuple[int, int], path: Path) -> None:
    """A mask whose right lower quarter is white."""
    mask = Image.new("L", size)
    mask.paste(255, (size[0] // 2, size[1] // 2, *size))
    mask.save(path)


RIGHT = {"left": 0.5, "top": 0, "right": 1, "bottom": 1}


def test_a_box_by_hand_cuts_the_mask_as_it_cuts_the_picture(folder: Path) -> None:
    (folder.parent / "masks").mkdir()
    for name in ("a", "b"):
        quarter((100, 80), folder.parent / "masks" / f"{name}.png")
    asked = {"background": "mask", "masks": str(folder.parent / "masks"), "boxes": {"a.png": RIGHT}, "leave_out": ["in/ç.webp"]}
    prepare(folder, **asked)
    with Image.open(folder.parent / "out" / "a-masklabel.png") as mask:
        assert mask.size == (100, 160)
        assert [mask.getpixel(place) for place in ((5, 5), (95, 75), (5, 85), (95, 155))] == [0, 0, 255, 255]
    assert prepare(folder, **asked)["made"] == 0
    quarter((200, 160), folder.parent / "masks" / "a.png")
    assert prepare(folder, **asked)["made"] == 1  # a mask that was corrected


def test_a_mask_that_lies_with_its_picture_goes_along(folder: Path) -> None:
    out = folder.parent / "out"
    quarter((200, 160), folder / "a-masklabel.png")
    asked = {"boxes": {"a.png": RIGHT}, "aspect": "1:1", "resize": 50}
    assert prepare(folder, **asked)["made"] == 3
    with Image.open(out / "a-masklabel.png") as mask:
        assert mask.size == (50, 50)
        assert [mask.getpixel(place) for place in ((5, 5), (45, 20), (5, 30), (45, 45))] == [0, 0, 255, 255]
    assert prepare(folder, **asked)["made"] == 0
    quarter((400, 320), folder / "a-masklabel.png")
    assert prepare(folder, **asked)["made"] == 1
    (out / "a-masklabel.png").write_bytes(b"painted by hand")
    assert ": a-masklabel.png" in logged(folder, resize=40)
    assert (out / "a-masklabel.png").read_bytes() == b"painted by hand"
    quarter((100, 160), folder / "a-masklabel.png")
    assert 'a.png: Its mask "a-masklabel.png" has another shape: 100 × 160 for 200 × 160.' in logged(folder)


def test_a_mask_of_the_background_goes_when_it_is_kept(folder: Path) -> None:
    prepare(folder, background="mask")
    assert len(files(folder.parent / "out")) == 9
    prepare(folder)
    assert len(files(folder.parent / "out")) == 6


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
