"""How is a run carried out? Plans it, gives each stage to a backend as soon as what it needs is there, and starts over where facts change.

    runner = Runner(ledger, blobs, pool)
    run_id = runner.add(recipe, values, pictures)
    runner.start(run_id); runner.wait(run_id)

A run that was killed, paused, cancelled or failed goes on by `start`: what is finished is not made again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib_extension.runs.blobs import Blobs
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.records import Run
from lib_extension.spec.recipe import Recipe

if TYPE_CHECKING:
    from lib_extension.backend.pool import Pool


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    stages: int  # instances that are known; there may be more after a review
    done: int
    failed: int
    left_out: int  # because they need what failed
    running: Mapping[str, float]  # key → how much of it is done, 0 to 1
    seconds_left: float | None  # None: not known yet


class Runner:
    """Carries out runs of one ledger, several at once if asked; each backend does one thing at a time."""

    def __init__(self, ledger: Ledger, blobs: Blobs, pool: Pool) -> None:
        self.ledger = ledger
        self.blobs = blobs
        self.pool = pool

    def add(self, recipe: Recipe, values: Mapping[str, Any] = {}, pictures: Mapping[str, bytes] = {}, folder: str = "") -> str:
        """Write down a run: seeds are drawn, `pictures` (by input or file name) stored. Its id."""
        raise NotImplementedError

    def start(self, run_id: str) -> None:
        """Carry out the run, or go on with it, in the background."""
        raise NotImplementedError

    def wait(self, run_id: str, timeout: float | None = None) -> Run:
        """Wait until nothing more happens in the run without somebody's doing: its state is "running" only if time was up."""
        raise NotImplementedError

    def pause(self, run_id: str) -> None:
        """Finish what is at work and begin nothing more. Works across processes."""
        raise NotImplementedError

    def cancel(self, run_id: str) -> None:
        """Interrupt what is at work, within a step, and begin nothing more. Works across processes."""
        raise NotImplementedError

    def choose(self, run_id: str, key: str, chosen: Sequence[int]) -> None:
        """Decide a review, by indexes into what it takes; a run that waits for it goes on."""
        raise NotImplementedError

    def progress(self, run_id: str) -> Progress:
        """How far the run is."""
        raise NotImplementedError

    def close(self) -> None:
        """Pause what runs and let go of the threads. Ledger and pool stay open."""
        raise NotImplementedError
