"""Is every edit taken back byte for byte, and nothing that somebody else wrote lost?"""

from __future__ import annotations

import errno
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lib_extension.captions import files
from lib_extension.captions.edits import differences
from lib_extension.captions.files import read_folder
from lib_extension.captions.journal import Journal
from lib_extension.formats.lock import Lock
from lib_extension.spec.captions import CaptionEdit
from lib_extension.spec.errors import BadFile, Busy, NotFound
from lib_extension.spec.settings import read_value

ADD = read_value(CaptionEdit, {"kind": "add", "tags": ["new"]})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    for name, caption in {"a": "red\r\n".encode("utf-16"), "b": b"caf\xe9, blue  ", "c": None}.items():
        (data / f"{name}.png").write_bytes(b"")
        if caption is not None:
            (data / f"{name}.txt").write_bytes(caption)
    return data


def captions_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.txt"))}


def apply(folder: Path, journal: Journal) -> object:
    return journal.apply(differences(read_folder(folder), [ADD]), "add new")


def test_an_edit_is_written_and_taken_back_to_the_byte(folder: Path, tmp_path: Path) -> None:
    before, journal = captions_in(folder), Journal(tmp_path / "journal")
    outcome = journal.apply(differences(read_folder(folder), [ADD]), "add new")
    assert (outcome.done, outcome.refused) == (3, ())
    assert captions_in(folder) == {"a.txt": b"red, new\n", "b.txt": "café, blue, new\n".encode(), "c.txt": b"new\n"}
    assert journal.undo().done == 3
    assert captions_in(folder) == before
    assert [(entry.title, entry.captions, entry.undone) for entry in journal.entries()] == [("add new", 3, True)]


def test_edits_are_taken_back_one_by_one_also_by_another_process(folder: Path, tmp_path: Path) -> None:
    states = [captions_in(folder)]
    for tag in ("x", "y"):
        edit = read_value(CaptionEdit, {"kind": "add", "tags": [tag]})
        Journal(tmp_path / "journal").apply(differences(read_folder(folder), [edit]), tag)
        states.append(captions_in(folder))
    for wanted in (states[1], states[0]):
        Journal(tmp_path / "journal").undo()
        assert captions_in(folder) == wanted
    with pytest.raises(NotFound, match="no edit to take back"):
        Journal(tmp_path / "journal").undo()


def test_what_another_program_wrote_meanwhile_stays(folder: Path, tmp_path: Path) -> None:
    journal, changes = Journal(tmp_path / "journal"), differences(read_folder(folder), [ADD])
    (folder / "a.txt").write_text("by hand", "utf-8")
    outcome = journal.apply(changes, "add")
    assert outcome.done == 2
    assert outcome.refused == (("a.png", "It was changed by another program meanwhile. Look again, and repeat the edit."),)
    (folder / "b.txt").write_text("by hand", "utf-8")
    undone = journal.undo()
    assert undone.refused == (("b.txt", "It was changed after the edit, and stays as it is now."),)
    assert captions_in(folder) == {"a.txt": b"by hand", "b.txt": b"by hand"}


def test_an_edit_that_is_cut_off_is_taken_back_too(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, journal = captions_in(folder), Journal(tmp_path / "journal")
    from lib_extension.captions import journal as written_by

    written: list[Path] = []

    def dies_at_the_second(file: Path, data: bytes) -> None:
        if file.parent == folder:
            written.append(file)
            if len(written) == 2:
                raise KeyboardInterrupt
        files.write_bytes(file, data)

    monkeypatch.setattr(written_by, "write_bytes", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        apply(folder, journal)
    monkeypatch.undo()
    assert captions_in(folder) != before
    Journal(tmp_path / "journal").undo()
    assert captions_in(folder) == before


def test_where_the_journal_cannot_be_written_nothing_is(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = captions_in(folder)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadFile, match="No space left"):
        apply(folder, Journal(tmp_path / "journal"))
    assert captions_in(folder) == before


def test_a_broken_entry_does_not_hide_the_others(folder: Path, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    apply(folder, journal)
    (tmp_path / "journal" / "edit-000009.json").write_text("{", "utf-8")
    assert [entry.title for entry in journal.entries()] == ["add new"]
    assert journal.undo().done == 3


def test_what_is_written_bit_by_bit_is_one_edit(folder: Path, tmp_path: Path) -> None:
    before, journal = captions_in(folder), Journal(tmp_path / "journal")
    changes = differences(read_folder(folder), [ADD])
    journal.apply(changes[:1], "captioned", unfinished=True)
    assert Journal(tmp_path / "journal").unfinished("captioned") == {str(folder / "a.txt")}
    assert journal.unfinished("other") == set()
    journal.apply(changes[1:], "captioned", unfinished=True)
    journal.finish("captioned")
    assert journal.unfinished("captioned") == set()
    assert [(entry.captions, entry.finished) for entry in journal.entries()] == [(3, True)]
    assert journal.undo().done == 3
    assert captions_in(folder) == before


def test_edits_between_the_parts_of_another_are_taken_back_in_their_turn(folder: Path, tmp_path: Path) -> None:
    before, journal = captions_in(folder), Journal(tmp_path / "journal")
    first, second, third = differences(read_folder(folder), [ADD])
    journal.apply([first, second], "captioned", unfinished=True)
    by_hand = read_value(CaptionEdit, {"kind": "set", "text": "by hand"})
    journal.apply(differences(read_folder(folder), [by_hand])[:1], "by hand")
    assert journal.unfinished("captioned") == {str(folder / "a.txt"), str(folder / "b.txt")}
    (folder / "b.txt").write_bytes(before["b.txt"])
    assert journal.unfinished("captioned") == {str(folder / "a.txt")}, "what is as it was before is to be done again"
    journal.apply([third], "captioned", unfinished=True)
    journal.finish("captioned")
    assert journal.unfinished("captioned") == set()
    assert [(entry.title, entry.captions) for entry in journal.entries()] == [("captioned", 2), ("by hand", 1), ("captioned", 1)]
    for _ in range(3):
        journal.undo()
    assert captions_in(folder) == before


def test_a_caption_written_twice_by_one_edit_goes_back_to_its_first(folder: Path, tmp_path: Path) -> None:
    before, journal = captions_in(folder), Journal(tmp_path / "journal")
    for tag in ("x", "y"):
        edit = read_value(CaptionEdit, {"kind": "add", "tags": [tag]})
        journal.apply(differences(read_folder(folder), [edit]), "captioned", unfinished=True)
    journal.undo()
    assert captions_in(folder) == before


def test_what_the_system_refuses_can_be_taken_back_later(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, journal = captions_in(folder), Journal(tmp_path / "journal")
    apply(folder, journal)
    after = captions_in(folder)
    with monkeypatch.context() as patch:
        read_only(folder, patch)
        undone = journal.undo()
    assert (undone.done, captions_in(folder)) == (0, after)
    assert {name for name, _ in undone.refused} == {"a.txt", "b.txt", "c.txt"}
    assert all("Read-only file system" in why and str(folder) not in why for _, why in undone.refused)
    assert journal.undo().done == 3
    assert captions_in(folder) == before


def test_nothing_is_written_into_a_folder_that_is_read_only(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, journal = captions_in(folder), Journal(tmp_path / "journal")
    read_only(folder, monkeypatch)
    outcome = journal.apply(differences(read_folder(folder), [ADD]), "add new")
    assert (outcome.done, [name for name, _ in outcome.refused]) == (0, ["a.png", "b.png", "c.png"])
    assert captions_in(folder) == before


def read_only(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """As a disk that is mounted so: taking the right to write away keeps nobody out who is root."""
    make, unlink = tempfile.NamedTemporaryFile, Path.unlink

    def refuse(path: Path) -> None:
        if path == folder:
            raise OSError(errno.EROFS, "Read-only file system", str(folder))

    def made(*args: Any, **more: Any) -> Any:
        refuse(Path(more["dir"]))
        return make(*args, **more)

    def gone(path: Path, missing_ok: bool = False) -> None:
        refuse(path.parent)
        unlink(path, missing_ok)

    patch.setattr(tempfile, "NamedTemporaryFile", made)
    patch.setattr(Path, "unlink", gone)


def test_many_edit_one_folder_at_once(folder: Path, tmp_path: Path) -> None:
    before = captions_in(folder)

    def edit(number: int) -> int:
        one = read_value(CaptionEdit, {"kind": "add", "tags": [f"tag {number}"]})
        return Journal(tmp_path / "journal").apply(differences(read_folder(folder), [one]), str(number)).done

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(edit, range(16)))
    entries = Journal(tmp_path / "journal").entries()
    assert sum(done) == sum(entry.captions for entry in entries)
    assert len({entry.number for entry in entries}) == len([one for one in done if one])
    for _ in entries:
        assert not Journal(tmp_path / "journal").undo().refused
    assert captions_in(folder) == before


def test_an_edit_waits_for_that_of_another_program(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, journal, held = captions_in(folder), Journal(tmp_path / "journal"), Lock(tmp_path / "journal" / "lock")
    assert held.take()
    monkeypatch.setattr("lib_extension.captions.journal._PATIENCE", 0.0)
    for edit in (lambda: apply(folder, journal), journal.undo):
        with pytest.raises(Busy, match="Another program is editing"):
            edit()
    assert captions_in(folder) == before
    held.release()
    apply(folder, journal)
    assert captions_in(folder) != before


def test_the_history_is_read_without_what_was_written(folder: Path, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    apply(folder, journal)
    file = next((tmp_path / "journal").glob("edit-*"))
    file.write_text(f"{file.read_text('utf-8').splitlines()[0]}\nnonsense", "utf-8")
    assert [(entry.title, entry.captions) for entry in journal.entries()] == [("add new", 3)]
