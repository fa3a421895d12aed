"""How do the pictures of a run come into a folder as class pictures, each with its caption? By an order that outlives the process.

A name holds its run's id, and never takes another file's place; so what is there is not written again, whenever the run goes on.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from lib_extension.runs.layout import Layout
from lib_extension.runs.outputs import Outputs
from lib_extension.runs.runner import Runner
from lib_extension.runs.storage import StorageError, disk_errors
from lib_extension.session.class_recipe import CAPTION

_WHAT = "The folder of class pictures"


class ClassOrders:
    """Which runs' pictures go where: a small file for each, in `folder`."""

    def __init__(self, folder: Path, runner: Runner) -> None:
        self._folder = folder
        self._runner = runner

    def add(self, run_id: str, into: Path) -> None:
        """Have the run's pictures written into the folder when it has ended."""
        with disk_errors("The order of class pictures"):
            self._folder.mkdir(parents=True, exist_ok=True)
            _write_new(self._file(run_id), json.dumps({"into": str(into)}, ensure_ascii=False).encode())

    def into(self, run_id: str) -> Path | None:
        """Where the run's pictures go; None for another run."""
        try:
            return Path(json.loads(self._file(run_id).read_bytes())["into"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def deliver(self, run_id: str, private: bool = False) -> None:
        """Write what is made of a run that has ended, if it is one of these. StorageError, which the run tells of, too."""
        into, run = self.into(run_id), self._runner.ledger.runs.get(run_id)
        if into is None or run.state not in ("done", "failed"):
            return
        try:
            number = self._write(run_id, into, private)
        except StorageError as error:
            self._runner.ledger.events.add(run_id, "notice", message=str(error))
            raise
        self._runner.ledger.events.add(run_id, "notice", message=f"{number} class pictures are in {into}.")

    def _write(self, run_id: str, into: Path, private: bool) -> int:
        """How many are there in the end."""
        runner = self._runner
        run, plan = runner.ledger.runs.get(run_id), runner.plan(run_id).plan
        outputs = Outputs(run, plan, runner.ledger, runner.blobs, private)
        rows: list[dict[str, Any]] = list(run.recipe["rows"])
        number = 0
        for node in plan.nodes:
            result = runner.ledger.results.get(node.key)
            places = [] if result is None else list(Layout(run.recipe, plan).places(node, result))
            if result is None or all(_named(into, run_id, place.file).exists() for place in places):
                number += len(places)
                continue
            caption = str(rows[node.items[0]][CAPTION])
            for file in outputs.files_of(node, result):
                _write_pair(_named(into, run_id, file.name), file.content, caption)
                number += 1
        return number

    def _file(self, run_id: str) -> Path:
        return self._folder / f"{run_id}.json"


def made_ready(into: Path) -> None:
    """Make the folder, and see that it takes files, before any picture is drawn. StorageError."""
    with disk_errors(_WHAT):
        into.mkdir(parents=True, exist_ok=True)
        probe = into / f".{secrets.token_hex(8)}.part"
        probe.touch(exist_ok=False)
        probe.unlink()


def _named(into: Path, run_id: str, file: str) -> Path:
    return into / f"{run_id}-{Path(file).name}"


def _write_pair(picture: Path, content: bytes, caption: str) -> None:
    """The picture last: while it is not there, it is to be written."""
    with disk_errors(_WHAT):
        picture.parent.mkdir(parents=True, exist_ok=True)
        _write_new(picture.with_suffix(".txt"), f"{caption}\n".encode())
        _write_new(picture, content)


def _write_new(file: Path, content: bytes) -> None:
    """The whole file, or none. One that is there stays as it is."""
    if file.exists():
        return
    aside = file.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with aside.open("xb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        try:
            os.link(aside, file)
        except FileExistsError:
            return
        except OSError:  # a disk that knows no links
            if not file.exists():
                aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)
