"""What does a run leave in its folder? <nn>-<stage>/<item>-<candidate>.png for each picture, what exports made, and manifest.json.

Every file is whole or not there. Files that an earlier writing left, and that the run does not make any more, go.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extension.pictures.file_texts import kind_of, without_texts
from lib_extension.plan.graph import Node, Plan, is_review
from lib_extension.runs.blobs import Blobs
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.lineage import Lineage, lineage_of, lineage_text, with_lineage
from lib_extension.runs.records import Result, Run
from lib_extension.runs.storage import disk_errors

MANIFEST = "manifest.json"
_WHAT = "The output folder"
_TOLD_TO_ALL = ("file", "sha256", "width", "height")  # of an export's manifest, where nothing may say how pictures were made


@dataclass(frozen=True)
class Place:
    """Where one picture of a run stands."""

    file: str  # its path in the output folder
    node: Node
    index: int  # among the node's pictures
    blob: str


@dataclass(frozen=True)
class _File:
    name: str
    content: bytes
    about: dict[str, Any]


class Outputs:
    """Writes what is done of a run, as often as one likes."""

    def __init__(self, ledger: Ledger, blobs: Blobs, private: bool = False) -> None:
        """`private`: nothing in the files says how they were made; WebUIs' own texts go, too."""
        self._ledger = ledger
        self._blobs = blobs
        self._private = private

    def write(self, run: Run, plan: Plan, folder: Path) -> list[str]:
        """Write the pictures and files that are there; their names. StorageError where the disk does not take them."""
        with disk_errors(_WHAT):
            before = _written_before(folder)
            told = []
            for file in self._files(run, plan):
                _write(folder / file.name, file.content)
                told.append(file.about)
            _write(folder / MANIFEST, _json(self._manifest(run, told)))
            names = [str(about["file"]) for about in told]
            _remove(folder, {name: before[name] for name in before.keys() - set(names)})
        return names

    def _files(self, run: Run, plan: Plan) -> Iterator[_File]:
        choices = self._ledger.runs.choices(run.id)
        results = {node.key: result for node in plan.nodes if (result := self._ledger.results.get(node.key)) is not None}
        for place in places(run, plan, results):
            result = results[place.node.key]
            lineage = lineage_of(run, plan, place.node, result, place.index, choices)
            content = self._told(self._blobs.get(place.blob), lineage)
            yield _File(place.file, content, self._about(place.file, content, place.node, lineage))
        for node in plan.nodes:
            if node.key in results and results[node.key].files:
                yield from self._exported(run, plan, node, results[node.key], choices)

    def _exported(self, run: Run, plan: Plan, node: Node, result: Result, choices: Mapping[str, tuple[int, ...]]) -> Iterator[_File]:
        """What an export made: its pictures with their lineage, then its manifest with their hashes as they are now."""
        folder = _folder(run, node.id)
        lineage = lineage_of(run, plan, node, result, 0, choices)
        hashes: dict[str, str] = {}
        tells = self._private or getattr(node.stage, "metadata", True)
        for path, stored in sorted(result.files.items(), key=lambda file: file[0].endswith(".json")):
            content = self._blobs.get(stored.blob)
            if not kind_of(content):
                content = self._manifest_of_export(content, hashes)
            elif tells:
                content = self._told(content, lineage)
                hashes[stored.blob] = hashlib.sha256(content).hexdigest()
            name = f"{folder}/{path}"
            yield _File(name, content, self._about(name, content, node, lineage))
            if tells and not self._private and kind_of(content) in ("JPEG", "WEBP"):
                text = lineage_text(lineage).encode()
                yield _File(f"{name}.json", text, self._about(f"{name}.json", text, node, lineage))

    def _told(self, content: bytes, lineage: Lineage) -> bytes:
        return without_texts(content) if self._private else with_lineage(content, lineage)

    def _manifest_of_export(self, content: bytes, hashes: Mapping[str, str]) -> bytes:
        told = json.loads(content)
        for entry in told.get("files", []):
            entry["sha256"] = hashes.get(entry["sha256"], entry["sha256"])
        if self._private:
            told["files"] = [{name: entry[name] for name in _TOLD_TO_ALL if name in entry} for entry in told.get("files", [])]
        return _json(told)

    def _about(self, name: str, content: bytes, node: Node, lineage: Lineage) -> dict[str, Any]:
        about: dict[str, Any] = {"file": name, "sha256": hashlib.sha256(content).hexdigest()}
        if self._private:
            return about
        return about | {"stage": node.id, "items": list(node.items), "id": lineage.id, "key": node.key, "seed": lineage.seed}

    def _manifest(self, run: Run, told: list[dict[str, Any]]) -> dict[str, Any]:
        about: dict[str, Any] = {"made_by": "Atelier", "files": told}
        if self._private:
            return about
        asked = {"run": run.id, "recipe": run.recipe, "values": run.values, "inputs": run.pictures, "backends": run.backends}
        return {**about, **asked}


def places(run: Run, plan: Plan, results: Mapping[str, Result]) -> Iterator[Place]:
    """Each picture that was made, with the file that it stands in. A review's and an export's are those of other stages."""
    digits = max(3, len(str(len(plan.items))))
    counts: dict[tuple[str, str], int] = {}
    for node in plan.nodes:
        result = results.get(node.key)
        if result is None or result.files or is_review(node.type):
            continue
        item = "all" if getattr(node.stage, "scope", "item") == "run" else f"{node.items[0] + 1:0{digits}}"
        for index, picture in enumerate(result.pictures):
            number = counts[node.id, item] = counts.get((node.id, item), 0) + 1
            yield Place(f"{_folder(run, node.id)}/{item}-{number}.png", node, index, picture.blob)


def _folder(run: Run, stage: str) -> str:
    """Sorted by name, the folders stand in the order of the stages."""
    number = [str(one["id"]) for one in run.recipe["stages"]].index(stage) + 1
    return f"{number:02}-{stage}"


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all: written aside, flushed, renamed. A file that is so already is left alone."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.is_file() and file.stat().st_size == len(content) and file.read_bytes() == content:
        return
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


def _written_before(folder: Path) -> dict[str, str]:
    """The files that the manifest in the folder tells of, with their hashes; none where it is not one of ours."""
    try:
        told = json.loads((folder / MANIFEST).read_bytes())
        return {str(file["file"]): str(file["sha256"]) for file in told["files"]}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return {}


def _remove(folder: Path, left: Mapping[str, str]) -> None:
    """Delete what an earlier writing left, if nobody has changed it since and it lies where we write."""
    root = folder.resolve()
    for name, sha256 in left.items():
        file = (root / name).resolve()
        if file.is_relative_to(root) and file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == sha256:
            file.unlink()


def _json(told: Any) -> bytes:
    return (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")
