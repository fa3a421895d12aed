"""How does a run's folder come to hold its pictures while the run goes on? A thread of its own brings each soon after it is made.

Whoever is killed leaves what was done in the folder, too. When the run has come to a halt, all is gone through once more, so that the
folder is then the same as if it had been written at the end only.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lib_extension.plan.graph import Plan, is_review
from lib_extension.runs.blobs import LostBlob
from lib_extension.runs.output_folder import OutputFolder
from lib_extension.runs.outputs import Outputs
from lib_extension.runs.records import State
from lib_extension.runs.runner import Runner
from lib_extension.runs.storage import StorageError
from lib_extension.spec.errors import AtelierError

_PAUSE = 0.5  # seconds between two looks
_SHARE = 9  # pauses are so many times as long as the look before took: most of the time is the run's
_TRIES = 5  # to go through the folder, while pictures are found damaged
_COMES_TO_AN_END: tuple[State, ...] = ("done", "failed", "waiting")  # by itself; others were stopped by somebody
_log = logging.getLogger(__name__)


class Delivery:
    """Starts a run, and brings what it makes until it has come to a halt."""

    def __init__(
        self,
        runner: Runner,
        run_id: str,
        folder: Path,
        private: bool = False,
        after: Delivery | None = None,
        then: Callable[[], object] = lambda: None,
    ) -> None:
        """`after`: an earlier one of the same run that is about to close, and is waited for. `then`: done when the folder is complete."""
        self._runner = runner
        self._run = runner.ledger.runs.get(run_id)
        self._folder = folder
        self._private = private
        self._outputs: Outputs | None = None
        self._place: OutputFolder | None = None
        self._brought: dict[str, tuple[str, list[Mapping[str, Any]]]] = {}  # key → where its files begin, and what is told of them
        self._names: list[str] = []
        self._problem: AtelierError | None = None
        self._has_told = False  # that something cannot be written
        self._guard = threading.Lock()  # of the next
        self._is_closing = False
        self._after = after
        self._then = then
        runner.start(run_id)
        self._thread = threading.Thread(target=self._deliver, name=f"atelier outputs {run_id}", daemon=True)
        self._thread.start()

    def go_on(self) -> bool:
        """Start the run again, if it has halted, or let it look again; False where this delivery ends already."""
        with self._guard:
            if not self._is_closing:
                self._runner.start(self._run.id)
            return not self._is_closing

    def wait(self) -> list[str]:
        """When the run has come to a halt and its folder is complete: the files' names. StorageError where the disk did not take them."""
        self._thread.join()
        if self._problem is not None:
            raise self._problem
        return self._names

    def _deliver(self) -> None:
        try:
            if self._after is not None:
                self._after._thread.join()
                self._after = None
            self._names = self._complete()
            self._then()
        except AtelierError as error:
            self._problem = error
        except Exception as error:
            _log.exception("The folder of the run %s could not be written", self._run.id)
            self._problem = StorageError(f"The output folder could not be written ({type(error).__name__}); the log tells more.")
        finally:
            self._is_closing = True

    def _complete(self) -> list[str]:
        """Bring pictures until the run has halted, and go through all of them; what is found damaged then is made again first."""
        for tries_left in reversed(range(_TRIES)):
            self._bring_along()
            try:
                return self._outputs_by(self._runner.plan(self._run.id).plan).write(self._folder)
            except LostBlob:
                if not tries_left:
                    raise
                if self._runner.ledger.runs.get(self._run.id).state in _COMES_TO_AN_END:
                    self._runner.start(self._run.id)
        raise AssertionError

    def _bring_along(self) -> None:
        pause = _PAUSE
        while self._goes_on(pause):
            begun = time.monotonic()
            self._bring_what_is_new()
            pause = max(_PAUSE, _SHARE * (time.monotonic() - begun))

    def _goes_on(self, pause: float) -> bool:
        if self._runner.is_at_work(self._run.id):
            self._runner.wait(self._run.id, pause)
        with self._guard:
            self._is_closing = not self._runner.is_at_work(self._run.id)
            return not self._is_closing

    def _bring_what_is_new(self) -> None:
        try:
            self._bring()
        except LostBlob:
            pass  # it is made again
        except StorageError as error:
            self._tell_once(error)

    def _bring(self) -> None:
        outputs = self._outputs_by(self._runner.planned(self._run.id).plan)
        new = [node for node in outputs.plan.nodes if node.key not in self._brought and not is_review(node.type)]
        there = self._runner.ledger.results.blobs(node.key for node in new)
        new = [node for node in new if node.key in there]
        if not new:
            return
        place = self._place = self._place or OutputFolder(self._folder)
        for node in new:
            result = self._runner.ledger.results.get(node.key)
            if result is None or (result.unusual and not result.files and len(result.pictures) != node.count):
                continue  # the names of those after it are known when it is planned anew
            files = list(outputs.files_of(node, result))
            for file in files:
                place.write(file.name, file.content)
            self._brought[node.key] = outputs.layout.start(node), [file.about for file in files]
        place.tell(outputs.manifest(about for _, told in self._brought.values() for about in told))

    def _outputs_by(self, plan: Plan) -> Outputs:
        """The outputs by a plan; what has another name by it than it had is to be brought again."""
        if self._outputs is None or self._outputs.plan is not plan:
            self._outputs = Outputs(self._run, plan, self._runner.ledger, self._runner.blobs, self._private)
            layout, nodes = self._outputs.layout, plan.by_key
            self._brought = {
                key: brought for key, brought in self._brought.items() if key in nodes and layout.start(nodes[key]) == brought[0]
            }
        return self._outputs

    def _tell_once(self, error: StorageError) -> None:
        """The run goes on: what it makes is kept all the same. The end tells it again."""
        if not self._has_told:
            self._has_told = True
            self._runner.ledger.events.add(self._run.id, "notice", message=str(error))
