"""Are jobs and the worker's environment told, begun and ended by their routes?"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib_extension.jobs import Jobs
from lib_extension.jobs.kinds import WorkerSettings
from lib_extension.spec.settings import json_schema
from tests.api.serving import Served, served
from tests.jobs.programs import KINDS
from tests.runs.stub_backend import Stub


@pytest.fixture
def server(tmp_path: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """With a worker's environment of its own, and no index to make it from."""
    monkeypatch.setenv("ATELIER_WORKER", str(tmp_path / "worker"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    for name, value in (("PIP_CONFIG_FILE", "/dev/null"), ("PIP_FIND_LINKS", ""), ("PIP_RETRIES", "0")):
        monkeypatch.setenv(name, value)
    with served(tmp_path, stub.url) as server:
        yield server
        jobs_of(server).close()


def jobs_of(server: Served) -> Jobs:
    from lib_extension.jobs import jobs_at

    return jobs_at(server.session.home.jobs)


def ended(server: Served, id: str) -> dict[str, object]:
    deadline = time.monotonic() + 60
    while True:
        told = server.json("GET", f"/jobs/{id}")
        assert isinstance(told, dict)
        if told["state"] not in ("queued", "running"):
            return told
        assert time.monotonic() < deadline, told
        time.sleep(0.1)


def test_torch_comes_from_the_index_that_the_settings_name(server: Served, monkeypatch: pytest.MonkeyPatch):
    assert server.json("GET", "/worker")["has_index"] is False  # pyright: ignore[reportIndexIssue,reportCallIssue]
    monkeypatch.setenv("ATELIER_TORCH_INDEX", "http://127.0.0.1:9/mirror")
    assert server.json("GET", "/worker")["has_index"] is True  # pyright: ignore[reportIndexIssue,reportCallIssue]
    for torch, index in (("", "http://127.0.0.1:9/mirror"), ("cpu", "https://download.pytorch.org/whl/cpu")):
        told = ended(server, server.json("POST", "/worker/make", 201, json={"torch": torch})["id"])  # pyright: ignore
        assert any(str(line).startswith("Installing torch==") and str(line).endswith(f" from {index}") for line in told["lines"])  # pyright: ignore


def test_an_environment_that_cannot_be_made_is_a_job_that_says_why(server: Served):
    before = server.json("GET", "/worker")
    assert isinstance(before, dict)
    assert (before["state"], before["made"], before["size"], before["in_use"]) == ("none", False, 0, False)
    assert before["builds"]["cpu"] >= 3_000_000_000
    added = server.json("POST", "/worker/make", 201, json={})
    assert isinstance(added, dict)
    assert added["title"] == "Make the worker's environment"
    told = ended(server, added["id"])
    assert told["state"] == "failed"
    assert str(told["problem"]).startswith("The package index cannot be reached")
    assert str(told["lines"][0]).startswith("Making the environment")  # pyright: ignore[reportIndexIssue]
    assert server.json("GET", "/worker")["state"] == "half made"  # pyright: ignore[reportIndexIssue,reportCallIssue]

    with server.client.stream("GET", f"/atelier/v1/jobs/{added['id']}/events") as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        text = events.read().decode()
    ids = [line for line in text.splitlines() if line.startswith("id: ")]
    assert ids[-1] == f"id: {told['place']}"
    last = json.loads([line for line in text.splitlines() if line.startswith("data: ")][-1][len("data: ") :])
    assert last["state"] == "failed"
    with server.client.stream("GET", f"/atelier/v1/jobs/{added['id']}/events", params={"after": str(told["place"])}) as events:
        assert "lines" not in events.read().decode(), "what is known is not told again"

    removed = server.json("POST", "/worker/remove", 201)
    assert ended(server, removed["id"])["state"] == "done"  # pyright: ignore[reportIndexIssue,reportCallIssue]
    assert [job["state"] for job in server.json("GET", "/jobs")] == ["done", "failed"]  # pyright: ignore[reportGeneralTypeIssues]
    assert server.client.delete(f"/atelier/v1/jobs/{added['id']}").status_code == 204
    server.json("GET", f"/jobs/{added['id']}", 404)


def test_the_schema_of_every_kind_of_job_is_told(server: Served):
    told = server.json("GET", "/jobs/kinds")
    assert isinstance(told, dict)
    assert told.keys() == jobs_of(server).kinds.keys()
    assert told["worker"] == json_schema(WorkerSettings)


def test_what_it_runs_in_itself_is_not_changed(server: Served, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "prefix", str(jobs_of(server).environment.folder))
    for action in ("make", "update", "remove"):
        refused = server.json("POST", f"/worker/{action}", 409)
        assert "python3 install.py worker" in refused["detail"]  # pyright: ignore[reportIndexIssue,reportCallIssue]
    assert server.json("GET", "/jobs") == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/worker/make", {"torch": "https://evil.example/simple"}),
        ("/worker/make", {"torch": "cu128/../../../evil"}),
        ("/worker/make", {"torch": 3}),
        ("/worker/make", {"folder": "/"}),
        ("/jobs", {"kind": "worker", "config": {"action": "make", "torch": "--index-url=x"}}),
        ("/jobs", {"kind": "worker", "config": {"action": "destroy"}}),
        ("/jobs", {"kind": "shell", "config": {"command": "ls"}}),
        ("/jobs", {"kind": "worker", "config": []}),
        ("/jobs", {"kind": "worker", "config": {"action": "make"}, "python": "/bin/sh"}),
        ("/jobs", {}),
    ],
)
def test_nothing_but_what_is_known_is_begun(server: Served, path: str, body: dict[str, object]):
    refused = server.json("POST", path, 422, json=body)
    assert refused["error"] == "BadRequest"  # pyright: ignore[reportIndexIssue,reportCallIssue]
    assert server.json("GET", "/jobs") == []


@pytest.mark.parametrize("after", ["x", "1", "-1-2", "1-2-3", "9" * 20 + "-0"])
def test_a_place_that_is_none_is_refused(server: Served, after: str):
    jobs = jobs_of(server)
    jobs.kinds = KINDS
    id = jobs.add("program", {"does": "learn"}).id
    server.json("GET", f"/jobs/{id}/events?after={after}", 422)


def test_pictures_are_handed_out_and_nothing_else(server: Served):
    jobs = jobs_of(server)
    jobs.kinds = KINDS
    id = jobs.add("program", {"does": "learn"}).id
    told = ended(server, id)
    assert told["pictures"] == [{"file": "sample.png", "title": "step 3"}]
    assert told["points"] == {"loss": [[1, 1], [2, 0.5], [3, 1 / 3]]}
    answer = server.client.get(f"/atelier/v1/jobs/{id}/files/sample.png")
    assert (answer.content, answer.headers["content-type"]) == (b"\x89PNG", "image/png")
    (jobs.folder(id) / "files" / "page.html").write_text("<script>")
    page = server.client.get(f"/atelier/v1/jobs/{id}/files/page.html")
    assert page.headers["content-security-policy"].startswith("sandbox; default-src 'none';"), "a page of a job can do nothing"
    (jobs.folder(id) / "files" / "page.svg").write_text("<script>")
    for name in ("page.svg", "..%2Fconfig.json", "%2e%2e/state.json", "none.png"):
        server.json("GET", f"/jobs/{id}/files/{name}", 404)
