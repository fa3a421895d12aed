from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from lib_extension.api import event_routes
from tests.api.serving import Served
from tests.runs.stub_backend import Stub


def blocks(answer: httpx.Response) -> Iterator[dict[str, str]]:
    """The events of a stream, as they come."""
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield fields
            fields = {}


def test_events_come_as_they_happen_even_to_who_takes_gzip(server: Served, stub: Stub):
    stub.delay = 0.5
    run: Any = server.json("POST", "/recipes/tiny/runs", 201)
    with server.client.stream("GET", f"/atelier/v1/runs/{run['id']}/events", headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["content-encoding"] == "identity"
        assert answer.headers["content-type"].startswith("text/event-stream")
        came: list[tuple[float, str]] = []
        for block in blocks(answer):
            if "event" in block:
                came.append((time.monotonic(), block["event"]))
                told = json.loads(block["data"])
                assert (told["kind"], str(told["id"])) == (block["event"], block["id"])
                if told.get("state") == "waiting":
                    break
    kinds = [kind for _, kind in came]
    assert kinds[0] == "state"
    assert {"planned", "started", "finished", "review"} <= set(kinds)
    started = next(at for at, kind in came if kind == "started")
    finished = next(at for at, kind in came if kind == "finished")
    assert finished - started > 0.2  # not all at the end


def test_a_client_goes_on_after_the_last_event_that_it_had_and_the_stream_ends_with_the_run(server: Served):
    run: Any = server.json("POST", "/recipes/tiny/runs", 201)
    server.ended(run["id"], "waiting")
    server.json("POST", f"/runs/{run['id']}/cancel")
    server.ended(run["id"], "cancelled")
    path = f"/atelier/v1/runs/{run['id']}/events"
    with server.client.stream("GET", path) as answer:
        every = [block for block in blocks(answer) if "id" in block]
    middle = every[len(every) // 2]["id"]
    for more in ({"headers": {"Last-Event-ID": middle}}, {"params": {"after": middle}}):
        with server.client.stream("GET", path, **more) as answer:  # pyright: ignore[reportArgumentType]
            rest = [block for block in blocks(answer) if "id" in block]
        assert rest == [block for block in every if int(block["id"]) > int(middle)]
    server.json("GET", f"/runs/{run['id']}/events", 422, headers={"Last-Event-ID": "x"})


def test_silence_is_broken_by_a_heartbeat(server: Served, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(event_routes, "HEARTBEAT", 0.2)
    run: Any = server.json("POST", "/recipes/tiny/runs", 201)
    server.ended(run["id"], "waiting")
    with server.client.stream("GET", f"/atelier/v1/runs/{run['id']}/events") as answer:
        assert any(line == ": still here" for line in answer.iter_lines())


def test_the_stream_of_a_run_whose_process_was_killed_ends(server: Served, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(event_routes, "HEARTBEAT", 0.2)
    run: Any = server.json("POST", "/recipes/tiny/runs", 201)
    server.ended(run["id"], "waiting")
    server.session.ledger.runs.set_state(run["id"], "running")  # as it stands when its process was killed
    with server.client.stream("GET", f"/atelier/v1/runs/{run['id']}/events") as answer:
        last = [json.loads(block["data"]) for block in blocks(answer) if "data" in block][-1]
    assert (last["state"], "resume it" in last["message"]) == ("failed", True)
    assert server.json("GET", f"/runs/{run['id']}")["state"] == "failed"  # pyright: ignore[reportIndexIssue, reportCallIssue, reportArgumentType]
