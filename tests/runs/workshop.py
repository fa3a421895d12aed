"""What tests of runs share: a folder with a ledger and blobs, a runner on stubs, and small recipes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extension.backend.parse import parse_backend
from lib_extension.backend.pool import Pool
from lib_extension.runs.blobs import Blobs
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.records import Event, Run
from lib_extension.runs.retries import Patience
from lib_extension.runs.runner import Runner
from lib_extension.spec.recipe import Recipe
from lib_extension.stages import load_recipe

IMPATIENT = Patience(first=0.02, longest=0.1, tries=4, stage_tries=3)
SHARED = {"steps": 4, "sampler_name": "Euler", "scheduler": "Automatic", "width": 64, "height": 64, "seed": 7}


def recipe(*stages: Mapping[str, Any], **more: Any) -> Recipe:
    """A recipe of these stages, with small pictures."""
    return load_recipe({"version": 1, "name": "test", "settings": SHARED, "stages": list(stages), **more})


def chain(length: int = 4, **changed: Mapping[str, Any]) -> Recipe:
    """A txt2img and img2img after img2img, s0, s1, …; `changed` are fields of stages, by id."""
    first = {"id": "s0", "type": "txt2img", "prompt": "a watch"}
    others = [{"id": f"s{i}", "type": "img2img", "takes": f"s{i - 1}", "denoising_strength": 0.4} for i in range(1, length)]
    return recipe(*({**stage, **changed.get(str(stage["id"]), {})} for stage in [first, *others]))


@dataclass
class Workshop:
    """A ledger, its blobs, and a runner."""

    folder: Path
    ledger: Ledger
    blobs: Blobs
    runner: Runner

    def run(self, wanted: Recipe, **more: Any) -> Run:
        """Carry out a new run to its end."""
        return self.resume(self.runner.add(wanted, **more))

    def resume(self, run_id: str) -> Run:
        """Carry a run out, or go on with it."""
        self.runner.start(run_id)
        return self.runner.wait(run_id, 60)

    def pictures(self, run: Run) -> dict[str, list[bytes]]:
        """The files of every stage instance, by its place."""
        nodes = self.ledger.nodes(run.id)
        return {node.place: [self.blobs.get(blob) for blob in node.pictures] for node in nodes if node.pictures}

    def events(self, run: Run | str, *kinds: str) -> list[Event]:
        """The run's events of these kinds."""
        return [event for event in self.ledger.events.after(run if isinstance(run, str) else run.id) if event.kind in kinds]


@contextmanager
def workshop(folder: Path, *urls: str, patience: Patience = IMPATIENT) -> Iterator[Workshop]:
    """A workshop in `folder`, as a process would open it, with the backends at `urls`."""
    ledger = Ledger(folder / "ledger.db")
    pool = Pool([parse_backend(url) for url in urls])
    runner = Runner(ledger, Blobs(folder / "blobs"), pool, patience=patience)
    try:
        yield Workshop(folder, ledger, runner.blobs, runner)
    finally:
        runner.close()
        pool.close()
        ledger.close()
