"""Which runs go when all pictures together take more than they may? The oldest ended ones, never one that is wanted or the newest."""

from __future__ import annotations

import time

from lib_extension.runs.garbage import GRACE
from lib_extension.runs.records import State
from lib_extension.session.session import Session

_ENDED: tuple[State, ...] = ("done", "failed", "cancelled")


def make_room(session: Session, most_bytes: int, grace: float = GRACE) -> list[str]:
    """Forget runs, the oldest first, until the pictures take no more than `most_bytes`; their ids.

    Pinned runs, the draft's pictures, runs that have not ended and the run that ended last stay, however much they take. So do runs that
    ended less than `grace` seconds ago, as garbage collection leaves the files of that time alone: without them nothing were won.
    """
    before = time.time() - grace
    ended = sorted((run for run in session.ledger.runs.all(limit=-1) if run.state in _ENDED), key=lambda run: run.updated)
    gone = []
    for run in ended[:-1]:
        if run.updated >= before or sum(size for _, size, _ in session.blobs.names()) <= most_bytes:
            break
        if run.pinned:
            continue
        session.remove(run.id)
        session.collect(grace=grace)
        gone.append(run.id)
    return gone
