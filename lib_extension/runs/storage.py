"""What can go wrong with the disk under a run, in the user's words? Pictures and ledger alike pass through here."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from lib_extension.spec.errors import AtelierError


class StorageError(AtelierError):
    """The disk does not do what it should. What was finished before stays; the run goes on from there."""

    status = 507


class DiskFull(StorageError):
    """There is no room left, or a quota or limit is used up."""


class ReadOnly(StorageError):
    """The folder may not be written to."""


class Damaged(StorageError):
    """What was stored is not what is read now."""


_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}
_RESUME = "What is finished is kept; resume the run afterwards."


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Turns what the system says about the disk into a StorageError about `what` ("The run's pictures", "The ledger")."""
    try:
        yield
    except OSError as error:
        raise _told(what, error) from error
    except sqlite3.Error as error:
        raise _told_by_sqlite(what, error) from error


def _told(what: str, error: OSError) -> StorageError:
    if error.errno in _FULL:
        return DiskFull(f"{what} cannot be written: the disk is full or its limit is reached. Free some space. {_RESUME}")
    if error.errno in _READ_ONLY:
        return ReadOnly(f"{what} cannot be written: the folder is read-only for this user. Choose another or allow writing. {_RESUME}")
    return StorageError(f"{what} cannot be read or written: {error.strerror or type(error).__name__}. {_RESUME}")


def _told_by_sqlite(what: str, error: sqlite3.Error) -> StorageError:
    said = str(error)
    if "full" in said:
        return DiskFull(f"{what} cannot be written: the disk is full or its limit is reached. Free some space. {_RESUME}")
    if "readonly" in said or "unable to open" in said:
        return ReadOnly(f"{what} cannot be written: the folder is read-only for this user. Choose another or allow writing. {_RESUME}")
    if "malformed" in said or "not a database" in said:
        return Damaged(f"{what} is damaged ({said}). Start again: it is set aside then, and made anew from its journal.")
    if "locking protocol" in said:
        return StorageError(f"{what} lies where files cannot be locked, such as a network share. Choose a folder on a local disk.")
    return StorageError(f"{what} cannot be read or written: {said}. {_RESUME}")
