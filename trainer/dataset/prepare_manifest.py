"""Which files of a prepared folder were made there, from what, and are as they were made?

`prepared.jsonl` in that folder has a line for each picture that was made: whose it is, what it was made by, and the hashes of its files.
It is there before the first of them is, so that whatever is cut off, a file is known by what it holds: one that somebody changed or put
there is never taken for ours.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer.data.pictures import file_hash

MANIFEST = "prepared.jsonl"

Versions = Mapping[str, str]  # a file's hashes, each with the key that it was last made by


@dataclass
class Made:
    """What was written down; files by their path in the folder."""

    versions: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    owners: dict[str, tuple[str, str]] = field(default_factory=dict)  # the folder and the name of the picture it was last made from


@dataclass(frozen=True)
class Note:
    """A line: the picture `name` of `folder`, and the hashes of the files that are made of it, by their path."""

    folder: str
    name: str
    key: str
    files: Mapping[str, str]


def read_manifest(into: Path) -> Made:
    """Nothing where there is none yet. A line cut off is none."""
    made = Made()
    for told in _lines(into / MANIFEST):
        try:
            note = Note(told["folder"], told["name"], told["key"], dict(told["files"]))
        except (ValueError, KeyError, TypeError):
            continue
        for file, sha256 in note.files.items():
            made.versions[file][sha256] = note.key
            made.owners[file] = note.folder, note.name
    return made


def _lines(manifest: Path) -> Iterator[Any]:
    try:
        lines = manifest.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:
            continue


def write_note(into: Path, note: Note) -> None:
    """Add a line, surely on the disk: in one piece, as several processes do; its end comes first, as the line before may be cut off."""
    told = {"folder": note.folder, "name": note.name, "key": note.key, "files": note.files}
    with (into / MANIFEST).open("ab", buffering=0) as manifest:
        manifest.write(f"\n{json.dumps(told, ensure_ascii=False)}".encode())
        os.fsync(manifest.fileno())


def made_by(file: Path, versions: Versions) -> str | None:
    """The key that a file was made by; empty where there is no file; None where it is not as it was made. Raises OSError."""
    try:
        return versions.get(file_hash(file.read_bytes()))
    except FileNotFoundError:
        return ""


def remove_others(into: Path, made: Made, folder: str, wanted: set[str], failed: set[str]) -> tuple[list[str], list[str]]:
    """Of the files made from the pictures of `folder`, those that are not wanted any more are deleted; and those that stay, being changed.

    Those of pictures that failed this time stay as they are. Raises OSError.
    """
    others = sorted(file for file, (of, name) in made.owners.items() if of == folder and name not in failed and file not in wanted)
    if not others:
        return [], []
    here = into.resolve()
    kept = {_identity(into / file) for file in wanted}  # on some systems "A.png" is "a.png"
    removed, left = [], []
    for name in others:
        file = into / name
        key = made_by(file, made.versions[name])
        if key == "" or _identity(file) in kept:
            continue
        if key is None or not file.resolve().is_relative_to(here):
            left.append(name)
            continue
        file.unlink()
        removed.append(name)
    return removed, left


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino
