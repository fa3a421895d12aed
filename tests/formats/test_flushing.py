"""Are folders flushed where the system can, and is what cannot be flushed told apart from a disk that fails?"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from lib_extension.formats.flushing import flush_folder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no such call")


def test_the_folder_itself_is_flushed_and_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append((handle, os.fstat(handle).st_ino)))
    flush_folder(tmp_path)
    ((handle, inode),) = flushed
    assert inode == tmp_path.stat().st_ino
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handle)


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
