"""How does the ledger outlive damage? Everything that cannot be computed again stands a second time in a file of JSON lines.

A line is appended within its transaction; the ledger is the truth as long as it can be read. One write a line, so that processes that
append at once do not mix theirs. Each begins with its line break, so that one cut off by a full disk spoils no other.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lib_extension.runs.storage import disk_errors

_WHAT = "The ledger's journal"


Line = tuple[str, dict[str, Any]]  # a kind and its values


class Journal:
    """A file of lines."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, lines: Iterable[Line]) -> None:
        """Add lines, all with one write."""
        text = "".join(map(_written, lines))
        with disk_errors(_WHAT):
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                data = text.encode("utf-8", "surrogatepass")
                if os.write(handle, data) < len(data):
                    raise OSError(errno.ENOSPC, "only a part was written")
            finally:
                os.close(handle)

    def lines(self) -> Iterator[Line]:
        """Every whole line, oldest first."""
        with disk_errors(_WHAT):
            if not self._path.exists():
                return
            with self._path.open("rb") as file:
                for line in file:
                    try:
                        kind, values = json.loads(line.decode("utf-8", "surrogatepass"))
                    except (ValueError, TypeError):
                        continue
                    yield kind, values

    def replace(self, lines: Iterable[Line]) -> None:
        """Write the file anew, with these lines only."""
        aside = self._path.with_name(self._path.name + ".new")
        with disk_errors(_WHAT):
            with aside.open("w", encoding="utf-8", errors="surrogatepass", newline="\n") as file:
                file.writelines(map(_written, lines))
                file.flush()
                os.fsync(file.fileno())
            aside.replace(self._path)


def _written(line: Line) -> str:
    return "\n" + json.dumps(line, ensure_ascii=False, separators=(",", ":"))
