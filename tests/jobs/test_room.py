"""Does a WebUI's checkpoint leave the GPU for a job that needs the memory, and come back, also when the job fails?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib_extension.backend.backend import Backend
from lib_extension.backend.parse import parse_backend
from lib_extension.jobs.room import Room, is_here
from tests.runs.stub_backend import Stub

GB = 1 << 30


class Host(Stub):
    """A backend with a GPU, and a checkpoint on it."""

    def __init__(self) -> None:
        super().__init__()
        self.free = 1 * GB
        self.has_gpu = True
        self.drawing = 0  # looks at its progress until nothing is drawn any more
        self.told: list[str] = []

    def answer(self, path: str, body: dict[str, Any]) -> Any:
        if path == "/sdapi/v1/memory":
            return {"ram": {}, "cuda": {"system": {"free": self.free, "total": 8 * GB}} if self.has_gpu else {"error": "unavailable"}}
        if path == "/sdapi/v1/progress":
            self.drawing -= 1
            return {"state": {"job_count": int(self.drawing >= 0)}}
        if path in ("/sdapi/v1/unload-checkpoint", "/sdapi/v1/reload-checkpoint"):
            self.told.append(path.rpartition("/")[2])
            return {}
        return super().answer(path, body)


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    thread = threading.Thread(target=host.serve, daemon=True)
    thread.start()
    yield host
    host.stop()
    thread.join()


@pytest.fixture
def backend(host: Host) -> Iterator[Backend]:
    backend = parse_backend(host.url)
    yield backend
    backend.close()


def test_the_checkpoint_leaves_and_comes_back(host: Host, backend: Backend):
    with Room([backend]).made(4 * GB):
        assert host.told == ["unload-checkpoint"]
    assert host.told == ["unload-checkpoint", "reload-checkpoint"]


def test_it_comes_back_when_the_job_fails(host: Host, backend: Backend):
    with pytest.raises(OSError, match="no such program"), Room([backend]).made(4 * GB):
        raise OSError("no such program")
    assert host.told == ["unload-checkpoint", "reload-checkpoint"]


@pytest.mark.parametrize(("needed", "free", "has_gpu"), [(4 * GB, 6 * GB, True), (0, GB, True), (4 * GB, GB, False)])
def test_nothing_is_touched_where_nothing_is_short(host: Host, backend: Backend, needed: int, free: int, has_gpu: bool):
    host.free, host.has_gpu = free, has_gpu
    with Room([backend]).made(needed):
        pass
    assert host.told == []


def test_a_picture_that_is_being_drawn_is_waited_for(host: Host, backend: Backend):
    host.drawing = 2
    with Room([backend]).made(4 * GB):
        assert host.drawing < 0
    assert host.told == ["unload-checkpoint", "reload-checkpoint"]


def test_a_cancelled_job_does_not_wait(host: Host, backend: Backend):
    host.drawing = 1000
    with Room([backend]).made(4 * GB, lambda: True):
        pass
    assert host.told == []


def test_a_host_that_is_gone_holds_nothing_up(host: Host, backend: Backend):
    with Room([backend]).made(4 * GB):
        host.stop()
        backend.close()
    with Room([parse_backend("http://127.0.0.1:9")]).made(4 * GB):
        pass


def test_what_a_process_left_away_comes_back_by_the_next(host: Host, backend: Backend, tmp_path: Path):
    note = tmp_path / "away.txt"
    with Room([backend], note).made(4 * GB):
        assert note.read_text() == host.url
        Room([backend], note).mend()
    assert host.told == ["unload-checkpoint", "reload-checkpoint", "reload-checkpoint"]
    Room([backend], note).mend()
    assert len(host.told) == 3


def test_other_machines_are_left_alone():
    assert [is_here(spec) for spec in ("webui", "engine:demo", "http://127.0.0.1:7860", "http://gpu.example:7860")] == [
        True,
        True,
        True,
        False,
    ]
