"""Everything that our own OpenAPI says may be asked is asked, with odd values: nothing ends in a 500, and every refusal says why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis

from tests.api.serving import Served, served
from tests.openapi import ask_everything
from tests.runs.stub_backend import running_stub

EXAMPLES = 10
FOLLOWED = "/runs/{id}/events"  # a stream that goes on for as long as a run waits


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with running_stub() as stub, served(tmp_path_factory.mktemp("openapi"), stub.url) as server:
        run: Any = server.json("POST", "/recipes/tiny/runs", 201)
        server.ended(run["id"], "waiting")
        yield server


def test_nothing_ends_in_a_500(server: Served) -> None:
    document = server.client.get("/openapi.json").json()
    asked = ask_everything(document, lambda case: check(case, server), EXAMPLES)
    paths = {path.removeprefix("/atelier/v1") for path in asked}
    assert paths >= {"/draft", "/plan", "/runs", "/runs/{id}/pictures", "/masks/preview", "/rows", "/tokens", "/disk", "/gc", "/inventory"}


def check(case: schemathesis.Case, server: Served) -> None:
    sent: dict[str, Any] = {}
    if isinstance(case.body, bytes):
        sent["content"] = case.body
    elif isinstance(case.body, (dict, list, str, int, float, bool)):
        sent["json"] = case.body
    if case.path.endswith(FOLLOWED):
        with server.client.stream(case.method, case.formatted_path, params=case.query or None) as answer:
            assert answer.status_code < 500
        return
    answer = server.client.request(case.method, case.formatted_path, params=case.query or None, **sent)
    assert answer.status_code < 500, (case.method, case.formatted_path, case.query, case.body, answer.text[:500])
    assert "Traceback" not in answer.text
    if answer.status_code >= 400:
        assert {"error", "detail"} <= answer.json().keys()


def test_every_route_refuses_pages_of_other_sites(server: Served) -> None:
    paths: dict[str, Any] = server.client.get("/openapi.json").json()["paths"]
    before: Any = server.json("GET", "/draft")
    for path, methods in paths.items():
        for method in methods:
            for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"}):
                answer = server.client.request(method, path.replace("{", "").replace("}", ""), headers=headers, json={})
                assert answer.status_code == 403, (method, path, headers)
    assert server.json("GET", "/draft") == before
