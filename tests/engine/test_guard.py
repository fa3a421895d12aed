"""The door: credentials, web sites, names."""

from __future__ import annotations

import base64
import json

import pytest
from starlette.datastructures import Headers

from lib_extension.engine.answers import WebuiAnswer, body_of
from lib_extension.engine.guard import Rules, check_credentials, check_origin
from tests.engine.replay.recordings import FOLDER

LENIENT = Rules(("me:secret",), lenient=True)
STRICT = Rules(("other:x", "me:secret"))
MATRIX = json.loads((FOLDER / "auth-matrix.json").read_text("utf-8"))


def basic(text: str) -> Headers:
    return Headers({"Authorization": "Basic " + base64.b64encode(text.encode()).decode()})


def answer(rules: Rules, path: str, headers: Headers) -> object:
    """200, or what the WebUI's matrix has for a refusal."""
    try:
        check_credentials(rules, path, headers)
    except WebuiAnswer as error:
        return {"status": error.status, "body": body_of(error)}
    return 200


@pytest.mark.parametrize(
    ("row", "headers"),
    [
        ("--api --api-auth me:secret, no credentials", Headers()),
        ("--api --api-auth me:secret, Basic me:secret", basic("me:secret")),
        ("--api --api-auth me:secret, Basic me:wrong", basic("me:wrong")),
    ],
)
def test_lenient_asks_where_the_webui_asks(row: str, headers: Headers) -> None:
    for call, recorded in MATRIX[row].items():
        path = call.split()[1]
        if isinstance(recorded, dict):
            recorded = {"status": recorded["status"], "body": recorded["body"]}
        assert answer(LENIENT, path, headers) == recorded, call


@pytest.mark.parametrize(
    "path", ["/sdapi/v1/loras", "/controlnet/version", "/atelier-engine/v1/tags", "/internal/progress", "/openapi.json"]
)
def test_strict_asks_everywhere(path: str) -> None:
    assert answer(STRICT, path, Headers()) != 200
    assert answer(STRICT, path, basic("me:secret")) == 200
    assert answer(STRICT, path, basic("other:x")) == 200
    assert answer(STRICT, path, basic("me:")) != 200
    assert answer(STRICT, "/internal/ping", Headers()) == 200


@pytest.mark.parametrize("text", ["Basic", "Basic !!!", "Bearer abc", "Basic YQ==", ""])
def test_broken_credentials_are_refused(text: str) -> None:
    assert answer(STRICT, "/sdapi/v1/options", Headers({"Authorization": text})) != 200


def test_without_credentials_nobody_is_asked() -> None:
    assert answer(Rules(), "/sdapi/v1/options", Headers()) == 200


@pytest.mark.parametrize(
    ("headers", "loopback_only", "allowed"),
    [
        ({"host": "127.0.0.1:7870"}, True, True),
        ({"host": "localhost"}, True, True),
        ({"host": "[::1]:7870"}, True, True),
        ({"host": "rebound.example:7870"}, True, False),
        ({"host": "rebound.example:7870"}, False, True),
        ({"host": "127.0.0.1", "origin": "http://127.0.0.1:7860"}, True, True),
        ({"host": "127.0.0.1", "origin": "https://evil.example"}, True, False),
        ({"host": "127.0.0.1", "origin": "http://127.0.0.1.evil.example"}, True, False),
        ({"host": "127.0.0.1", "origin": "null"}, True, False),
        ({"host": "box.lan:7870", "origin": "http://box.lan:7860"}, False, True),
    ],
)
def test_web_pages_of_others_do_not_get_in(headers: dict[str, str], loopback_only: bool, allowed: bool) -> None:
    rules = Rules(loopback_only=loopback_only)
    if allowed:
        check_origin(rules, Headers(headers))
    else:
        with pytest.raises(WebuiAnswer) as caught:
            check_origin(rules, Headers(headers))
        assert caught.value.status == 403
