"""Who is still alive? Each process that runs stages holds a file lock, which the system lets go of when the process ends, however it ends.

That is a heartbeat which cannot be late: a sleeping or stopped process keeps its claims, a killed one loses them at once.
"""

from __future__ import annotations

import os
import secrets
import sys
import threading
from pathlib import Path
from typing import BinaryIO

from lib_extension.runs.storage import StorageError, disk_errors

if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _lock(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


class Owner:
    """This process, as long as it lives or until `close`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guard = threading.Lock()  # of the three below, while they are taken
        self._held: BinaryIO | None = None
        self._process = 0
        self._name = ""

    @property
    def name(self) -> str:
        """Unique; taken, with its lock, when it is first asked for. After a fork, the child's own."""
        with self._guard:
            if self._held is None or self._process != os.getpid():
                self._take()
            return self._name

    def is_me(self, name: str) -> bool:
        """Whether this process took the name."""
        return name == self._name and self._process == os.getpid()

    def lives(self, name: str) -> bool:
        """Whether the process that took this name still holds it."""
        if name == self._name:
            return True
        path = self._folder / name
        try:
            with path.open("r+b") as file:
                if not _lock(file):
                    return True
        except FileNotFoundError:
            return False
        path.unlink(missing_ok=True)
        return False

    def close(self) -> None:
        """Let go of the lock, and so of every claim."""
        if self._held is not None and self._process == os.getpid():
            self._held.close()
            (self._folder / self._name).unlink(missing_ok=True)
        self._held, self._name = None, ""

    def _take(self) -> None:
        self._name, self._process = f"{os.getpid()}-{secrets.token_hex(6)}", os.getpid()
        with disk_errors("The ledger"):
            self._folder.mkdir(exist_ok=True)
            self._held = (self._folder / self._name).open("wb")
        if not _lock(self._held):  # nobody else can know the name yet
            raise StorageError("The ledger lies where files cannot be locked, such as a network share. Choose a folder on a local disk.")
