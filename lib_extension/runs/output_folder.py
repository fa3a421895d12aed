"""How do files come into a run's folder? Each is whole or not there; what an earlier run left, and nobody changed, goes at the end."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from lib_extension.runs.storage import disk_errors

MANIFEST = "manifest.json"
_EARLIER = "earlier"  # in the manifest of a run that goes on: files that an earlier one left, and that may yet have to go
_WHAT = "The output folder"
_ASIDE = re.compile(r"\.[0-9a-f]{16}\.part")
_FORSAKEN = 600.0  # seconds after which a file that is written aside belongs to nobody any more


class OutputFolder:
    """A folder that one run writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with disk_errors(_WHAT):
            self._before = _told_in(folder)

    def write(self, name: str, content: bytes) -> None:
        """Put a file there, whole or not at all: written aside, flushed, renamed. One that is so already is left alone."""
        with disk_errors(_WHAT):
            file = self._folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if file.is_file() and file.stat().st_size == len(content) and file.read_bytes() == content:
                return
            _write(file, content)

    def tell(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest of a run that goes on."""
        left = [{"file": name, "sha256": sha256} for name, sha256 in self._before.items()]
        self.write(MANIFEST, as_file({**manifest, _EARLIER: left} if left else manifest))

    def finish(self, manifest: Mapping[str, Any], names: Collection[str]) -> None:
        """Write the manifest of a run that has come to a halt with the files `names`; what else an earlier writing left goes."""
        self.write(MANIFEST, as_file(manifest))
        with disk_errors(_WHAT):
            _remove(self._folder, {name: sha256 for name, sha256 in self._before.items() if name not in names})
            for folder in {self._folder, *((self._folder / name).parent for name in names)}:
                _sweep(folder)


def files_told(folder: Path) -> Iterator[tuple[str, str]]:
    """(name, sha256) of each file that the manifest in a run's folder tells of; none where it is not one of ours."""
    try:
        for file in json.loads((folder / MANIFEST).read_bytes())["files"]:
            yield str(file["file"]), str(file["sha256"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return


def as_file(told: Any) -> bytes:
    """JSON as it stands in the folder's files."""
    return (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _told_in(folder: Path) -> dict[str, str]:
    """All files that the manifest tells of, with those that were there before it."""
    found = dict(files_told(folder))
    try:
        left = json.loads((folder / MANIFEST).read_bytes()).get(_EARLIER, [])
        return {str(file["file"]): str(file["sha256"]) for file in left} | found
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return found


def _write(file: Path, content: bytes) -> None:
    aside = file.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with aside.open("xb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        aside.replace(file)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def _remove(folder: Path, left: Mapping[str, str]) -> None:
    """Delete what an earlier writing left, if nobody has changed it since and it lies where we write."""
    root = folder.resolve()
    for name, sha256 in left.items():
        file = (root / name).resolve()
        if file.is_relative_to(root) and file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == sha256:
            file.unlink()


def _sweep(folder: Path) -> None:
    """Delete what a process that was killed left half-written."""
    for file in folder.iterdir():
        if _ASIDE.fullmatch(file.name) and file.stat().st_mtime < time.time() - _FORSAKEN:
            file.unlink(missing_ok=True)
