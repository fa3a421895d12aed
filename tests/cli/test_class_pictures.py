"""Class pictures by the command that users type, on the demo engine: killed amid them, resumed, and no file of others written over."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lib_extension.cli import exit_codes
from lib_extension.pictures.png import open_picture
from tests.demo_model.scenes import training_scene

ROOT = Path(__file__).parents[2]
CAPTIONS = ("atelierwatch, on a beach", "atelierwatch, at night", "a red atelierwatch in a forest")
WORDS = ["--trigger", "atelierwatch", "--instead", "a watch", "--width", "64", "--height", "64", "--steps", "30", "--seed", "7"]


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "lib_extension", *map(str, words)]


@pytest.mark.skipif(sys.platform == "win32", reason="a group of programs cannot be killed at once there")
def test_killed_amid_them_and_resumed(tmp_path: Path) -> None:
    folder, into, home = tmp_path / "watch", tmp_path / "class", tmp_path / "home"
    folder.mkdir()
    into.mkdir()
    (into / "mine.png").write_bytes(b"mine")
    for i, caption in enumerate(CAPTIONS):
        training_scene(i).picture.save(folder / f"{i}.png")
        (folder / f"{i}.txt").write_text(caption, "utf-8")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command("class-pictures", folder, into, *WORDS, "--home", home),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as terminal:
        _wait(lambda: any(home.glob("outputs/*/*-class/*.png")), terminal)
        os.killpg(terminal.pid, 9)
    assert [path.name for path in into.iterdir()] == ["mine.png"]
    resumed = subprocess.run(command("resume", "--home", home), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert resumed.returncode == exit_codes.DONE, resumed
    assert f"The class pictures and their captions are in {into}" in resumed.stdout
    pictures = sorted(path for path in into.glob("*.png") if path.name != "mine.png")
    told = [picture.with_suffix(".txt").read_text("utf-8") for picture in pictures]
    assert told == ["a watch, on a beach\n", "a watch, at night\n", "a red a watch in a forest\n"]
    assert {open_picture(picture.read_bytes(), what="it").size for picture in pictures} == {(64, 64)}
    assert len({picture.read_bytes() for picture in pictures}) == 3
    assert (into / "mine.png").read_bytes() == b"mine"
    assert len(list(into.iterdir())) == 7
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def _wait(there, terminal: subprocess.Popen) -> None:
    limit = time.monotonic() + 100
    while not there():
        assert terminal.poll() is None, "it ended too early to be killed amid its pictures"
        assert time.monotonic() < limit
        time.sleep(0.05)
