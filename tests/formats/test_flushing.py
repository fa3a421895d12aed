"""Is a name given as soon as it can be, and are folders flushed where the system can, told apart from a disk that fails?"""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from lib_extension.formats.flushing import flush_folder, replace

on_posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such call")


def test_a_file_that_somebody_looks_at_gets_its_name_once_they_have_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "new", tmp_path / "old"
    source.write_text("new")
    target.write_text("old")
    looks = iter((True, True, False))
    renamed = Path.replace

    def held(path: Path, to: Path) -> Path:
        if next(looks):
            raise PermissionError(13, "held")
        return renamed(path, to)

    monkeypatch.setattr(Path, "replace", held)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    replace(source, target)
    assert target.read_text() == "new"


@on_posix
def test_the_folder_itself_is_flushed_and_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append((handle, os.fstat(handle).st_ino)))
    flush_folder(tmp_path)
    ((handle, inode),) = flushed
    assert inode == tmp_path.stat().st_ino
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handle)


@on_posix
@pytest.mark.parametrize(("number", "raises"), [(errno.EINVAL, False), (errno.EIO, True), (errno.ENOSPC, True)])
def test_what_the_file_system_cannot_do_is_no_failure(number: int, raises: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    if raises:
        with pytest.raises(OSError, match=os.strerror(number)):
            flush_folder(tmp_path)
    else:
        flush_folder(tmp_path)
