"""What keys know of files of which a WebUI tells but the name, and of the networks of the engine that helps it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lib_extension.backend.backend import Backend
from lib_extension.backend.connection import Connection
from lib_extension.backend.local_files import LocalFiles
from lib_extension.backend.pool import Pool
from lib_extension.plan.graph import Facts, Plan
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.surroundings import Surroundings, inventories_of
from tests.backend.asked import backend_over
from tests.backend.misbehaving import Misbehaving
from tests.runs.stub_backend import running_stub

NOTHING = Plan((), (), (), (), (), ())


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.db")
    yield opened
    opened.close()


@pytest.fixture
def webui() -> Backend:
    """One that lists the VAE "soft.safetensors"."""
    app = Misbehaving()
    app.lists["/sdapi/v1/sd-vae"] = {"status": 200, "response": [{"model_name": "soft.safetensors", "filename": "x"}]}
    return backend_over(app)


def identities(ledger: Ledger, pool: Pool, *files: tuple[str, str]) -> list[str]:
    """As a plan that names these files would have them, after the backends were asked."""
    told: list[str] = []

    def make(facts: Facts) -> Plan:
        assert callable(facts.identities)
        told[:] = [facts.identities(*file) for file in files]
        return NOTHING

    Surroundings(ledger, pool).plan(make, Facts())
    return told


def test_an_overwritten_file_on_this_machine_is_another(ledger: Ledger, webui: Backend, tmp_path: Path):
    vae = tmp_path / "models/VAE/soft.safetensors"
    upscaler = tmp_path / "models/ESRGAN/R-ESRGAN 4x+.pth"
    for file in (vae, upscaler):
        file.parent.mkdir(parents=True)
        file.write_bytes(b"1")
    asked = ("vae", "soft.safetensors"), ("upscaler", "R-ESRGAN 4x+"), ("upscaler", "Lanczos")
    assert identities(ledger, Pool([webui]), *asked) == [name for _, name in asked]
    before = identities(ledger, Pool([webui], files=LocalFiles(tmp_path / "models")), *asked)
    assert before == identities(ledger, Pool([webui], files=LocalFiles(tmp_path / "models")), *asked)
    assert before[2] == "Lanczos"
    vae.write_bytes(b"2")
    os.utime(vae, ns=(5, 5))
    upscaler.write_bytes(b"333")
    after = identities(ledger, Pool([webui], files=LocalFiles(tmp_path / "models")), *asked)
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, False, True]
    assert identities(ledger, Pool([webui], files=LocalFiles(tmp_path / "models")), ("vae", "../../ledger.db")) == [""]


def test_the_helpers_networks_count_and_it_sleeps_while_it_stays_what_it_was(ledger: Ledger, webui: Backend):
    started: list[str] = []
    with running_stub() as stub:

        def connect() -> Connection:
            started.append(stub.url)
            return Connection(stub.url, httpx.HTTPTransport())

        def helper(fingerprint: str) -> Backend:
            return Backend("engine:none", connect, lambda: fingerprint)

        pool = Pool([webui], helper("1"))
        assert identities(ledger, pool, ("vae", "soft.safetensors")) == ["soft.safetensors"]
        assert started == [], "nothing was to be found in pictures"
        assert [one.networks for one in inventories_of(ledger, pool)] == [()]
        assert identities(ledger, pool, ("network", "parts/parts")) == ["0123456789ab"]
        assert identities(ledger, Pool([webui], helper("1")), ("network", "parts/parts")) == ["0123456789ab"]
        assert len(started) == 1
        assert [[network.name for network in one.networks] for one in inventories_of(ledger, pool)] == [["parts/parts"]]
        stub.networks = {"parts/parts": "ba9876543210"}
        changed = Pool([webui], helper("2"))
        assert [one.networks for one in inventories_of(ledger, changed)] == [()], "what it has now is not known"
        assert identities(ledger, changed, ("network", "parts/parts")) == ["ba9876543210"]
        assert len(started) == 2
        for used in (pool, changed):
            used.close()


def test_an_engine_among_the_backends_needs_no_helper(ledger: Ledger):
    def refuse() -> Connection:
        raise AssertionError("nobody needs it")

    with running_stub() as stub:
        engine = Backend(stub.url, lambda: Connection(stub.url, httpx.HTTPTransport()))
        assert identities(ledger, Pool([engine], Backend("engine:none", refuse)), ("network", "parts/parts")) == ["0123456789ab"]
        engine.close()
