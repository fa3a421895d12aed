"""Are captions of all systems read, and is what is written whole or not there?"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lib_extension.captions.files import MOST_BYTES, read_folder, read_text, write_text
from lib_extension.spec.errors import BadFile, BadRequest


def picture(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_captions_of_every_editor_are_read(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes("a café, naïve\r\n".encode(encoding))
    assert read_text(file) == "a café, naïve"


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"\x89PNG\0\0\0\x81")
    with pytest.raises(BadFile, match=r"a\.txt.* is not a text"):
        read_text(file)
    file.write_bytes(b"a" * (MOST_BYTES + 1))
    with pytest.raises(BadFile, match=f"{MOST_BYTES + 1} bytes"):
        read_text(file)


def test_a_folder_is_read_as_people_count_with_the_captions_that_are_there(tmp_path: Path) -> None:
    for name in ("10.png", "2.PNG", "ünï/3.webp", "notes.md", ".hidden.png"):
        picture(tmp_path, name)
    (tmp_path / "2.txt").write_text("two", "utf-8")
    (tmp_path / "10.caption").write_text("ten", "utf-8")
    found = read_folder(tmp_path)
    assert [(one.name, one.text, one.file.name) for one in found] == [
        ("2.PNG", "two", "2.txt"),
        ("10.png", "ten", "10.caption"),
        ("ünï/3.webp", "", "3.txt"),
    ]
    assert [one.name for one in read_folder(tmp_path, nested=False)] == ["2.PNG", "10.png"]
    assert [one.text for one in read_folder(tmp_path, ending=".caption", nested=False)] == ["", "ten"]


def test_a_caption_that_two_pictures_have_is_told(tmp_path: Path) -> None:
    picture(tmp_path, "a.jpg")
    picture(tmp_path, "a.png")
    first, second = read_folder(tmp_path)
    assert not first.problem
    assert second.problem == '"a.png" and "a.jpg" have the caption a.txt between them. Give one of them another name.'


def test_an_unreadable_caption_leaves_the_others(tmp_path: Path) -> None:
    picture(tmp_path, "a.png")
    picture(tmp_path, "b.png")
    (tmp_path / "a.txt").write_bytes(b"\0\0\0")
    (tmp_path / "b.txt").write_text("sound", "utf-8")
    broken, sound = read_folder(tmp_path)
    assert "is not a text" in broken.problem
    assert sound.text == "sound"


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_links_in_a_circle_are_followed_once(tmp_path: Path) -> None:
    picture(tmp_path, "in/a.png")
    (tmp_path / "in" / "round").symlink_to(tmp_path)
    assert [one.name for one in read_folder(tmp_path)] == ["in/a.png"]


def test_no_folder_and_no_ending(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="There is no folder"):
        read_folder(tmp_path / "none")
    with pytest.raises(BadRequest, match=r'end with "\.doc"'):
        read_folder(tmp_path, ".doc")


def test_a_caption_is_replaced_at_once_and_keeps_its_rights(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old", "utf-8")
    file.chmod(0o640)
    write_text(file, "new")
    assert file.read_bytes() == b"new\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    if os.name != "nt":
        assert file.stat().st_mode & 0o777 == 0o640


def test_where_nothing_can_be_written_the_old_caption_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old", "utf-8")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadFile, match=r"No space left on device\. What was there before is as it was"):
        write_text(file, "new")
    assert [(path.name, path.read_text("utf-8")) for path in tmp_path.iterdir()] == [("a.txt", "old")]


def test_a_caption_that_may_only_be_read_stays_where_such_files_cannot_be_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, which neither replaces nor deletes them."""
    file, unlink = tmp_path / "a.txt", Path.unlink
    file.write_text("old", "utf-8")
    file.chmod(0o444)

    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(13, "Access is denied", str(path))

    def gone(path: Path, missing_ok: bool = False) -> None:
        unlink(path, missing_ok) if path.stat().st_mode & 0o200 else refuse(path)

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr(Path, "unlink", gone)
    with pytest.raises(BadFile, match=r"Access is denied\. What was there before is as it was"):
        write_text(file, "new")
    assert [(path.name, path.read_text("utf-8")) for path in tmp_path.iterdir()] == [("a.txt", "old")]


def test_endings_are_known_in_capitals_too(tmp_path: Path) -> None:
    for name, caption in {"a.png": "a.TXT", "B.JPG": "B.Caption", "c.png": "c.Txt", "é.png": "e\u0301.TXT"}.items():
        picture(tmp_path, name)
        (tmp_path / caption).write_text(caption, "utf-8")
    (tmp_path / "c.txt").write_text("c.txt", "utf-8")
    assert [one.text for one in read_folder(tmp_path)] == ["a.TXT", "B.Caption", "c.txt", "e\u0301.TXT"]


def test_names_that_differ_by_capitals_are_one_where_the_system_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(tmp_path, "B.JPG")
    (tmp_path / "b.txt").write_text("of b", "utf-8")
    assert read_folder(tmp_path)[0].text == ""

    def is_there(path: Path) -> bool:
        return path.name.lower() in (other.name.lower() for other in path.parent.iterdir())

    with monkeypatch.context() as patch:
        patch.setattr(Path, "exists", is_there)
        found = read_folder(tmp_path)
    assert [(one.text, one.file.name) for one in found] == [("of b", "b.txt")]
