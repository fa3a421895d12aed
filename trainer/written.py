"""How does a file or folder come to be as a whole or not at all? Written aside, flushed to the disk, then renamed."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lib_extension.formats.flushing import flush_folder, replace
from lib_extension.spec.errors import AtelierError

ASIDE = ".part"  # what ends so is half written, and may be deleted by whoever comes next
_BEFORE = ".before"  # what ends so is a folder as it was, until the new one has its name
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


class DiskFull(AtelierError):
    """Nothing more can be written; what was there before is still there."""

    status = 507


def write_bytes(path: Path, data: bytes) -> None:
    """One file. DiskFull says how much room was wanted. Of several that write it at once, one wins."""
    aside = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}{ASIDE}")
    with _room(path, len(data)):
        try:
            _write_through(aside, data)
            replace(aside, path)
            flush_folder(path.parent)
        finally:
            aside.unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder that is filled under another name and gets its own at the end; one of that name stays until then.

    Whoever is ended in between leaves one of the two whole; `settle` finds it.
    """
    aside, before = path.with_name(path.name + ASIDE), path.with_name(path.name + _BEFORE)
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        with _room(path, 0):
            yield aside
            flush_folder(aside)
            if path.exists():
                shutil.rmtree(before, ignore_errors=True)
                replace(path, before)
            replace(aside, path)
            flush_folder(path.parent)
    finally:
        _bring_back(before, path)
        shutil.rmtree(aside, ignore_errors=True)


def settle(folder: Path) -> None:
    """Put in order what a process that was ended left half done in a folder."""
    for before in folder.glob("*" + _BEFORE):
        _bring_back(before, before.with_name(before.name.removesuffix(_BEFORE)))
    for aside in folder.glob("*" + ASIDE):
        if aside.is_dir():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.unlink(missing_ok=True)


def remove_folder(path: Path) -> None:
    """Take a folder away so that it is never seen half empty under its name. One that Windows does not let go of stays."""
    aside = path.with_name(f"{path.name}.old{ASIDE}")  # another name than that of one that is being filled
    shutil.rmtree(aside, ignore_errors=True)
    with suppress(PermissionError):
        replace(path, aside)
    shutil.rmtree(aside, ignore_errors=True)


def fill(path: Path, data: bytes) -> None:
    """A file of a folder that is being filled."""
    with _room(path, len(data)):
        _write_through(path, data)


def _bring_back(before: Path, path: Path) -> None:
    """The folder as it was gets its name again, or goes where the new one has it."""
    if path.exists():
        shutil.rmtree(before, ignore_errors=True)
    elif before.exists():
        replace(before, path)


def _write_through(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _room(path: Path, size: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        wanted = f" ({size / 1e6:,.0f} MB)" if size else ""
        raise DiskFull(
            f'"{path.name}"{wanted} could not be written: {error.strerror}. Make room on the disk of the run\'s folder; '
            "what was saved before is whole, and the run goes on from there."
        ) from error
