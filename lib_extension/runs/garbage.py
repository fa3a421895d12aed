"""What can go? Results that no run needs any more, and pictures that no result needs; what is pinned stays, and so does what is new.

Something may be written right now and not yet be in the ledger: only what is older than a grace is touched.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from lib_extension.runs.blobs import Blobs
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.records import Run

GRACE = 3600.0  # seconds
_HELD = ("running", "paused", "waiting")  # somebody means to go on with it


@dataclass(frozen=True)
class Collected:
    """What went, or would go."""

    runs: tuple[str, ...]
    results: int
    files: int
    bytes: int


def collect(
    ledger: Ledger,
    blobs: Blobs,
    older_than: float | None = None,
    dry: bool = False,
    grace: float = GRACE,
    kept: Collection[str] = (),
) -> Collected:
    """Delete what nobody needs. Raises StorageError.

    older_than: seconds since a run last changed; older ones go too, unless they are pinned or wait to go on. dry: only tell what would go.
    kept: pictures that are needed by something else than runs.
    """
    now = time.time()
    runs = ledger.runs.all(limit=-1)
    old = [run for run in runs if older_than is not None and _may_go(run, now - older_than)]
    staying = [run for run in runs if run not in old]
    planned = ledger.results.keys_of_runs([run.id for run in staying])
    if any(run.state == "paused" and not planned[run.id] for run in staying):
        return Collected((), 0, 0, 0)  # made anew from the journal: what it needs is known when it was resumed
    needed = set[str]().union(*planned.values(), ledger.claims.living())
    pinned = ledger.pins.all()
    unneeded = ledger.results.unneeded(needed, pinned, now - grace)
    blobs_kept = (
        {*kept} | pinned | ledger.results.blobs_but_of(unneeded) | {picture for run in staying for picture in run.pictures.values()}
    )
    garbage = [(name, size) for name, size, written in blobs.names() if name not in blobs_kept and written < now - grace]
    if not dry:
        for run in old:
            ledger.runs.remove(run.id)
        ledger.results.forget(unneeded)
        _delete(blobs, (name for name, _ in garbage))
        blobs.sweep(grace)
        ledger.compact()
    return Collected(tuple(run.id for run in old), len(unneeded), len(garbage), sum(size for _, size in garbage))


def _may_go(run: Run, before: float) -> bool:
    return not run.pinned and run.state not in _HELD and run.updated < before


def _delete(blobs: Blobs, names: Iterable[str]) -> None:
    for name in names:
        blobs.remove(name)
