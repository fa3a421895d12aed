"""Who carries out a run's stages? The lanes of its backends, each with one stage at a time, in threads that several runs share."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from lib_extension.backend.backend import Backend
from lib_extension.backend.pool import Pool
from lib_extension.plan.graph import Node
from lib_extension.runs.blobs import Blobs
from lib_extension.runs.course import Lane
from lib_extension.runs.estimate import Paces
from lib_extension.runs.executor import Executor
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.node_work import Site, carry_out
from lib_extension.runs.retries import Patience
from lib_extension.runs.store import Made, Store


@dataclass(frozen=True)
class Means:
    """What runs are carried out with."""

    ledger: Ledger
    blobs: Blobs
    store: Store
    pool: Pool
    executor: Executor
    patience: Patience


class Workforce:
    """The lanes of one run."""

    def __init__(self, run_id: str, means: Means, cancelled: Callable[[], bool]) -> None:
        self.lanes = _lanes(means.pool)
        self.calls: dict[str, tuple[Backend, str]] = {}  # key → backend and task id of its call at work
        self.paces = Paces()
        self._run_id = run_id
        self._means = means
        self._cancelled = cancelled

    def start(self, lane: Lane, node: Node, ended: Callable[[Future[Made]], None]) -> None:
        """Have a free lane carry out a stage; `ended` is called in its thread."""
        lane.at_work, lane.checkpoint = node, node.checkpoint

        def calling(backend: Backend, task_id: str) -> None:
            self.calls[node.key] = (backend, task_id)

        site = Site(self._run_id, lane.backend, self._means.pool, self._means.store, self._cancelled, calling)
        self._means.executor.submit(lane.name, lambda: carry_out(node, site)).add_done_callback(ended)

    def free(self, lane: Lane, node: Node) -> None:
        """The lane's stage has ended."""
        lane.at_work = None
        self.calls.pop(node.key, None)


def _lanes(pool: Pool) -> tuple[Lane, ...]:
    """Two for work of our own, one a backend, one for the helper. By their names, runs that share a pool share the executor's threads."""
    specs = [backend.spec for backend in pool.backends]
    numbers = [specs[:i].count(spec) for i, spec in enumerate(specs)]  # of those with the same name
    names = [f"{spec} ({number + 1})" if number else spec for spec, number in zip(specs, numbers, strict=True)]
    lanes = [Lane("here 1", None), Lane("here 2", None)]
    lanes += [Lane(name, backend) for name, backend in zip(names, pool.backends, strict=True)]
    return tuple(lanes + ([Lane("helper", pool.helper, helper=True)] if pool.helper else []))
