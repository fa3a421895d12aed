"""Is only what is new in a folder read again, and nothing old told?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lib_extension.captions.files import Captioned, captioned, write_text
from lib_extension.captions.listing import Listed, listed
from lib_extension.captions.shelf import MOST, Shelf
from lib_extension.spec.errors import BadFile, BadRequest


def folder_of(path: Path, count: int) -> Path:
    path.mkdir()
    for number in range(count):
        (path / f"{number}.png").write_bytes(b"")
        (path / f"{number}.txt").write_text(f"tag {number % 7}, all")
    return path


def test_what_is_as_it_was_is_the_same_reading(tmp_path: Path):
    folder, shelf = folder_of(tmp_path / "a", 12), Shelf()
    first = shelf.read(folder)
    assert [one.name for one in first.captions] == [f"{number}.png" for number in range(12)]
    assert shelf.read(folder) is first
    assert first.counts.tags[0] == ("all", 12)
    assert first.balance == (("", 12, 0),)


def test_only_what_is_new_is_read(tmp_path: Path):
    folder, shelf = folder_of(tmp_path / "a", 12), Shelf()
    first = shelf.read(folder)
    write_text(folder / "3.txt", "tag x, all")  # as long as before
    (folder / "4.txt").unlink()
    (folder / "5.png").unlink()
    (folder / "12.png").write_bytes(b"")
    now = shelf.read(folder)
    assert [one.name for one in now.captions] == [
        "0.png",
        "1.png",
        "2.png",
        "3.png",
        "4.png",
        *(f"{number}.png" for number in range(6, 13)),
    ]
    assert [now.by_name[f"{number}.png"].text for number in (3, 4, 12)] == ["tag x, all", "", ""]
    assert all(now.by_name[f"{number}.png"] is first.by_name[f"{number}.png"] for number in (0, 1, 2, 6, 7, 8, 9, 10, 11))


def test_a_clash_of_names_is_seen_when_it_comes_and_when_it_goes(tmp_path: Path):
    folder, shelf = folder_of(tmp_path / "a", 1), Shelf()
    assert not shelf.read(folder).captions[0].problem
    (folder / "0.jpg").write_bytes(b"")
    assert [bool(one.problem) for one in shelf.read(folder).captions] == [False, True]
    (folder / "0.jpg").unlink()
    assert [bool(one.problem) for one in shelf.read(folder).captions] == [False]


def test_a_few_folders_are_held(tmp_path: Path):
    shelf = Shelf()
    folders = [folder_of(tmp_path / str(number), 1) for number in range(MOST + 1)]
    readings = [shelf.read(folder) for folder in folders]
    assert shelf.read(folders[-1]) is readings[-1]
    assert shelf.read(folders[0]) is not readings[0]
    assert shelf.read(folders[0]).captions == readings[0].captions


def test_a_folder_that_gives_way_while_it_is_read_again_can_give_way_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shelf = Shelf()
    first, *others = [folder_of(tmp_path / str(number), 1) for number in range(2 * MOST + 1)]
    shelf.read(first)

    def meanwhile(folder: Path, *asked: Any) -> list[Listed]:
        monkeypatch.setattr("lib_extension.captions.shelf.listed", listed)
        for other in others[:MOST]:
            shelf.read(other)
        return listed(folder, *asked)

    monkeypatch.setattr("lib_extension.captions.shelf.listed", meanwhile)
    shelf.read(first)
    assert [len(shelf.read(other).captions) for other in others[MOST:]] == [1] * MOST


def test_of_ten_thousand_captions_only_the_new_one_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder, shelf, opened = folder_of(tmp_path / "a", 10_000), Shelf(), []

    def seen(one: Listed) -> Captioned:
        opened.append(one.name)
        return captioned(one)

    monkeypatch.setattr("lib_extension.captions.shelf.captioned", seen)
    first = shelf.read(folder)
    assert len(opened) == 10_000
    opened.clear()
    assert shelf.read(folder) is first
    assert not opened
    (folder / "new.png").write_bytes(b"")
    assert len(shelf.read(folder).captions) == 10_001
    assert opened == ["new.png"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_what_leads_elsewhere_is_left_out(tmp_path: Path):
    folder, elsewhere = folder_of(tmp_path / "in", 2), folder_of(tmp_path / "out", 1)
    (folder / "more").symlink_to(elsewhere)
    (folder / "link.png").symlink_to(elsewhere / "0.png")
    (folder / "1.txt").unlink()
    (folder / "1.txt").symlink_to(elsewhere / "0.txt")
    assert len(Shelf().read(folder).captions) == 4
    zero, one = Shelf().read(folder, within=(folder,)).captions
    assert (zero.text, one.text) == ("tag 0, all", "")
    assert "leads out of the folders" in one.problem


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_links_in_circles_and_odd_names(tmp_path: Path):
    folder = folder_of(tmp_path / "a", 1)
    (folder / "round.png").symlink_to(folder / "square.png")
    (folder / "square.png").symlink_to(folder / "round.png")
    (folder / "self").symlink_to(folder)
    (folder / "0.png.png").mkdir()
    (folder / ".hidden.png").write_bytes(b"")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.png")).write_bytes(b"")
    names = {one.name: one.problem for one in Shelf().read(folder).captions}
    assert names.keys() == {"0.png", "?.png"}
    assert "is not Unicode" in names["?.png"]


@pytest.mark.parametrize(
    ("picture", "caption"), [("e\u0301té", "\u00e9te\u0301"), ("\u00e9", "e\u0301"), ("e\u0301", "\u00e9"), ("📷☕", "📷☕")]
)
def test_a_caption_is_found_however_its_name_is_composed(tmp_path: Path, picture: str, caption: str):
    (tmp_path / f"{picture}.png").write_bytes(b"")
    (tmp_path / f"{caption}.txt").write_text("found")
    one = Shelf().read(tmp_path).captions[0]
    assert (one.name, one.text, one.file.name) == (f"{picture}.png", "found", f"{caption}.txt")


def test_folders_that_are_none(tmp_path: Path):
    with pytest.raises(BadRequest, match="There is no folder"):
        Shelf().read(tmp_path / "none")
    inner = folder_of(tmp_path / "inner", 1)
    inner.chmod(0)
    try:
        if os.access(inner, os.R_OK):
            pytest.skip("root may read everything")
        with pytest.raises(BadFile, match='"inner" cannot be read: Permission denied'):
            Shelf().read(tmp_path)
    finally:
        inner.chmod(0o700)
