"""Where are the calls that were sent? Each is watched while it is on its way, and stopped alone: what others run there goes on."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from lib_extension.backend.errors import BackendError
from lib_extension.backend.progress import Progress
from lib_extension.backend.wire import Wire
from lib_extension.spec.errors import AtelierError, Interrupted

TICK_SECONDS = 0.05  # how soon a cancel is noticed
LOOK_SECONDS = 1.0  # how often the host is asked whether somebody interrupted or skipped
STOP_SECONDS = 60  # a step may be long on a CPU
ASIDE_SECONDS = 10  # for questions beside the call: a WebUI with forty waiting calls answers none


class Flights:
    """The calls of one backend that are on their way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flying: dict[str, Flight] = {}

    def send(self, flight: Flight, path: str, body: Mapping[str, Any]) -> Any:
        """The answer to the call. Raises BackendError, and Interrupted once its `cancelled` says so."""
        with self._lock:
            self._flying[flight.task_id] = flight
        try:
            return flight.send(path, body)
        finally:
            with self._lock:
                if self._flying.get(flight.task_id) is flight:
                    del self._flying[flight.task_id]

    def progress(self, task_id: str, preview: bool = False) -> Progress | None:
        """Of a call of ours. One that failed is not on its way any more, whatever the host says."""
        with self._lock:
            flight = self._flying.get(task_id)
        return flight.progress(preview) if flight else None

    def interrupt(self, task_id: str) -> bool:
        """Stop a call of ours; False where it was not running."""
        with self._lock:
            flight = self._flying.get(task_id)
        return flight is not None and flight.interrupt()


class Flight:
    """One call."""

    def __init__(self, wire: Wire, task_id: str, cancelled: Callable[[], bool], *, tells_tasks: bool, watched: bool) -> None:
        """`tells_tasks`: the host says which task runs. `watched`: it is asked now and then whether somebody interrupted."""
        self.task_id = task_id or f"task(atelier-{uuid.uuid4().hex})"
        self._wire = wire
        self._cancelled = cancelled
        self._tells_tasks = tells_tasks
        self._watched = watched
        self._landed = threading.Event()
        self._answer: Any = None
        self._error: AtelierError | None = None
        self._found_idle = False
        self._cut_short: set[str] = set()  # job_timestamps that were seen interrupted or skipped

    def another(self) -> Flight:
        """For a small call that the call needs first, and that is cancelled with it."""
        return Flight(self._wire, "", self._cancelled, tells_tasks=self._tells_tasks, watched=False)

    def send(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send it under its task id and wait; see Flights.send."""
        if self._cancelled():
            raise Interrupted("The call was stopped before it was sent.")
        if not self._tells_tasks:
            self._found_idle = not self._state().get("job_count")
        sent = {**body, "force_task_id": self.task_id}
        threading.Thread(target=self._carry, args=(path, sent), name=self.task_id, daemon=True).start()
        look = time.monotonic() + LOOK_SECONDS
        while not self._landed.wait(TICK_SECONDS):
            if self._cancelled():
                self._stop()
                raise Interrupted("The call was stopped.")
            if self._watched and time.monotonic() >= look:
                self._note(self._state())
                look = time.monotonic() + LOOK_SECONDS
        if self._error is not None:
            raise self._error
        return self._answer

    def was_cut_short(self, job_timestamp: str) -> bool:
        """Whether the job of that time was interrupted or skipped; asked when its answer is here, and the flag still stands."""
        if self._watched:
            self._note(self._state())
        return job_timestamp in self._cut_short

    def interrupt(self) -> bool:
        """Interrupt it if it is what runs there now."""
        if self._landed.is_set() or not self._is_running():
            return False
        try:
            self._wire.post("/sdapi/v1/interrupt", timeout=ASIDE_SECONDS)
        except BackendError:
            return False
        return True

    def progress(self, preview: bool = False) -> Progress | None:
        """How far it is, or None when it cannot be known. `preview`: with the latest live preview, which the host has to encode."""
        if not self._tells_tasks:
            state = self._state()
            return Progress("running", float(state.get("progress") or 0)) if self._found_idle else Progress("sent")
        told = self._task(preview)
        if told.get("active"):
            return Progress("running", float(told.get("progress") or 0), str(told.get("live_preview") or ""))
        return Progress("queued" if told.get("queued") else "sent")

    def _carry(self, path: str, body: Mapping[str, Any]) -> None:
        try:
            self._answer = self._wire.post(path, body)
        except AtelierError as error:
            self._error = error
        finally:
            self._landed.set()

    def _stop(self) -> None:
        """Interrupt it now, or when its turn comes: a WebUI cannot take a waiting call out of its line."""
        if self.interrupt():
            self._landed.wait(STOP_SECONDS)
        else:
            threading.Thread(target=self._stop_when_it_runs, name=f"stop {self.task_id}", daemon=True).start()

    def _stop_when_it_runs(self) -> None:
        while not self._landed.wait(LOOK_SECONDS / 2):
            self.interrupt()

    def _is_running(self) -> bool:
        if self._tells_tasks:
            return bool(self._task().get("active"))
        # Without tasks, what runs is surely ours only where nothing ran before it was sent.
        return self._found_idle and bool(self._state().get("job_count"))

    def _note(self, state: Mapping[str, Any]) -> None:
        if state.get("interrupted") or state.get("skipped"):
            self._cut_short.add(str(state.get("job_timestamp")))

    def _task(self, preview: bool = False) -> Mapping[str, Any]:
        query = {"id_task": self.task_id, "id_live_preview": -1, "live_preview": preview}
        return self._aside(lambda: self._wire.post("/internal/progress", query, timeout=ASIDE_SECONDS))

    def _state(self) -> Mapping[str, Any]:
        told = self._aside(lambda: self._wire.get("/sdapi/v1/progress?skip_current_image=true", timeout=ASIDE_SECONDS))
        state = told.get("state")
        return {**state, "progress": told.get("progress")} if isinstance(state, dict) else {}

    def _aside(self, ask: Callable[[], Any]) -> Mapping[str, Any]:
        """An answer beside the call; without one nothing is known, and the call goes on."""
        try:
            told = ask()
        except BackendError:
            return {}
        return told if isinstance(told, dict) else {}
