"""How is a run carried out? Each in a thread of its own, with backends that several of them share.

    runner = Runner(ledger, blobs, pool)
    run_id = runner.add(recipe, values, pictures)
    runner.start(run_id)
    run = runner.wait(run_id)

A run that was killed, paused, cancelled or failed, or that waited for a choice, goes on by `start`: nothing finished is made again.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import SystemRandom
from typing import Literal

from lib_extension.backend.backend import Backend
from lib_extension.backend.errors import BackendError
from lib_extension.backend.pool import Pool
from lib_extension.pictures.png import open_picture
from lib_extension.plan.graph import Node, Plan, is_review
from lib_extension.plan.seeds import freeze, freeze_values
from lib_extension.runs.blobs import Blobs
from lib_extension.runs.carrying import Carrying
from lib_extension.runs.estimate import Costs, Left, Timing, seconds_left
from lib_extension.runs.executor import Executor, Threads
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.planning import Planned, Planning
from lib_extension.runs.records import NewRun, Run, State
from lib_extension.runs.retries import Patience
from lib_extension.runs.store import Store
from lib_extension.runs.surroundings import last_seen
from lib_extension.runs.workforce import Means
from lib_extension.spec.errors import NotFound
from lib_extension.spec.recipe import Recipe
from lib_extension.spec.settings import to_json
from lib_extension.stages.review import check_choice

_NOTHING: Mapping[str, str] = {}
_NO_SHARES: Mapping[str, float] = {}
_PATIENCE = Patience()


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    stages: int  # instances that are known; there may be more after a review
    done: int
    failed: int
    left_out: int  # because they need what failed
    running: Mapping[str, float]  # key → how much of its call is done, 0 to 1
    seconds_left: float | None  # None: not known yet
    reviews: tuple[str, ...] = ()  # ids of those that decide what comes after what is known
    later: tuple[str, ...] = ()  # ids of the stages that come after them


class Runner:
    """Carries out runs of one ledger, several at once if asked; each backend does one thing at a time."""

    def __init__(self, ledger: Ledger, blobs: Blobs, pool: Pool, executor: Executor | None = None, patience: Patience = _PATIENCE) -> None:
        self.ledger = ledger
        self.blobs = blobs
        self.pool = pool
        self._means = Means(ledger, blobs, Store(ledger, blobs), pool, executor or Threads(), patience)
        self._guard = threading.Lock()  # of the two below
        self._carrying: dict[str, Carrying] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._broken: dict[str, BaseException] = {}  # runs whose end could not be written down

    def add(
        self,
        recipe: Recipe,
        values: Mapping[str, object] = _NOTHING,
        pictures: Mapping[str, bytes | str] = _NOTHING,
        folder: str = "",
        confirmed: bool = False,
    ) -> str:
        """Write down a run; its id. Seeds are drawn.

        pictures: a file's bytes, or the sha256 of one that is stored, by the file name that the recipe or `values` use, or by input.
        folder: where its final pictures go. confirmed: it may be larger than is likely meant.
        """
        stored = {name: picture if isinstance(picture, str) else self._store(name, picture) for name, picture in pictures.items()}
        return self.ledger.runs.add(
            NewRun(
                recipe=to_json(freeze(recipe, SystemRandom())),
                values=freeze_values(recipe, values, SystemRandom()),
                pictures=stored,
                backends=tuple(backend.spec for backend in self.pool.backends),
                folder=folder,
                confirmed=confirmed,
            )
        )

    def plan(self, run_id: str) -> Planned:
        """What the run would do now, by what backends had when they were last seen; none that was is woken."""
        return Planning(self.ledger.runs.get(run_id), run_id, self.ledger, self.blobs, self.pool).as_last_seen()

    def planned(self, run_id: str) -> Planned:
        """What a run that is at work here goes by, or else as `plan`."""
        return self.plan_at_work(run_id) or self.plan(run_id)

    def preview(
        self,
        recipe: Recipe,
        values: Mapping[str, object] = _NOTHING,
        pictures: Mapping[str, bytes | str] = _NOTHING,
        confirmed: bool = False,
        fresh: bool = False,
    ) -> Planned:
        """As `plan`, for a run that is only thought of: nothing is written down. A seed that is yet to be drawn makes all after it new.

        fresh: by what backends have now, for which they are asked, and engines started.
        """
        hashes = {name: picture if isinstance(picture, str) else hashlib.sha256(picture).hexdigest() for name, picture in pictures.items()}
        asked = NewRun(recipe=to_json(freeze(recipe, SystemRandom())), values=dict(values), pictures=hashes, confirmed=confirmed)
        planning = Planning(asked, "", self.ledger, self.blobs, self.pool)
        return planning.first() if fresh else planning.as_last_seen()

    def start(self, run_id: str) -> None:
        """Carry out the run, or go on with it, in the background. Nothing happens where it is at work already."""
        with self._guard:
            if run_id in self._carrying:
                self._carrying[run_id].look_again()
                return
            self._broken.pop(run_id, None)
            self._carrying[run_id] = Carrying(run_id, self._means)
            thread = self._threads[run_id] = threading.Thread(target=self._carry_out, args=(run_id,), name=f"atelier {run_id}", daemon=True)
            thread.start()

    @property
    def is_busy(self) -> bool:
        """Whether this process carries out any run."""
        return bool(self._carrying)

    def is_at_work(self, run_id: str) -> bool:
        """Whether this process carries out the run."""
        return run_id in self._carrying

    def wait(self, run_id: str, timeout: float | None = None) -> Run:
        """Wait until nothing more happens in the run without somebody's doing; its state is "running" only if time was up.

        StorageError where the disk would not even take down how it ended.
        """
        thread = self._threads.get(run_id)
        if thread is not None:
            thread.join(timeout)
        if run_id in self._broken:
            raise self._broken[run_id]
        return self.ledger.runs.get(run_id)

    def pause(self, run_id: str) -> None:
        """Finish what is at work and begin nothing more, in whichever process it is."""
        self._halt(run_id, "pause")

    def cancel(self, run_id: str) -> None:
        """Interrupt what is at work, within a step, and begin nothing more, in whichever process it is."""
        self._halt(run_id, "cancel")

    def choose(self, run_id: str, key: str, chosen: Sequence[int]) -> None:
        """Decide a review, by indexes into what it takes. A run at work goes on by it; one that waits is to be started."""
        planned = self.planned(run_id)
        node = planned.plan.by_key.get(key)
        if node is None or not is_review(node.type):
            known = ", ".join(f"{node.key} ({node.place})" for node in planned.undecided) or "none"
            raise NotFound(f'The run has no review "{key}"; these wait for a choice: {known}.')
        places = check_choice(node.stage, len(node.taken), chosen)
        self.ledger.runs.choose(run_id, key, places)
        self.ledger.events.add(run_id, "chosen", key=key, chosen=list(places))
        carrying = self._carrying.get(run_id)
        if carrying is not None:
            carrying.look_again()

    def forgive(self, run_id: str, key: str = "") -> None:
        """Have a run at work here try once more what failed of a stage, or all that failed. A run that is not does so by `start`."""
        carrying = self._carrying.get(run_id)
        if carrying is not None:
            carrying.forgive(key)

    def plan_at_work(self, run_id: str) -> Planned | None:
        """The plan that the run goes by, where it is at work here."""
        carrying = self._carrying.get(run_id)
        planned = carrying.standing.planned if carrying is not None else None
        return planned if planned is not None and planned.plan.nodes else None

    def live_preview(self, run_id: str) -> str:
        """A data URL of what is being drawn for the run, where it is at work here; '' where there is none to see."""
        carrying = self._carrying.get(run_id)
        for backend, task_id in list(carrying.workforce.calls.values()) if carrying is not None else ():
            with suppress(BackendError):
                progress = backend.progress(task_id, preview=True)
                if progress is not None and progress.preview:
                    return progress.preview
        return ""

    def progress(self, run_id: str) -> Progress:
        """How far the run is, and how long the rest may take. For a run that is at work here it costs little."""
        carrying = self._carrying.get(run_id)
        planned = self.planned(run_id)
        calls = dict(carrying.workforce.calls) if carrying else {}
        running = {key: _share(*call) for key, call in calls.items()}
        if carrying is not None and carrying.standing.planned is planned:
            standing = carrying.standing
            counts = (standing.done, len(standing.failed), len(standing.left_out))
            left = standing.left()
        else:
            states = [record.state for record in self.ledger.nodes(run_id)]
            counts = (len(planned.done), states.count("failed"), states.count("left out"))
            left = [node for node in planned.plan.nodes if node.key not in planned.done]
        reviews = tuple(dict.fromkeys(review for waiting in planned.plan.waiting for review in waiting.reviews))
        later = tuple(dict.fromkeys(waiting.stage for waiting in planned.plan.waiting))
        whole = carrying.workforce.paces.look(running, time.monotonic()) if carrying else _NO_SHARES
        seconds = self.seconds_left(planned.plan, left, running, whole)
        return Progress(len(planned.plan.nodes), *counts, running, seconds, reviews, later)

    def seconds_left(
        self, plan: Plan, left: Sequence[Node], running: Mapping[str, float] = _NO_SHARES, whole: Mapping[str, float] = _NO_SHARES
    ) -> float | None:
        """How long these of a plan's stages may take, as far as it is known.

        running: key → how much of it is done; whole: key → seconds for all of it, by its pace.
        """
        seen = [found.identity.class_ for backend in self.pool.backends if (found := last_seen(self.ledger, backend.spec))]
        class_, costs = seen[0] if seen else "unknown", Costs(plan)
        each = [
            Left(node.type.name, costs.of(node) * (1 - running.get(node.key, 0.0)), "" if node.type.local(node.stage) else class_)
            for node in left
        ]
        at_work = [plan.by_key[key] for key in whole if key in plan.by_key]
        paces = {(class_, node.type.name): Timing(1, costs.of(node), whole[node.key]) for node in at_work}
        return seconds_left(each, self.ledger.timings.known(), len(self.pool.backends), paces)

    def close(self, at_once: bool = False) -> None:
        """Pause what runs here when what is at work is done, or `at_once`, and let go of the threads. Ledger and pool stay open."""
        for carrying in list(self._carrying.values()):
            carrying.hurry() if at_once else carrying.halt("paused")
        for thread in list(self._threads.values()):
            thread.join()
        self._means.executor.close()
        self._means.store.close()

    def _carry_out(self, run_id: str) -> None:
        """Until nothing was asked for in the last moment, when nobody listened any more."""
        while True:
            carrying = self._carrying[run_id]
            try:
                carrying.carry_out()
            except Exception as error:  # the ledger itself cannot be written; whoever waits is told
                self._broken[run_id] = error
            with self._guard:
                if not carrying.has_news():
                    del self._carrying[run_id], self._threads[run_id]
                    return
                self._carrying[run_id] = Carrying(run_id, self._means)

    def _halt(self, run_id: str, wish: Literal["pause", "cancel"]) -> None:
        state = self.ledger.runs.get(run_id).state
        carrying = self._carrying.get(run_id)
        if carrying is not None:
            carrying.halt("paused" if wish == "pause" else "cancelled")
            return
        if state == "running":
            self.ledger.runs.wish(run_id, wish)
        stopped = state == "running" and not self.ledger.claims.any_living(run_id)  # whoever carried it out was killed
        if stopped or (wish == "cancel" and state in ("new", "paused", "waiting")):
            ended: State = "paused" if wish == "pause" else "cancelled"
            self.ledger.runs.set_state(run_id, ended)
            self.ledger.events.add(run_id, "state", state=ended, message="")

    def _store(self, name: str, data: bytes) -> str:
        open_picture(data, what=f'The picture "{name}"')
        return self.blobs.put(data)


def _share(backend: Backend, task_id: str) -> float:
    try:
        progress = backend.progress(task_id)
    except BackendError:
        return 0.0  # the call itself will say what is wrong
    return progress.share if progress else 0.0
