"""Whatever is sent, the answer is JSON that says what is wrong, and never that the server broke."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from lib_extension.pictures.png import encode_png
from tests.api.serving import Served, served
from tests.runs.stub_backend import running_stub

VALUES = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=12
)
INPUTS = st.fixed_dictionaries(
    {},
    optional={
        "thing": JSON,
        "look": st.sampled_from(["day", "night", "noon"]) | JSON,
        "strength": st.floats() | JSON,
        "drawing": JSON,
        "rows": st.lists(st.dictionaries(st.sampled_from(["thing", "stages.base.steps", "stages.base.", "stages.x.y", ".", "place"]), JSON))
        | JSON,
        "confirm": JSON,
    },
)
FIELDS = st.sampled_from(
    ["id", "type", "takes", "prompt", "steps", "enabled", "controlnet", "loras", "mask", "scores", "settings", "alwayson", "seed", "scope"]
)
TYPES = st.sampled_from(["txt2img", "img2img", "inpaint", "mask", "upscale", "review", "sheet", "export", "composite", "control"])
STAGES = st.lists(
    st.dictionaries(FIELDS, JSON) | st.fixed_dictionaries({"id": st.just("a"), "type": TYPES}, optional={"takes": JSON}), max_size=3
)
RECIPES = st.fixed_dictionaries(
    {"stages": STAGES | JSON}, optional={"inputs": JSON, "rows": JSON, "axes": JSON, "version": JSON, "settings": JSON}
)
CHOICES = st.fixed_dictionaries(
    {"stage": st.just("pick") | JSON, "pictures": st.lists(JSON) | JSON}, optional={"item": JSON, "resume": JSON}
)
MASKS = st.recursive(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["alpha", "colour", "geometry", "upload"])}, optional={"of": JSON, "then": JSON, "shape": JSON}
    )
    | JSON,
    lambda inner: st.lists(inner, max_size=3) | st.fixed_dictionaries({"union": st.lists(inner, max_size=3)}, optional={"then": JSON}),
    max_leaves=5,
)
SMALLEST = base64.b64encode(encode_png(Image.new("RGBA", (2, 2)))).decode()
HARD = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with running_stub() as stub, served(tmp_path_factory.mktemp("malformed"), stub.url) as server:
        yield server


@pytest.fixture(scope="module")
def waiting(server: Served) -> str:
    run: Any = server.json("POST", "/recipes/tiny/runs", 201)
    server.ended(run["id"], "waiting")
    return str(run["id"])


def send(server: Served, method: str, path: str, body: bytes, kind: str = "application/json") -> None:
    answer = server.client.request(method, f"/atelier/v1{path}", content=body, headers={"Content-Type": kind})
    assert answer.status_code < 500, answer.text
    told = answer.json()
    if answer.status_code >= 400:
        assert {"error", "detail"} <= told.keys() <= {"error", "detail", "where", "findings", "draft"}
        assert isinstance(told["detail"], str)
        assert "Traceback" not in told["detail"]


def written(value: Any) -> bytes:
    """JSON as Python writes it: with NaN, and with half characters."""
    return json.dumps(value).encode()


@HARD
@given(body=INPUTS)
def test_inputs_of_any_kind(server: Served, body: Any):
    send(server, "POST", "/recipes/tiny/plan", written(body))


@settings(HARD, max_examples=20)
@given(body=INPUTS)
def test_runs_of_any_kind(server: Served, body: Any):
    send(server, "POST", "/recipes/tiny/runs", written(body))


@HARD
@given(body=RECIPES)
def test_recipes_of_any_kind(server: Served, body: Any):
    send(server, "PUT", "/recipes/mine", written(body))


@HARD
@given(recipe=RECIPES, inputs=INPUTS)
def test_edited_recipes_of_any_kind(server: Served, recipe: Any, inputs: Any):
    send(server, "POST", "/plan", written({"recipe": {"name": "x", **recipe}, "inputs": inputs}))
    send(server, "POST", "/restore", written({"name": "x", **recipe}))


@HARD
@given(
    body=st.fixed_dictionaries({"revision": st.integers(0, 3) | JSON, "recipe": RECIPES | JSON}, optional={"inputs": JSON, "base": JSON})
)
def test_drafts_of_any_kind(server: Served, body: Any):
    send(server, "PUT", "/draft", written(body))


@HARD
@given(mask=MASKS, others=JSON)
def test_masks_of_any_kind(server: Served, mask: Any, others: Any):
    send(server, "POST", "/masks/preview", written({"mask": mask, "picture": SMALLEST, "others": others}))


@HARD
@given(body=CHOICES)
def test_choices_of_any_kind(server: Served, waiting: str, body: Any):
    send(server, "POST", f"/runs/{waiting}/choose", written(body))


@HARD
@given(body=st.binary(max_size=40))
@example(b"[" * 100_000)
@example(b'{"rows":' * 30 + b"1" + b"}" * 30)
@example(b'{"thing": ' + b"9" * 5000 + b"}")
@example(b'{"thing": 1e999}')
@example(b'{"thing": "\\ud800"}')
@example(b'{"strength": NaN}')
@example(b'\xff\xfe{"thing": 1}')
@example(b"PK\x05\x06" + b"\0" * 18)
@example(b"\x89PNG\r\n\x1a\n")
def test_bytes_of_any_kind(server: Served, waiting: str, body: bytes):
    for path in ("/recipes/tiny/plan", f"/runs/{waiting}/choose", "/pictures", "/lineage", "/plan", "/restore", "/rows", "/tokens", "/gc"):
        send(server, "POST", path, body)
    send(server, "POST", "/pictures", body, "image/png")
    send(server, "POST", "/lineage", body, "image/png")
    send(server, "PUT", "/recipes/mine", body)
    send(server, "PUT", "/recipes/mine", body, "application/zip")


@HARD
@given(name=st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
@example("%00")
@example("..")
@example("a/b")
def test_names_of_any_kind(server: Served, name: str):
    for path in ("/recipes/{}", "/recipes/{}/plan", "/runs/{}", "/runs/{}/cancel", "/runs/{}/events", "/pictures/{}.png", "/{}"):
        method = "POST" if path.endswith(("plan", "cancel")) else "GET"
        answer = server.client.request(method, f"/atelier/v1{path.format(quote(name, safe=''))}")
        assert answer.status_code < 500, answer.text
