"""How is an edit of many captions written down, and taken back byte for byte?

Each edit is a file in the journal's folder, which lies outside the pictures' folder. Its first line says what the edit was, the second
the bytes that every caption had, and the hash of those that it got. It is written before the first caption is, so that an edit that is
cut off can be taken back too.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from lib_extension.captions.edits import Difference
from lib_extension.captions.files import text_in, write_bytes
from lib_extension.formats.lock import Lock
from lib_extension.spec.errors import BadFile, Busy, NotFound

_ENTRY = "edit-{:06}.json"
MOST_KEPT = 200
_AT_ONCE = 16
_LONGEST_TITLE = 2000
_LONGEST_HEAD = 2**16  # bytes
_PATIENCE, _LOOK = 30.0, 0.05  # seconds that another program's edit is waited for, and between two looks

_turns: dict[str, threading.Lock] = {}
_guard = threading.Lock()  # of the above


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


@dataclass(frozen=True)
class _Edit:
    """What an entry's file holds; `files`: {"file", "old": its bytes in base64 or None, "new": the hash of those it got}."""

    title: str
    time: str
    undone: bool = False
    finished: bool = True
    files: list[dict[str, Any]] = field(default_factory=list)


class _Changed(BadFile):
    """A caption is not as it should be, and stays."""


class Journal:
    """The edits of one folder of pictures, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    def apply(self, changes: Sequence[Difference], title: str, unfinished: bool = False) -> Outcome:
        """Write the captions. One that was changed since it was read is refused and stays, as is one that cannot be written.

        unfinished: more is to come under this title, until `finish`: all of it is one edit. Raises Busy while another program edits.
        """
        if not changes:
            return Outcome(0, ())
        with _turn(self.folder):
            return self._apply(changes, title, unfinished)

    def _apply(self, changes: Sequence[Difference], title: str, unfinished: bool) -> Outcome:
        files: list[dict[str, Any]] = []
        refused: list[tuple[str, str]] = []
        sound: list[tuple[Difference, bytes]] = []
        for change in changes:
            file, new = change.captioned.file.absolute(), f"{change.after}\n".encode()
            try:
                old = _bytes_of(file)
                _check_unchanged(change, old)
            except BadFile as problem:
                refused.append((change.captioned.name, str(problem)))
                continue
            files.append({"file": str(file), "old": None if old is None else base64.b64encode(old).decode(), "new": _hash(new)})
            sound.append((change, new))
        if sound:
            number, edit = self._entry(title)
            self._write(number, replace(edit, finished=not unfinished, files=[*edit.files, *files]))
        with ThreadPoolExecutor(_AT_ONCE) as pool:  # a disk makes many writings sure in hardly more time than one
            failures = [problem for problem in pool.map(lambda one: _failure(*one), sound) if problem]
        self._forget_oldest()
        return Outcome(len(sound) - len(failures), (*refused, *failures))

    def undo(self) -> Outcome:
        """Take the last edit back that was not yet: each caption gets the bytes that it had. One changed since then stays as it is now.

        Where the system refuses to write one, the edit can be taken back again later. Raises NotFound where there is nothing to take back.
        """
        with _turn(self.folder):
            last = next((entry for entry in reversed(self.entries()) if not entry.undone), None)
            if last is None:
                raise NotFound("There is no edit to take back.")
            edit = self._read(last.number)
            written: dict[str, list[dict[str, Any]]] = {}
            for one in reversed(edit.files):  # a file may be in it twice
                written.setdefault(one["file"], []).append(one)
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                told = list(pool.map(lambda one: _taken_back(Path(one[0]), one[1]), written.items()))
            if not any(one.may_follow for one in told):
                self._write(last.number, replace(edit, undone=True))
            return Outcome(sum(one.done for one in told), tuple(one.refused for one in told if one.refused))

    def unfinished(self, title: str) -> set[str]:
        """The files that an edit of this title has written, if it was cut off; none otherwise. Those that are as they were before it, or
        gone, are not among them; those that were changed since are."""
        steps = [one for entry in self._open_entries(title) for one in self._read(entry.number).files]
        first: dict[str, dict[str, Any]] = {}
        for one in steps:
            first.setdefault(one["file"], one)
        return {file for file, one in first.items() if _is_written(Path(file), one)}

    def finish(self, title: str) -> None:
        """Nothing more comes under this title."""
        with _turn(self.folder):
            for entry in self._open_entries(title):
                self._write(entry.number, replace(self._read(entry.number), finished=True))

    def entries(self) -> list[Entry]:
        """All edits, the oldest first. A file that is none is passed over."""
        found = []
        for file in self._files():
            try:
                with file.open("rb") as opened:
                    head = json.loads(opened.readline(_LONGEST_HEAD))
                number = int(file.stem.removeprefix("edit-"))
                found.append(Entry(number, head["title"], head["time"], head["captions"], head["undone"], head["finished"]))
            except (ValueError, KeyError, TypeError, OSError):
                continue
        return found

    def _open_entries(self, title: str) -> list[Entry]:
        """Those of this title that are not finished, the oldest first: several where other edits came between."""
        return [one for one in self.entries() if one.title == title[:_LONGEST_TITLE] and not one.finished and not one.undone]

    def _entry(self, title: str) -> tuple[int, _Edit]:
        """The number and the content of the edit to write into: the open one if it is the last, so that edits are taken back in the order
        in which they were made; else a new one."""
        last = self.entries()[-1:]
        if last and last == self._open_entries(title)[-1:]:
            return last[0].number, self._read(last[0].number)
        return self._new_number(), _Edit(title[:_LONGEST_TITLE], _now())

    def _new_number(self) -> int:
        """Taken by a file that nobody else has made: programs beside this one write edits, too."""
        numbers = (file.stem.removeprefix("edit-") for file in self._files())
        number = max((int(text) for text in numbers if text.isdecimal()), default=0) + 1
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            while True:
                try:
                    (self.folder / _ENTRY.format(number)).touch(exist_ok=False)
                    return number
                except FileExistsError:
                    number += 1
        except OSError as problem:
            raise BadFile(f"The journal of edits cannot be written: {problem.strerror}. Nothing was changed.") from problem

    def _read(self, number: int) -> _Edit:
        head, _, files = (self.folder / _ENTRY.format(number)).read_text("utf-8").partition("\n")
        told = json.loads(head)
        return _Edit(told["title"], told["time"], told["undone"], told["finished"], json.loads(files))

    def _write(self, number: int, edit: _Edit) -> None:
        head = {"title": edit.title, "time": edit.time, "captions": len(edit.files), "undone": edit.undone, "finished": edit.finished}
        lines = (json.dumps(one, ensure_ascii=False) for one in (head, edit.files))
        write_bytes(self.folder / _ENTRY.format(number), "\n".join(lines).encode("utf-8", "surrogatepass"))

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("edit-*.json"))

    def _forget_oldest(self) -> None:
        for file in self._files()[:-MOST_KEPT]:
            file.unlink(missing_ok=True)


def _failure(change: Difference, new: bytes) -> tuple[str, str] | None:
    """Writes the caption; the picture's name and why, where that failed."""
    try:
        write_bytes(change.captioned.file, new)
    except BadFile as problem:
        return change.captioned.name, str(problem)
    return None


@dataclass(frozen=True)
class _TakenBack:
    """One file: whether it was changed, or its name and why not; and whether that may be possible later."""

    done: bool = False
    refused: tuple[str, str] | None = None
    may_follow: bool = False


def _taken_back(file: Path, steps: Sequence[dict[str, Any]]) -> _TakenBack:
    """`steps`: how it was written, the last first."""
    try:
        done = [_restore(file, None if one["old"] is None else base64.b64decode(one["old"]), one["new"]) for one in steps]
    except BadFile as problem:
        return _TakenBack(refused=(file.name, str(problem)), may_follow=not isinstance(problem, _Changed))
    return _TakenBack(any(done))


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """One edit of a folder after the other, of all programs, so that none overwrites what another one has just written."""
    with _guard:
        turn = _turns.setdefault(str(folder), threading.Lock())
    with turn:
        lock, until = Lock(folder / "lock"), time.monotonic() + _PATIENCE
        try:
            while not lock.take():
                if time.monotonic() > until:
                    raise Busy("Another program is editing the captions of this folder. Nothing was changed; try again when it is done.")
                time.sleep(_LOOK)
        except OSError as problem:
            raise BadFile(f"The journal of edits cannot be written: {problem.strerror}. Nothing was changed.") from problem
        try:
            yield
        finally:
            lock.release()


def journal_of(home: Path, folder: Path) -> Journal:
    """The journal of a folder of pictures among Atelier's data, by the folder's real path."""
    return Journal(home / "captions" / _hash(str(folder.resolve()).encode())[:16])


def _is_written(file: Path, step: dict[str, Any]) -> bool:
    """Whether the file is not any more as it was before the step, by it or by whatever came after it."""
    try:
        now = file.read_bytes()
    except OSError:
        return False
    return _hash(now) == step["new"] or step["old"] is None or now != base64.b64decode(step["old"])


def _bytes_of(file: Path) -> bytes | None:
    """None where there is no such file. Raises BadFile for one that cannot be read."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise BadFile(f'"{file.name}" cannot be read: {problem.strerror}.') from problem


def _check_unchanged(change: Difference, now: bytes | None) -> None:
    text = "" if now is None else text_in(now, change.captioned.file.name)
    if text != change.before:
        raise _Changed("It was changed by another program meanwhile. Look again, and repeat the edit.")


def _restore(file: Path, old: bytes | None, new: str) -> bool:
    """Give the file the bytes it had; whether there was anything to do. Raises BadFile."""
    now = _bytes_of(file)
    if now == old:
        return False
    if now is not None and _hash(now) != new:
        raise _Changed("It was changed after the edit, and stays as it is now.")
    if old is not None:
        write_bytes(file, old)
        return True
    try:
        file.unlink()
    except OSError as problem:
        raise BadFile(f'"{file.name}" cannot be deleted: {problem.strerror}. It is as it was.') from problem
    return True


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
