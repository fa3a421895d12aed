"""An engine is started when it is needed, leaves nothing behind, and says why where it cannot start."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import httpx
import pytest

from lib_extension.backend import engine_python as pythons
from lib_extension.backend.client import Unreachable
from lib_extension.backend.connection import to_engine
from lib_extension.backend.engine_python import engine_python
from lib_extension.backend.fingerprint import engine_fingerprint
from lib_extension.setup.environment import ELSEWHERE, ROOT, Environment


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_it_answers_until_its_connection_is_closed(temporary: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT.parent)  # a WebUI is started in its own folder
    connection = to_engine("none")()
    with httpx.Client(transport=connection.transport, base_url=connection.url, timeout=60) as client:
        assert client.get("/internal/ping").status_code == 200
    assert [file.name for file in temporary.glob("*/*")] == ["engine.log"]
    connection.close()
    assert list(temporary.iterdir()) == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{connection.url}/internal/ping", trust_env=False)


def test_one_that_cannot_start_says_why_and_its_log_can_be_read(temporary: Path):
    with pytest.raises(Unreachable, match=r"The engine ended while it started: .*nowhere") as caught:
        to_engine("nowhere")()
    log = re.search(r"all it printed is in (.+)\)", str(caught.value))
    assert log is not None
    assert "nowhere" in Path(log[1]).read_text(encoding="utf-8")


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Where the worker's environment would be, for a Python that has not what the engine needs, as a WebUI's."""
    monkeypatch.setattr(pythons, "_LEAST", {"torch": (99, 0), "no-such-package": (0, 1)})
    monkeypatch.setenv(ELSEWHERE, str(tmp_path / "worker"))
    return Environment()


def test_in_a_webui_it_runs_with_the_workers_python(worker: Environment, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", "/a/webui")
    worker.python.parent.mkdir(parents=True)
    worker.python.touch()
    (worker.folder / "atelier.json").write_text(json.dumps({"python": "3.10", "packages": {"torch": "2.13.0"}}))
    found = engine_python()
    assert (found.executable, found.packages) == (str(worker.python), ("torch-2.13.0",))
    assert found.variables["PYTHONPATH"] == str(ROOT)
    before = engine_fingerprint("demo")
    (worker.folder / "atelier.json").write_text(json.dumps({"python": "3.10", "packages": {"torch": "2.14.0"}}))
    assert "" != engine_fingerprint("demo") != before


def test_without_the_workers_environment_it_says_how_to_get_it(worker: Environment):
    with pytest.raises(Unreachable, match=r"page Jobs.*install\.py worker"):
        to_engine("none")()
    assert engine_fingerprint("demo") == ""


def test_what_is_locked_is_new_enough():
    for lock in (ROOT / "lib_extension" / "locks").glob("worker-*.txt"):
        versions = dict(re.findall(r"^([a-z-]+)==(\d+\.\d+)", lock.read_text(encoding="utf-8"), re.MULTILINE))
        for package, least in pythons._LEAST.items():
            assert tuple(map(int, versions[package].split("."))) >= least
