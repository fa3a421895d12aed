"""How is an edit of many captions written down, and taken back byte for byte?

Each edit is a file in the journal's folder, which lies outside the pictures' folder: the bytes that every caption had, and the hash of
those that it got. It is written before the first caption is, so that an edit that is cut off can be taken back too.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from lib_extension.captions.edits import Difference
from lib_extension.captions.files import decoded, write_bytes
from lib_extension.spec.errors import BadFile, NotFound

_ENTRY = "edit-{:06}.json"
MOST_KEPT = 200
_AT_ONCE = 16


@dataclass(frozen=True)
class Entry:
    """One edit: its number, what it was in words, when, and how many captions it changed."""

    number: int
    title: str
    time: str  # ISO 8601, UTC
    captions: int
    undone: bool
    finished: bool


@dataclass(frozen=True)
class Outcome:
    """What writing or taking back came to: `refused` are files with the reason; all others are done."""

    done: int
    refused: tuple[tuple[str, str], ...]


class Journal:
    """The edits of one folder of pictures, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def apply(self, changes: Sequence[Difference], title: str, unfinished: bool = False) -> Outcome:
        """Write the captions. One that was changed since it was read is refused and stays, as is one that cannot be written.

        unfinished: more is to come under this title, until `finish`: all of it is one edit.
        """
        files: list[dict[str, Any]] = []
        refused: list[tuple[str, str]] = []
        sound: list[tuple[Path, bytes]] = []
        for change in changes:
            file, new = change.captioned.file, f"{change.after}\n".encode()
            try:
                old = file.read_bytes() if file.exists() else None
                _check_unchanged(change, old)
            except (OSError, BadFile) as problem:
                refused.append((change.captioned.name, str(problem)))
                continue
            files.append({"file": str(file), "old": None if old is None else base64.b64encode(old).decode(), "new": _hash(new)})
            sound.append((file, new))
        if sound:
            number, told = self._entry(title)
            self._write(number, {**told, "finished": not unfinished, "files": [*told["files"], *files]})
        with ThreadPoolExecutor(_AT_ONCE) as pool:  # a disk makes many writings sure in hardly more time than one
            failures = [problem for problem in pool.map(lambda one: _failure(*one), sound) if problem]
        self._forget_oldest()
        return Outcome(len(sound) - len(failures), (*refused, *failures))

    def undo(self) -> Outcome:
        """Take the last edit back that was not yet: each caption gets the bytes that it had. One changed since then stays as it is now.

        Raises NotFound where there is nothing to take back.
        """
        last = next((entry for entry in reversed(self.entries()) if not entry.undone), None)
        if last is None:
            raise NotFound("There is no edit to take back.")
        told = self._read(last.number)
        refused: list[tuple[str, str]] = []
        done = 0
        for one in reversed(told["files"]):  # a file may be in it twice
            try:
                done += _restore(Path(one["file"]), None if one["old"] is None else base64.b64decode(one["old"]), one["new"])
            except (OSError, BadFile) as problem:
                refused.append((Path(one["file"]).name, str(problem)))
        self._write(last.number, {**told, "undone": True})
        return Outcome(done, tuple(refused))

    def unfinished(self, title: str) -> set[str]:
        """The files that an edit of this title has written and that are still as it wrote them, if it was cut off; none otherwise."""
        entry = self._open_entry(title)
        if entry is None:
            return set()
        return {one["file"] for one in self._read(entry.number)["files"] if _is_as_written(Path(one["file"]), one["new"])}

    def finish(self, title: str) -> None:
        """Nothing more comes under this title."""
        entry = self._open_entry(title)
        if entry is not None:
            self._write(entry.number, {**self._read(entry.number), "finished": True})

    def _open_entry(self, title: str) -> Entry | None:
        """The last edit, if it is of this title and not finished."""
        last = self.entries()[-1:]
        return last[0] if last and last[0].title == title and not last[0].finished and not last[0].undone else None

    def _entry(self, title: str) -> tuple[int, dict[str, Any]]:
        """The number and the content of the edit to write into: the open one, or a new one."""
        entry = self._open_entry(title)
        if entry is not None:
            return entry.number, self._read(entry.number)
        number = max((entry.number for entry in self.entries()), default=0) + 1
        return number, {"title": title, "time": _now(), "undone": False, "files": []}

    def entries(self) -> list[Entry]:
        """All edits, the oldest first. A file that is none is passed over."""
        found = []
        for file in sorted(self.folder.glob("edit-*.json")):
            try:
                number = int(file.stem.removeprefix("edit-"))
                told = self._read(number)
                found.append(Entry(number, told["title"], told["time"], len(told["files"]), told["undone"], told["finished"]))
            except (ValueError, KeyError, TypeError, OSError):
                continue
        return found

    def _read(self, number: int) -> dict[str, Any]:
        return json.loads((self.folder / _ENTRY.format(number)).read_text("utf-8"))

    def _write(self, number: int, told: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_bytes(self.folder / _ENTRY.format(number), json.dumps(told, ensure_ascii=False).encode())

    def _forget_oldest(self) -> None:
        for file in sorted(self.folder.glob("edit-*.json"))[:-MOST_KEPT]:
            file.unlink(missing_ok=True)


def _failure(file: Path, new: bytes) -> tuple[str, str] | None:
    """Writes the caption; the file's name and why, where that failed."""
    try:
        write_bytes(file, new)
    except BadFile as problem:
        return file.name, str(problem)
    return None


def journal_of(home: Path, folder: Path) -> Journal:
    """The journal of a folder of pictures among Atelier's data, by the folder's real path."""
    return Journal(home / "captions" / _hash(str(folder.resolve()).encode())[:16])


def _is_as_written(file: Path, new: str) -> bool:
    try:
        return _hash(file.read_bytes()) == new
    except OSError:
        return False


def _check_unchanged(change: Difference, now: bytes | None) -> None:
    text = "" if now is None else decoded(now, change.captioned.file.name).strip()
    if text != change.before:
        raise BadFile("It was changed by another program meanwhile. Look again, and repeat the edit.")


def _restore(file: Path, old: bytes | None, new: str) -> bool:
    """Give the file the bytes it had; whether there was anything to do. Raises BadFile for one that was changed since the edit."""
    now = file.read_bytes() if file.exists() else None
    if now == old:
        return False
    if now is not None and _hash(now) != new:
        raise BadFile("It was changed after the edit, and stays as it is now.")
    if old is None:
        file.unlink()
    else:
        write_bytes(file, old)
    return True


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
