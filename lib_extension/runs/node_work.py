"""How does one stage instance become pictures? Its generator asks, a backend answers, until it returns what it made."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from lib_extension.backend.backend import Backend
from lib_extension.backend.errors import Missing
from lib_extension.backend.pool import Pool
from lib_extension.pictures.file_texts import kind_of
from lib_extension.plan.graph import Node, is_review
from lib_extension.runs.estimate import cost_of
from lib_extension.runs.store import Made, Store
from lib_extension.spec.calls import MODEL_CALLS, Call
from lib_extension.spec.errors import Interrupted
from lib_extension.stages.stage import Answer, Given, Outcome


class NotHere(Missing):
    """The backend that was tried lacks what the stage needs. `for_helper`: it is a network's answer that is asked for."""

    def __init__(self, reason: str, for_helper: bool) -> None:
        super().__init__(reason)
        self.for_helper = for_helper


@dataclass(frozen=True)
class Site:
    """Where a stage instance is carried out, and for whom."""

    run: str
    backend: Backend | None  # None: here, by ourselves
    pool: Pool
    store: Store
    cancelled: Callable[[], bool]
    calling: Callable[[Backend, str], None]  # is told the task id of each call before it is sent


def carry_out(node: Node, site: Site) -> Made:
    """Make the node's pictures. Raises AtelierError: NotHere where another backend should be tried, Interrupted where it was cancelled."""
    begun = time.monotonic()
    given = Given(
        stage=node.stage,
        taken=tuple(site.store.picture(source) for source in node.taken),
        others={name: site.store.picture(source) for name, source in node.others.items()},
        seed=node.seed,
        labels=node.labels,
    )
    outcome = _drive(node, given, site)
    if site.cancelled():
        raise Interrupted("The run was cancelled.")
    seconds = time.monotonic() - begun
    backend = site.backend
    unusual = not is_review(node.type) and len(outcome.pictures) != node.count
    class_ = "" if backend is None else backend.identity().class_
    cost = cost_of(node, _pixels(given.taken[0].png) if given.taken else 0)
    return Made(site.run, node, outcome, "" if backend is None else backend.spec, class_, seconds, cost, unusual)


def _pixels(picture: bytes) -> int:
    """Of a PNG file, by its header alone; 0 for another kind."""
    width, height = (int.from_bytes(picture[place : place + 4], "big") for place in (16, 20))
    return width * height if kind_of(picture) == "PNG" else 0


def _drive(node: Node, given: Given, site: Site) -> Outcome:
    work = node.type.work(given)
    try:
        call = next(work)
        while True:
            call = work.send(_answer(call, site))
    except StopIteration as ended:
        return ended.value
    finally:
        work.close()


def _answer(call: Call, site: Site) -> Answer:
    if site.cancelled():
        raise Interrupted("The run was cancelled.")
    backend = _backend_for(call, site)
    task_id = f"atelier-{secrets.token_hex(8)}"
    site.calling(backend, task_id)
    try:
        return backend.call(call, task_id, site.cancelled)
    except Missing as error:
        raise NotHere(str(error), isinstance(call, MODEL_CALLS)) from error


def _backend_for(call: Call, site: Site) -> Backend:
    """The backend at hand; for what only an engine answers, the first that can, as this may come amid a WebUI's calls."""
    if isinstance(call, MODEL_CALLS):
        able = site.pool.eligible(call)
        if not able:
            raise NotHere(site.pool.why_none(call) or "No backend answers this.", True)
        return site.backend if site.backend in able else able[0]
    if site.backend is None:
        raise NotHere("This stage needs a backend.", False)
    return site.backend
