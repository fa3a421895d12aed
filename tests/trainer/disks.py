"""Disks that are full or cannot be written, for what must say so."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

Mount = Callable[[str], Path]


@contextmanager
def mounting(folder: Path) -> Iterator[Mount]:
    """Mounts a small file system with these options at the folder, until it ends; only root can."""

    def mounted(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if os.name != "posix" or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("needs the right to mount")
        return folder

    folder.mkdir()
    yield mounted
    subprocess.run(["umount", "-l", str(folder)], capture_output=True)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)
