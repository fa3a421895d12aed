"""Do check and prepare stand what disks, names and people do to them: kill -9, full and read-only disks, odd names, links in circles?"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.demo_model.scenes import training_scene
from tests.trainer.dataset.test_check import photograph
from tests.trainer.disks import Mount, remount
from tests.trainer.runs import Told, carried_out, started
from trainer.dataset.prepare_manifest import MANIFEST

NAMES = (
    "猫 の 写真.png",
    "größe.jpg",
    "e\u0301.png",
    "a 'quoted' \"name\".png",
    "100 %.png",
    "-dash.png",
    "😀 &amp; <b>.webp",
    "x" * 200 + ".png",
)


def config(folder: Path, /, **settings: object) -> Path:
    file = folder / "config.json"
    file.write_text(json.dumps({name: str(value) if isinstance(value, Path) else value for name, value in settings.items()}), "utf-8")
    return file


def prepared(folder: Path, into: Path, /, **more: object) -> Told:
    return carried_out("prepare", config(folder.parent, folder=folder, into=into, processes=1, **more))


def pictures_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_preparing_goes_on_after_kill_9_and_leaves_nobody_behind(tmp_path: Path) -> None:
    folder, into = tmp_path / "data", tmp_path / "out"
    folder.mkdir()
    for i in range(12):
        photograph(i, (768, 768)).save(folder / f"{i}.jpg")
    for i in range(12, 72):
        os.link(folder / f"{i % 12}.jpg", folder / f"{i}.jpg")
    asked = {"folder": folder, "into": into, "resize": 700, "format": "jpg"}
    with started("prepare", config(tmp_path, **asked, processes=2)) as process:
        _wait(lambda: (into / MANIFEST).is_file() and (into / MANIFEST).read_text("utf-8").count('"key"') >= 8, process)
        children = _children(process.pid)
        process.kill()
    there = sum(path.suffix == ".jpg" for path in into.iterdir())
    assert 5 <= there < 72
    _wait(lambda: not any(Path(f"/proc/{child}").exists() and _is_at_work(child) for child in children))
    told = prepared(folder, into, resize=700, format="jpg")
    assert told.status == 0, told.error
    assert (told.events[-1]["pictures"], told.events[-1]["problems"]) == (72, 0)
    assert told.events[-1]["made"] == 72 - there
    straight = tmp_path / "straight"
    assert prepared(folder, straight, resize=700, format="jpg").status == 0
    assert {n: d for n, d in pictures_in(into).items() if not n.endswith(".part")} == pictures_in(straight)


def _wait(holds: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    limit = time.monotonic() + 120
    while not holds():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.01)


def _children(process: int) -> list[int]:
    files = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for file in files for child in file.read_text().split()]


def _is_at_work(process: int) -> bool:
    """Not dead already, and only waiting for somebody to take note."""
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


def test_a_full_disk_stops_preparing_with_what_to_do(tmp_path: Path, mount: Mount) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for i in range(8):
        photograph(i, (256, 256)).save(folder / f"{i}.png")
    into = mount("size=600k") / "out"
    told = prepared(folder, into)
    assert told.status == 2
    assert "No space left on device" in told.error
    assert "Free some space and start again" in told.error
    whole = [path for path in into.iterdir() if path.suffix == ".png"]
    assert 0 < len(whole) < 8
    for path in whole:
        with Image.open(path) as picture:
            picture.load()
    assert not list(into.glob(".*.part"))
    remount(into.parent, "size=8m")
    told = prepared(folder, into)
    assert (told.status, told.events[-1]["pictures"], told.events[-1]["made"]) == (0, 8, 8 - len(whole))


def test_what_cannot_be_written_is_said(tmp_path: Path, mount: Mount) -> None:
    folder = mount("size=4m") / "data"
    folder.mkdir()
    training_scene(1).picture.save(folder / "a.png")
    remount(folder.parent, "ro")
    told = carried_out("prepare", config(tmp_path, folder=folder))
    assert told.status == 2
    assert 'data-report" for the report cannot be made: Read-only file system' in told.error
    assert carried_out("prepare", config(tmp_path, folder=folder, report=tmp_path / "report")).status == 0
    shutil.copytree(folder, tmp_path / "copy")
    told = prepared(tmp_path / "copy", folder.parent / "out")
    assert told.status == 2
    assert "cannot be made: Read-only file system" in told.error
    told = carried_out("prepare", config(tmp_path, folder=folder, into=tmp_path / "out", processes=1))
    assert told.status == 0  # the pictures themselves may lie where nothing can be written


def test_odd_names_and_links_in_circles(tmp_path: Path) -> None:
    folder, into = tmp_path / "dätä 猫", tmp_path / "öut"
    (folder / "in").mkdir(parents=True)
    for i, name in enumerate(NAMES):
        training_scene(i).picture.save(folder / name)
        (folder / name).with_suffix(".txt").write_text(f"größe {i}", "utf-8")
    (folder / "in" / "circle").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    told = carried_out("prepare", config(tmp_path, folder=folder, report=tmp_path / "rëport"))
    assert (told.status, told.events[-1]["pictures"]) == (0, len(NAMES)), told
    report = json.loads((tmp_path / "rëport" / "report.json").read_text("utf-8"))
    assert {one["name"] for one in report["pictures"]} == set(NAMES)
    told = prepared(folder, into)
    assert (told.status, told.events[-1]["made"], told.events[-1]["problems"]) == (0, len(NAMES), 0), told
    assert {path.stem for path in into.glob("*.png")} == {Path(name).stem for name in NAMES}
    assert (into / "größe.txt").read_text("utf-8") == "größe 1"
    assert prepared(folder, into).events[-1]["made"] == 0


def test_captions_of_five_thousand_tags_go_along(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    training_scene(0).picture.save(folder / "a.png")
    caption = ", ".join(f"tag number {i}" for i in range(5000))
    (folder / "a.txt").write_text(caption, "utf-8")
    assert prepared(folder, tmp_path / "out").status == 0
    assert (tmp_path / "out" / "a.txt").read_text("utf-8") == caption


def test_names_that_clash_have_captions_and_masks_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for i, name in enumerate(("a.png", "a.jpg", "A.webp")):
        training_scene(i).picture.save(folder / name)
    told = prepared(folder, tmp_path / "out", background="mask")
    assert told.events[-1]["problems"] == 0
    names = {path.name for path in (tmp_path / "out").glob("*.png")}
    assert len({name.casefold() for name in names}) == len(names) == 6
