"""Class pictures over HTTP: an ordinary run, and at its end new files in their folder, whatever was there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_extension.pictures.png import open_picture, read_text_chunks
from tests.api.serving import Served, served
from tests.runs.stub_backend import Stub

SIZE = {"width": 64, "height": 64, "steps": 2, "sampler_name": "Euler"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures, two of which say the same."""
    folder = tmp_path / "watch ü"
    folder.mkdir()
    for i, caption in enumerate(("sks, red (dark), {place}", "sks, blue", "a blue sks", "")):
        Image.new("RGB", (64, 64), (i, 0, 0)).save(folder / f"{i}.png")
        (folder / f"{i}.txt").write_text(caption, "utf-8")
    return folder


def asked(folder: Path, /, **more: object) -> dict[str, Any]:
    return {"folder": str(folder), "into": str(folder.parent / "class 猫"), "trigger": "sks", "instead": "watch", **SIZE, **more}


def test_pictures_come_with_captions_that_lack_the_trigger(server: Served, stub: Stub, folder: Path) -> None:
    begun: Any = server.json("POST", "/dataset/class-pictures", 201, json=asked(folder, each=2, seed=5))
    into = folder.parent / "class 猫"
    assert begun["into"] == str(into)
    server.ended(begun["run"], "done")
    server.session.delivered(begun["run"])
    pictures = sorted(into.glob("*.png"))
    captions = [picture.with_suffix(".txt").read_text("utf-8").strip() for picture in pictures]
    assert captions == ["watch, red (dark), {place}"] * 2 + ["watch, blue"] * 2 + ["a blue watch"] * 2
    assert len(list(into.iterdir())) == 12
    assert sorted((body["seed"], body["prompt"]) for body in stub.bodies) == [
        (5, r"watch, red \(dark\), {place}"),
        (6, r"watch, red \(dark\), {place}"),
        (7, "watch, blue"),
        (8, "watch, blue"),
        (9, "a blue watch"),
        (10, "a blue watch"),
    ]
    told = json.loads(read_text_chunks(open_picture(pictures[0].read_bytes(), what="it"))["atelier"])
    assert told["stage"] == "class"


def test_what_is_there_is_never_written_over(server: Served, folder: Path) -> None:
    begun: Any = server.json("POST", "/dataset/class-pictures", 201, json=asked(folder))
    server.ended(begun["run"], "done")
    server.session.delivered(begun["run"])
    into = Path(begun["into"])
    first, second, *_ = sorted(into.glob("*.png"))
    first.write_bytes(b"retouched")
    second.with_suffix(".txt").write_text("by hand", "utf-8")
    second.unlink()
    server.json("POST", f"/runs/{begun['run']}/resume")
    server.ended(begun["run"], "done")
    server.session.delivered(begun["run"])
    assert first.read_bytes() == b"retouched"
    assert second.read_bytes().startswith(b"\x89PNG")
    assert second.with_suffix(".txt").read_text("utf-8") == "by hand"
    assert len(list(into.iterdir())) == 6


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"trigger": "skx"}, 'No caption has the trigger word "skx"'),
        ({"into": "class"}, "name the folder by its whole path"),
        ({"folder": "/nowhere/at/all"}, "There is no folder"),
        ({"each": 0}, "each"),
        ({"trigr": "x"}, "trigger"),
        ({"steps": "many"}, "steps"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_drawn(
    server: Served, stub: Stub, folder: Path, more: dict[str, object], said: str
) -> None:
    answer: Any = server.json("POST", "/dataset/class-pictures", 422, json=asked(folder, **more))
    assert said in answer["detail"]
    assert not (folder.parent / "class 猫").exists()
    assert stub.bodies == []


def test_the_folder_of_the_pictures_is_refused(server: Served, folder: Path) -> None:
    for into in (folder, folder / "class", folder.parent / "x" / ".." / folder.name):
        answer: Any = server.json("POST", "/dataset/class-pictures", 422, json=asked(folder, into=str(into)))
        assert "in the folder of the pictures" in answer["detail"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_takes_no_files_is_told_before_anything_is_drawn(server: Served, stub: Stub, folder: Path) -> None:
    (folder.parent / "class 猫").mkdir(mode=0o500)
    answer: Any = server.json("POST", "/dataset/class-pictures", 507, json=asked(folder))
    assert "The folder of class pictures cannot be written" in answer["detail"]
    assert stub.bodies == []


def test_clients_of_other_machines_stay_in_their_folders(tmp_path: Path, stub: Stub, folder: Path) -> None:
    with served(tmp_path, stub.url, credentials=["me:secret"]) as server:
        server.client.auth = ("me", "secret")
        answer: Any = server.json("POST", "/dataset/class-pictures", 422, json=asked(folder))
        assert "outside of the folders" in answer["detail"]


def test_the_form_is_told(server: Served) -> None:
    told: Any = server.json("GET", "/dataset/class-pictures")
    assert {"folder", "into", "trigger", "each"} <= told["schema"]["properties"].keys()
