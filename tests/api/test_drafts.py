from __future__ import annotations

import io
import json
import threading
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from lib_extension.pictures.png import encode_png
from tests.api.serving import Served
from tests.runs.stub_backend import Stub
from tests.session.rooms import DRAWING

NONE: dict[str, Any] = {"revision": 0, "recipe": None, "inputs": {}, "base": "", "changed": False}


def recipe_of(server: Served, name: str = "tiny") -> Any:
    told: Any = server.json("GET", f"/recipes/{name}")
    return told["recipe"]


def kept(server: Served, revision: int, recipe: Any, status: int = 200, **more: Any) -> Any:
    return server.json("PUT", "/draft", status, json={"revision": revision, "recipe": recipe, **more})


def test_the_draft_is_kept_whether_it_can_be_planned_or_not(server: Served):
    assert server.json("GET", "/draft") == NONE
    draft = {"name": "half", "stages": [{"id": "a", "type": "txt2im"}]}
    assert kept(server, 0, draft, inputs={"x": 1}) == {**NONE, "revision": 1, "recipe": draft, "inputs": {"x": 1}, "changed": True}
    assert server.json("GET", "/draft") == {**NONE, "revision": 1, "recipe": draft, "inputs": {"x": 1}, "changed": True}


def test_who_edits_what_was_edited_elsewhere_is_told_of_it(server: Served):
    kept(server, 0, {"name": "one"})
    refused = kept(server, 0, {"name": "two"}, 409)
    assert (refused["error"], refused["draft"]["recipe"], refused["draft"]["revision"]) == ("Stale", {"name": "one"}, 1)
    assert kept(server, refused["draft"]["revision"], {"name": "two"})["revision"] == 2


def test_of_many_who_edit_at_once_each_revision_has_one_winner(server: Served):
    kept(server, 0, {"name": "first"})
    answers: list[int] = []

    def edit(name: str) -> None:
        answer = server.client.put("/atelier/v1/draft", json={"revision": 1, "recipe": {"name": name}})
        answers.append(answer.status_code)

    threads = [threading.Thread(target=edit, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [409] * 7


def test_a_recipe_that_is_opened_is_unchanged_until_it_is_edited(server: Served):
    recipe = recipe_of(server)
    assert not kept(server, 0, recipe, base="tiny")["changed"]
    assert recipe["settings"]["steps"] == 4  # shared settings are where they were written
    recipe["settings"]["steps"] = 5
    assert kept(server, 1, recipe, base="tiny")["changed"]
    assert kept(server, 2, recipe_of(server), base="tiny", inputs={"thing": "mug"})["changed"]
    assert kept(server, 3, recipe_of(server), base="gone")["changed"]


def test_a_recipe_comes_with_its_pictures_as_ids_and_goes_back_so(server: Served):
    uploaded: Any = server.json("POST", "/pictures", 201, content=DRAWING)
    recipe = recipe_of(server)
    recipe["inputs"]["drawing"]["default"] = uploaded["id"]
    recipe["rows"] = [{"drawing": uploaded["id"], "thing": "mug"}]
    server.json("PUT", "/recipes/mine", json={**recipe, "name": "mine"})
    again = recipe_of(server, "mine")
    assert again == {**recipe, "name": "mine"}
    packed = server.client.get("/atelier/v1/recipes/mine", headers={"Accept": "application/zip"}).content
    restored: Any = server.json("POST", "/restore", content=packed)
    assert (restored["recipe"], restored["inputs"], restored["run"]) == ({**recipe, "name": "mine"}, {}, "")


def test_a_damaged_draft_is_none(server: Served):
    for damaged in (b"", b"{", b"[]", b'{"revision": 1}', b"\xff"):
        server.session.home.draft.write_bytes(damaged)
        assert server.json("GET", "/draft") == NONE
    assert kept(server, 7, {"name": "again"})["revision"] == 8


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"revision": "1"},
        {"revision": True},
        {"revision": -1},
        {"revision": 1, "recipe": []},
        {"revision": 1, "inputs": []},
        {"revision": 1, "base": {}},
        {"revision": 1, "recip": {}},
        {"revision": float("inf")},
    ],
)
def test_what_is_no_draft_is_refused(server: Served, body: Any):
    told: Any = server.json("PUT", "/draft", 422, content=json.dumps(body).encode())
    assert told.keys() == {"error", "detail"}


def test_a_draft_that_is_too_large_is_refused(server: Served):
    server.json("PUT", "/draft", 413, content=b'{"revision": 0, "recipe": {"about": "' + b"x" * (17 * 2**20) + b'"}}')


def test_a_picture_of_ours_becomes_its_recipe_again_and_that_is_there_already(server: Served, stub: Stub):
    run: Any = server.json("POST", "/runs", 201, json={"recipe": recipe_of(server), "inputs": {"thing": "ring", "drawing": None}})
    server.ended(run["id"], "waiting")
    pictures: Any = server.json("GET", f"/runs/{run['id']}/pictures")
    data = server.client.get(f"/atelier/v1/pictures/{pictures[0]['id']}").content
    restored: Any = server.json("POST", "/restore", content=data)
    assert (restored["run"], restored["recipe"]["inputs"]["thing"]["default"]) == (run["id"], "ring")
    assert restored["stage"] in ("base", "pick")
    plan: Any = server.json("POST", "/plan", json={"recipe": restored["recipe"], "inputs": restored["inputs"]})
    assert plan["calls"] == 0


def test_a_webui_picture_becomes_a_recipe_of_one_stage(server: Served):
    text = (
        "a {ring} on a table\nNegative prompt: blurry\nSteps: 12, Sampler: Euler, Schedule type: Karras, CFG scale: 6.5, Seed: 5, "
        "Size: 64x128, Model hash: 1234567890, Model: first, Clip skip: 2, Some script: yes, Version: v1.10.1"
    )
    restored: Any = server.json("POST", "/restore", content=encode_png(Image.new("RGB", (64, 128)), text))
    (stage,) = restored["recipe"]["stages"]
    assert stage == {
        "id": "base",
        "type": "txt2img",
        "scheduler": "Karras",
        "prompt": "a {{ring}} on a table",
        "negative_prompt": "blurry",
        "steps": 12,
        "sampler_name": "Euler",
        "cfg_scale": 6.5,
        "seed": 5,
        "width": 64,
        "height": 128,
        "checkpoint": "first",
        "clip_skip": 2,
    }
    assert "Some script" in restored["notice"]
    plan: Any = server.json("POST", "/plan", json={"recipe": restored["recipe"]})
    assert (plan["calls"], [one for one in plan["findings"] if one["severity"] == "error"]) == (1, [])


def test_files_that_tell_no_recipe_are_refused_with_what_is_wrong(server: Served):
    plain = io.BytesIO()
    Image.new("RGB", (8, 8)).save(plain, "JPEG")
    chunk = PngImagePlugin.PngInfo()
    chunk.add_text("atelier", "{broken")
    broken = io.BytesIO()
    Image.new("RGB", (8, 8)).save(broken, "PNG", pnginfo=chunk)
    for data, status, word in (
        (plain.getvalue(), 404, "tells neither"),
        (broken.getvalue(), 422, "damaged"),
        (b"PK\x03\x04", 422, "zip"),
        (b"", 422, "recipe"),
        (b"just: text", 422, ""),
        (b'{"name": "x", "rows_file": "/etc/passwd", "stages": [{"id": "a", "type": "txt2img"}]}', 422, "not in it"),
        (b"\xff\x00\x12", 422, ""),
    ):
        told: Any = server.json("POST", "/restore", status, content=data)
        assert word in told["detail"]
