"""Does a run survive kill -9 anywhere, to the byte, and do two processes on one ledger share the work? Real processes, killed for real."""

from __future__ import annotations

import hashlib
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs.fork_server import ForkServer, fork_server
from tests.runs.stub_backend import Stub, running_stub
from tests.runs.workshop import Workshop, recipe, workshop

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, as Linux and macOS have it")

STAGES = [
    {"id": "base", "type": "txt2img", "prompt": "number {n}"},
    {"id": "redo", "type": "img2img", "takes": "base", "batch_size": 2},
    {"id": "pick", "type": "review", "takes": "redo", "auto": "top 1", "scores": [{"kind": "exposure"}]},
    {"id": "fine", "type": "img2img", "takes": "pick"},
    {"id": "sheet", "type": "sheet", "takes": "fine"},
]
RECIPE = recipe(*STAGES, axes={"n": [1, 2, 3]})
CALLS = 9  # of its 13 stage instances; reviews and the sheet ask nobody


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    with fork_server() as started:
        yield started


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[bytes]]:
    """The pictures of every stage, made without a break."""
    with running_stub() as stub, workshop(tmp_path_factory.mktemp("unbroken"), stub.url) as shop:
        run = shop.run(RECIPE)
        assert (run.state, len(stub.calls)) == ("done", CALLS)
        pictures = shop.pictures(run)
    assert len(pictures) == 13
    return pictures


def kill_at(stub: Stub, call: int, seconds: float, pid: int) -> None:
    """Kill the process, so long after the backend got so many calls."""
    deadline = time.monotonic() + 20
    while len(stub.calls) < call and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(seconds)
    os.kill(pid, 9)


def whole_results(shop: Workshop) -> set[str]:
    """The keys with a result; every file that one of them counts on is read, and is what its name says."""
    keys = set()
    for result in shop.ledger.results.all():
        keys.add(result.key)
        for blob, size in result.blobs().items():
            data = shop.blobs.path(blob).read_bytes()
            assert (hashlib.sha256(data).hexdigest(), len(data)) == (blob, size)
    return keys


@pytest.mark.parametrize("point", range(20))
def test_a_killed_run_goes_on_to_the_same_pictures(
    tmp_path: Path, server: ForkServer, unbroken: dict[str, list[bytes]], point: int
) -> None:
    chance = random.Random(point)
    with running_stub(delay=0.005) as stub:
        with workshop(tmp_path, stub.url) as shop:
            run_id = shop.runner.add(RECIPE)
        pid = server.start(tmp_path, stub.url, run_id)
        kill_at(stub, chance.randrange(CALLS + 1), chance.uniform(0, 0.04), pid)
        assert server.wait() in ([-9], [0])  # 0: it was done before

        with workshop(tmp_path, stub.url) as shop:
            finished = whole_results(shop)
            called = sum(1 for node in shop.ledger.nodes(run_id) if node.key in finished and node.stage not in ("pick", "sheet"))
            del stub.calls[:]
            run = shop.resume(run_id)
            assert (run.state, run.message) == ("done", "")
            assert len(stub.calls) == CALLS - called
            assert shop.pictures(run) == unbroken


def test_a_run_that_is_killed_again_and_again_is_done_at_last(tmp_path: Path, server: ForkServer, unbroken: dict[str, list[bytes]]) -> None:
    with running_stub(delay=0.01) as stub:
        with workshop(tmp_path, stub.url) as shop:
            run_id = shop.runner.add(RECIPE)
        for _ in range(CALLS):
            count = len(stub.calls)
            pid = server.start(tmp_path, stub.url, run_id)
            killer = threading.Thread(target=kill_at, args=(stub, count + 2, 0.0, pid))
            killer.start()
            killer.join()
            if server.wait() == [0]:
                break
        with workshop(tmp_path, stub.url) as shop:
            run = shop.resume(run_id)
            assert run.state == "done"
            assert shop.pictures(run) == unbroken


@pytest.mark.parametrize("same_run", [True, False])
def test_two_processes_never_run_one_stage_twice(
    tmp_path: Path, server: ForkServer, unbroken: dict[str, list[bytes]], same_run: bool
) -> None:
    with running_stub(delay=0.03) as stub, running_stub(delay=0.03) as other:
        with workshop(tmp_path, stub.url) as shop:
            ids = [shop.runner.add(RECIPE) for _ in range(2)]
        runs = [ids[0], ids[0] if same_run else ids[1]]
        for run_id, url in zip(runs, (stub.url, other.url), strict=True):
            server.start(tmp_path, url, run_id)
        assert server.wait() == [0, 0]
        assert len(stub.calls) + len(other.calls) == CALLS
        assert len({digest for _, digest in (*stub.calls, *other.calls)}) == CALLS
        assert min(len(stub.calls), len(other.calls)) > 0
        with workshop(tmp_path, stub.url) as shop:
            for run_id in set(runs):
                run = shop.ledger.runs.get(run_id)
                assert run.state == "done"
                assert shop.pictures(run) == unbroken
