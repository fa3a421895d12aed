"""What are the files that a run leaves? Its pictures, each telling how it was made, what exports made, and the manifest of them all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extension.pictures.file_texts import kind_of, without_texts
from lib_extension.plan.graph import Node, Plan, Source
from lib_extension.runs.blobs import Blobs
from lib_extension.runs.history import History
from lib_extension.runs.layout import Layout
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.lineage import Lineage, lineage_of, lineage_text, with_lineage
from lib_extension.runs.output_folder import OutputFolder, as_file
from lib_extension.runs.records import Result, Run
from lib_extension.stages.export import FILES

_TOLD_TO_ALL = ("file", "sha256", "width", "height")  # of an export's manifest, where nothing may say how pictures were made


@dataclass(frozen=True)
class OutputFile:
    """One of them."""

    name: str  # its path in the output folder
    content: bytes
    about: Mapping[str, Any]  # what the manifest tells of it


class Outputs:
    """Of one run, by one of its plans."""

    def __init__(self, run: Run, plan: Plan, ledger: Ledger, blobs: Blobs, private: bool = False) -> None:
        """`private`: nothing in the files says how they were made; WebUIs' own texts go, too."""
        self.run = run
        self.plan = plan
        self.layout = Layout(run.recipe, plan)
        self._ledger = ledger
        self._blobs = blobs
        self._private = private
        self._choices = ledger.runs.choices(run.id)
        self._history = History(plan, ledger)

    def write(self, folder: Path) -> list[str]:
        """Write all files that can be made now, and take away what an earlier run left in the folder; their names.

        StorageError where the disk does not take them.
        """
        place = OutputFolder(folder)
        told = []
        for file in self.files():
            place.write(file.name, file.content)
            told.append(file.about)
        place.finish(self.manifest(told), {str(about["file"]) for about in told})
        return [str(about["file"]) for about in told]

    def files(self) -> Iterator[OutputFile]:
        """Those of every stage instance that is done; what exports made comes last."""
        found = ((node, result) for node in self.plan.nodes if (result := self._ledger.results.get(node.key)) is not None)
        exports = []
        for node, result in found:
            if result.files:
                exports.append((node, result))
            else:
                yield from self.files_of(node, result)
        for node, result in exports:
            yield from self.files_of(node, result)

    def files_of(self, node: Node, result: Result) -> Iterator[OutputFile]:
        """Those of one stage instance."""
        if result.files:
            yield from self._exported(node, result)
        for place in self.layout.places(node, result):
            lineage = self._lineage(node, result, place.index)
            content = self._told(self._blobs.get(place.blob), lineage)
            yield self._file(place.file, content, node, lineage)

    def manifest(self, told: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """What the folder's manifest says: the files, and what the run was asked."""
        about: dict[str, Any] = {"made_by": "Atelier", "files": list(told)}
        if self._private:
            return about
        return {**about, **self._asked()}

    def _exported(self, node: Node, result: Result) -> Iterator[OutputFile]:
        """What an export made: its pictures with their lineage, then its manifest with their hashes as they are now."""
        folder = self.layout.export_folder(node)
        made_from = {path: index for index, picture in enumerate(result.pictures) for path in picture.facts.get(FILES, ())}
        sources = {path: node.taken[index] for path, index in made_from.items()}
        lineages = [self._lineage(node, result, index) for index in range(max(1, len(result.pictures)))]
        hashes: dict[str, str] = {}
        tells = self._private or getattr(node.stage, "metadata", True)
        for path, stored in sorted(result.files.items(), key=lambda file: file[0].endswith(".json")):
            content, lineage = self._blobs.get(stored.blob), lineages[made_from.get(path, 0)]
            if not kind_of(content):
                content = self._manifest_of_export(content, hashes, sources if tells else {})
            elif tells:
                content = self._told(content, lineage)
                hashes[stored.blob] = hashlib.sha256(content).hexdigest()
            name = f"{folder}/{path}"
            yield self._file(name, content, node, lineage)
            if tells and not self._private and kind_of(content) in ("JPEG", "WEBP"):
                yield self._file(f"{name}.json", lineage_text(lineage).encode(), node, lineage)

    def _manifest_of_export(self, content: bytes, hashes: Mapping[str, str], sources: Mapping[str, Source]) -> bytes:
        """With the seeds and scores behind each picture, and what the run was asked: by itself it says how they were made."""
        told = json.loads(content)
        for entry in told.get("files", []):
            entry["sha256"] = hashes.get(entry["sha256"], entry["sha256"])
        if self._private:
            told["files"] = [{name: entry[name] for name in _TOLD_TO_ALL if name in entry} for entry in told.get("files", [])]
        elif sources:
            for entry in told.get("files", []):
                entry |= self._history.of(sources[entry["file"]]) if entry.get("file") in sources else {}
            told |= self._asked()
        return as_file(told)

    def _asked(self) -> dict[str, Any]:
        run = self.run
        return {"run": run.id, "recipe": run.recipe, "values": run.values, "inputs": run.pictures, "backends": run.backends}

    def _lineage(self, node: Node, result: Result, index: int) -> Lineage:
        return lineage_of(self.run, self.plan, node, result, index, self._choices)

    def _told(self, content: bytes, lineage: Lineage) -> bytes:
        return without_texts(content) if self._private else with_lineage(content, lineage)

    def _file(self, name: str, content: bytes, node: Node, lineage: Lineage) -> OutputFile:
        about: dict[str, Any] = {"file": name, "sha256": hashlib.sha256(content).hexdigest()}
        if not self._private:
            about |= {"stage": node.id, "items": list(node.items), "id": lineage.id, "key": node.key, "seed": lineage.seed}
        return OutputFile(name, content, about)
