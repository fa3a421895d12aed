"""A backend that certainly is what it was is not woken for what needs no call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from lib_extension.backend.backend import Backend
from lib_extension.backend.connection import Connection
from lib_extension.backend.pool import Pool
from lib_extension.runs.blobs import Blobs
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.records import Run
from lib_extension.runs.runner import Runner
from lib_extension.spec.recipe import Recipe
from tests.runs.stub_backend import Stub, running_stub
from tests.runs.workshop import IMPATIENT, chain, recipe

REVIEWED = recipe(
    {"id": "base", "type": "txt2img", "prompt": "a watch", "batch_size": 2},
    {"id": "pick", "type": "review", "takes": "base"},
    {"id": "refine", "type": "img2img", "takes": "pick", "denoising_strength": 0.4},
)


class Engine:
    """A stub that is "started" when somebody connects, with what its fingerprint would be."""

    def __init__(self, stub: Stub) -> None:
        self.stub = stub
        self.starts = 0
        self.fingerprint = "as installed"

    def connect(self) -> Connection:
        """Count, and connect."""
        self.starts += 1
        return Connection(self.stub.url, httpx.HTTPTransport())


@pytest.fixture
def engine() -> Iterator[Engine]:
    with running_stub() as stub:
        yield Engine(stub)


@contextmanager
def process(folder: Path, engine: Engine) -> Iterator[Runner]:
    """What a process of its own would have."""
    ledger = Ledger(folder / "ledger.db")
    pool = Pool([Backend("engine:stub", engine.connect, lambda: engine.fingerprint)])
    runner = Runner(ledger, Blobs(folder / "blobs"), pool, patience=IMPATIENT)
    try:
        yield runner
    finally:
        runner.close()
        pool.close()
        ledger.close()


def run(folder: Path, engine: Engine, wanted: Recipe) -> Run:
    """Look ahead as a session does, and carry out, in a process of its own."""
    with process(folder, engine) as runner:
        runner.preview(wanted, fresh=True)
        run_id = runner.add(wanted)
        runner.start(run_id)
        return runner.wait(run_id, 60)


def test_nothing_is_started_for_what_is_all_there(tmp_path: Path, engine: Engine):
    assert [run(tmp_path, engine, chain(3)).state for _ in range(3)] == ["done"] * 3
    assert engine.starts == 1


def test_what_is_yet_to_be_drawn_starts_it(tmp_path: Path, engine: Engine):
    run(tmp_path, engine, chain(2))
    run(tmp_path, engine, chain(3))
    assert engine.starts == 2
    assert len(engine.stub.calls) == 3


@pytest.mark.parametrize("fingerprint", ["of another version", ""])
def test_it_is_asked_where_it_may_be_another(tmp_path: Path, engine: Engine, fingerprint: str):
    run(tmp_path, engine, chain(2))
    engine.fingerprint = fingerprint
    run(tmp_path, engine, chain(2))
    assert engine.starts == 2
    run(tmp_path, engine, chain(2))
    assert engine.starts == (2 if fingerprint else 3)


def test_what_has_changed_there_is_drawn_anew(tmp_path: Path, engine: Engine):
    wanted = chain(1, s0={"prompt": "a watch, mood"})
    engine.stub.embeddings = {"mood": "0123456789ab"}
    run(tmp_path, engine, wanted)
    engine.stub.embeddings, engine.fingerprint = {"mood": "ba9876543210"}, "overwritten"
    run(tmp_path, engine, wanted)
    assert len(engine.stub.calls) == 2


def test_hashes_that_another_recipe_asked_for_stay_known(tmp_path: Path, engine: Engine):
    engine.stub.embeddings = {"mood": "0123456789ab", "style": "ba9876543210"}
    for _ in range(2):
        for word in ("mood", "style"):
            run(tmp_path, engine, chain(1, s0={"prompt": f"a watch, {word}"}))
    assert engine.starts == 2


def test_a_lost_picture_starts_it(tmp_path: Path, engine: Engine):
    run(tmp_path, engine, chain(2))
    for file in (tmp_path / "blobs").rglob("*"):
        if file.is_file():
            file.unlink()
    assert run(tmp_path, engine, chain(2)).state == "done"
    assert engine.starts == 2


def test_a_choice_that_brings_something_to_draw_asks_it_first(tmp_path: Path, engine: Engine):
    run(tmp_path, engine, REVIEWED)
    with process(tmp_path, engine) as runner:
        run_id = runner.add(REVIEWED)
        runner.start(run_id)
        assert runner.wait(run_id, 60).state == "waiting"
        assert engine.starts == 1
        review = next(node.key for node in runner.plan(run_id).plan.nodes if node.id == "pick")
        engine.stub.checkpoints = ("second", "first")  # the one in use is another now: all is drawn anew
        runner.choose(run_id, review, [1])
        runner.start(run_id)
        assert runner.wait(run_id, 60).state == "waiting"
    assert engine.starts == 2
    assert len(engine.stub.calls) == 2
