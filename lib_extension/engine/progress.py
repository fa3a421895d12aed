"""How far is the work, and does somebody want it to stop?

One ``Progress`` is shared by the thread that generates and by those that answer requests. The worker calls ``begin``,
``plan_jobs``, ``sampling``, ``step``, ``next_job`` and ``finish``; anybody may call ``interrupt``, ``skip`` and ``snapshot``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from PIL import Image

Preview = Callable[[], Image.Image]


class Stopped(Exception):
    """Sampling was asked to end; ``skipped`` tells a skipped batch from an interrupted task."""

    def __init__(self, skipped: bool) -> None:
        super().__init__("skipped" if skipped else "interrupted")
        self.skipped = skipped


@dataclass(frozen=True)
class State:
    """``state`` in the answer of GET /sdapi/v1/progress, under the API's own names."""

    skipped: bool = False
    interrupted: bool = False
    stopping_generation: bool = False
    job: str = ""
    job_count: int = 0
    job_timestamp: str = "0"
    job_no: int = 0
    sampling_step: int = 0
    sampling_steps: int = 0


@dataclass(frozen=True)
class Snapshot:
    """One consistent look: ``progress`` is a share in [0, 1], ``elapsed`` and ``eta`` are seconds; ``eta`` is None at first."""

    task_id: str | None
    progress: float
    elapsed: float
    eta: float | None
    state: State
    preview_id: int


class Progress:
    """Thread-safe; reading it never waits for a step."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = State()
        self._task_id: str | None = None
        self._started = 0.0
        self._preview: Preview | None = None
        self._preview_id = 0
        self._preview_every = 10
        self._drawn: tuple[int, Image.Image] | None = None

    def begin(self, task_id: str | None, job: str) -> None:
        """A task starts; wishes to stop that came before it are forgotten, as in the WebUI."""
        with self._lock:
            self._task_id = task_id
            self._started = time.monotonic()
            self._state = State(job=job, job_timestamp=datetime.now().strftime("%Y%m%d%H%M%S"))
            self._preview, self._preview_id, self._drawn = None, 0, None

    def plan_jobs(self, job_count: int, preview_every: int) -> None:
        """How many samplings the task has (two per batch with a hires pass); a preview is kept every ``preview_every`` steps."""
        with self._lock:
            self._state = replace(self._state, job_count=job_count)
            self._preview_every = preview_every

    def batch(self, job: str) -> None:
        """Names the batch that starts; a wish to skip concerned the one before."""
        with self._lock:
            self._state = replace(self._state, job=job or self._state.job, skipped=False)

    def sampling(self, steps: int) -> None:
        with self._lock:
            self._state = replace(self._state, sampling_steps=steps, sampling_step=0)

    def step(self, done: int, preview: Preview) -> None:
        """``done`` steps are finished; ``preview`` draws the present state, and is only called when somebody looks."""
        with self._lock:
            self._state = replace(self._state, sampling_step=done)
            if self._preview_every > 0 and done % self._preview_every == 0:
                self._preview = preview
                self._preview_id += 1

    def check(self) -> None:
        """Raises Stopped when the task was interrupted or its batch skipped. Called before each evaluation of the U-Net."""
        with self._lock:
            if self._state.interrupted or self._state.skipped:
                raise Stopped(skipped=not self._state.interrupted)

    def next_job(self) -> None:
        with self._lock:
            self._state = replace(self._state, job_no=self._state.job_no + 1, sampling_step=0)

    def finish(self) -> None:
        """The task is over. ``interrupted`` stays true until the next one begins, as clients of the WebUI see it."""
        with self._lock:
            self._task_id = None
            self._state = replace(self._state, job="", job_count=0)
            self._preview, self._drawn = None, None

    def interrupt(self) -> None:
        with self._lock:
            self._state = replace(self._state, interrupted=True)

    def skip(self) -> None:
        with self._lock:
            self._state = replace(self._state, skipped=True)

    @property
    def interrupted(self) -> bool:
        with self._lock:
            return self._state.interrupted

    def snapshot(self) -> Snapshot:
        with self._lock:
            share = _share(self._state)
            elapsed = time.monotonic() - self._started if self._state.job_count > 0 else 0.0
            eta = elapsed / share - elapsed if share > 0 else None
            return Snapshot(self._task_id, share, elapsed, eta, self._state, self._preview_id)

    def preview(self) -> Image.Image | None:
        """The latest preview, drawn once however often it is asked for."""
        with self._lock:
            draw, number, drawn = self._preview, self._preview_id, self._drawn
        if draw is None:
            return None
        if drawn is None or drawn[0] != number:
            drawn = (number, draw())
            with self._lock:
                self._drawn = drawn
        return drawn[1]


def _share(state: State) -> float:
    if state.job_count <= 0:
        return 0.0
    share = state.job_no / state.job_count
    if state.sampling_steps > 0:
        share += state.sampling_step / state.sampling_steps / state.job_count
    return min(share, 1.0)
