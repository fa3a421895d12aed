from __future__ import annotations

import base64
from typing import Any

import pytest
from PIL import Image

from lib_extension.pictures.png import encode_png, open_picture
from tests.api.serving import Served
from tests.runs.stub_backend import Stub
from tests.session.rooms import DRAWING


@pytest.fixture
def ring(server: Served) -> str:
    """The id of a picture whose left half is opaque."""
    image = Image.new("RGBA", (64, 32))
    image.paste((200, 30, 30, 255), (0, 0, 32, 32))
    told: Any = server.json("POST", "/pictures", 201, content=encode_png(image))
    return told["id"]


def show(server: Served, status: int = 200, **body: Any) -> Any:
    return server.json("POST", "/masks/preview", status, json=body)


def test_a_mask_is_shown_as_a_run_would_make_it(server: Served, ring: str):
    told = show(server, mask={"kind": "alpha"}, picture=ring)
    assert (told["area"], told["reason"]) == (0.5, "")
    mask = open_picture(server.client.get(f"/atelier/v1/pictures/{told['picture']}").content, what="it")
    assert (mask.mode, mask.getbbox()) == ("L", (0, 0, 32, 32))
    inverted = show(server, mask={"kind": "alpha", "then": [{"invert": True}]}, picture=ring)
    assert inverted["area"] == 0.5
    assert inverted["picture"] != told["picture"]
    both = show(server, mask=[{"kind": "alpha"}, {"kind": "geometry", "rectangles": [[32, 0, 48, 32]]}], picture=ring)
    assert both["area"] == 0.75
    nothing = show(server, mask={"kind": "colour", "colour": "lime"}, picture=ring)
    assert nothing == {"picture": None, "area": 0.0, "reason": "Nothing was found to choose."}


def test_a_mask_that_needs_a_network_asks_the_engine(server: Served, stub: Stub):
    drawing = base64.b64encode(DRAWING).decode()
    told = show(server, mask={"kind": "parts", "parts": ["object"]}, picture=drawing)
    assert [path for path, _ in stub.calls] == ["/atelier-engine/v1/mask"]
    assert told["picture"]
    assert 0 < told["area"] < 1


def test_other_pictures_are_named_as_in_a_stage(server: Served, ring: str):
    painted = encode_png(Image.new("L", (64, 32), 255))
    mask = {"kind": "upload", "of": "painted"}
    told = show(server, mask=mask, picture=ring, others={"painted": base64.b64encode(painted).decode()})
    assert told["area"] == 1.0
    assert show(server, mask="painted", picture=ring, others={"painted": ring})["area"] == 0.5
    refused = show(server, 422, mask=mask, picture=ring)
    assert '"painted", whose picture is not there yet' in refused["detail"]


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({}, 422, "picture"),
        ({"mask": {"kind": "alpha"}}, 422, "picture"),
        ({"mask": {"kind": "alpha"}, "picture": 3}, 422, "picture"),
        ({"mask": {"kind": "alpha"}, "picture": "0" * 64}, 404, "no picture"),
        ({"mask": {"kind": "alfa"}, "picture": "RING"}, 422, 'Did you mean "alpha"'),
        ({"mask": None, "picture": "RING"}, 422, "mask"),
        ({"mask": "", "picture": "RING"}, 422, "mask"),
        ({"mask": [], "picture": "RING"}, 422, "mask"),
        ({"mask": {"kind": "geometry", "shape": "cells"}, "picture": "RING"}, 422, "no cells"),
        ({"mask": {"kind": "alpha"}, "picture": "RING", "others": []}, 422, "others"),
        ({"mask": {"kind": "alpha"}, "picture": "RING", "others": {"a": None}}, 422, "others.a"),
        ({"mask": {"kind": "alpha"}, "pictur": "RING"}, 422, 'Did you mean "picture"'),
    ],
)
def test_what_is_no_mask_is_refused(server: Served, ring: str, body: Any, status: int, word: str):
    body = {name: ring if value == "RING" else value for name, value in body.items()}
    assert word in show(server, status, **body)["detail"]


def test_rows_come_from_csv_and_json(server: Served):
    csv = "product;stages.base.steps\nwatch;20\nmug;\n".encode("utf-8-sig")
    told: Any = server.json("POST", "/rows", content=csv, headers={"Content-Type": "text/csv"})
    assert told == {
        "columns": ["product", "stages.base.steps"],
        "rows": [{"product": "watch", "stages.base.steps": 20}, {"product": "mug"}],
    }
    told = server.json("POST", "/rows", content=b' [{"a": 1}, {"b": "x"}]', headers={"Content-Type": "text/plain"})
    assert told == {"columns": ["a", "b"], "rows": [{"a": 1}, {"b": "x"}]}
    for wrong in (b"", b"{}", b"[1]", b"[", b"a,a\n1,2\n", b"\xff\xfe\x00", b'[{"a": NaN}]'):
        server.json("POST", "/rows", 422, content=wrong)
    server.json("POST", "/rows", 413, content=b"a\n" + b"x\n" * 11_000_000)


def test_tokens_are_counted_as_the_encoder_reads_them(server: Served):
    assert server.json("POST", "/tokens", json={"text": "a red watch"}) == {"tokens": 3, "chunks": 1, "limit": 75}
    assert server.json("POST", "/tokens", json={"text": "(a red watch:1.2) <lora:x:0.8>"}) == {"tokens": 3, "chunks": 1, "limit": 75}
    long: Any = server.json("POST", "/tokens", json={"text": "watch " * 80})
    assert long == {"tokens": 80, "chunks": 2, "limit": 150}
    for wrong in ({}, {"text": 3}, {"text": "x" * 100_001}):
        server.json("POST", "/tokens", 422, json=wrong)
