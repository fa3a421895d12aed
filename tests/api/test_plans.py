from __future__ import annotations

import base64
import threading
import time
from typing import Any

import pytest

from lib_extension.api.work import where
from tests.api.serving import Served
from tests.runs.stub_backend import Stub
from tests.session.rooms import DRAWING


@pytest.fixture
def recipe(server: Served) -> Any:
    told: Any = server.json("GET", "/recipes/tiny")
    return told["recipe"]


def plan(server: Served, recipe: Any, status: int = 200, **more: Any) -> Any:
    return server.json("POST", "/plan", status, json={"recipe": recipe, **more})


def line(told: Any, stage: str) -> Any:
    return next(one for one in told["stages"] if one["stage"] == stage)


def test_a_plan_tells_each_stage_in_a_line_and_why_it_runs(server: Served, stub: Stub, recipe: Any):
    told = plan(server, recipe)
    assert (told["items"], told["calls"], told["findings"], stub.calls) == (1, 1, [], [])
    assert line(told, "base") == {
        "stage": "base",
        "type": "txt2img",
        "cached": 0,
        "will_run": 1,
        "waiting": 0,
        "left_out": 0,
        "why": ["new"],
    }
    assert [line(told, stage)["waiting"] for stage in ("pick", "refine")] == [1, 1]
    run: Any = server.json("POST", "/runs", 201, json={"recipe": recipe})
    server.ended(run["id"], "waiting")
    told = plan(server, recipe)
    assert (told["calls"], line(told, "base")["cached"], told["seconds_left"]) == (0, 1, 0.0)
    recipe["stages"][0]["steps"] = 5
    told = plan(server, recipe, rows=[{"thing": "watch"}, {"thing": "ring"}])
    assert line(told, "base")["why"] == ["steps 4 → 5", "new"]
    assert told["seconds_left"] is not None, "one stage is enough to guess by"
    run = server.json("POST", "/runs", 201, json={"recipe": recipe})
    server.ended(run["id"], "waiting")
    told = plan(server, recipe, rows=[{"thing": "watch"}, {"thing": "ring"}])
    assert told["seconds_left"] is not None


def test_findings_speak_of_fields_by_their_paths(server: Served, recipe: Any):
    recipe["stages"][0]["controlnet"] = [{"module": "canny", "model": "edge", "image": "drawing"}]
    drawing: Any = server.json("POST", "/pictures", 201, content=DRAWING)
    told = plan(server, recipe, inputs={"drawing": drawing["id"]})
    (finding,) = [one for one in told["findings"] if one["severity"] == "error"]
    assert (finding["stage"], finding["field"]) == ("base", "controlnet.0.model")
    refused: Any = server.json("POST", "/runs", 422, json={"recipe": recipe, "inputs": {"drawing": drawing["id"]}})
    assert refused["error"] == "PreflightRefused"
    assert finding in refused["findings"]


@pytest.mark.parametrize(
    ("stage", "fields", "expected"),
    [
        (0, {"steps": 0}, {"stage": "base", "field": "steps"}),
        (0, {"stepz": 3}, {"stage": "base", "field": "stepz"}),
        (0, {"type": "txt2im"}, {"stage": "base", "field": "type"}),
        (0, {"controlnet": [{"weight": 9}]}, {"stage": "base", "field": "controlnet.0.weight"}),
        (0, {"controlnet": [{"module": "canny", "image": "nothing"}]}, {"stage": "base", "field": "controlnet.0.image"}),
        (0, {"hires": {"hr_scale": "x"}}, {"stage": "base", "field": "hires.hr_scale"}),
        (2, {"takes": "bas"}, {"stage": "refine", "field": "takes"}),
        (2, {"takes": []}, {"stage": "refine", "field": "takes"}),
    ],
)
def test_a_recipe_that_does_not_load_is_refused_beside_the_field(server: Served, recipe: Any, stage: int, fields: Any, expected: Any):
    recipe["stages"][stage] |= fields
    told = plan(server, recipe, 422)
    assert told["where"] == expected
    assert told["detail"]


@pytest.mark.parametrize(
    ("message", "stage", "field"),
    [
        ("stages.a.controlnet[0].model is 3; it must be text.", "a", "controlnet.0.model"),
        ("stages.a: A control has neither module nor model.", "a", ""),
        ("inputs.thing.type is 'x'; it must be one of …", "", "inputs.thing.type"),
        ("settings.stepz is a field of no stage.", "", "settings.stepz"),
        ("The recipe needs a name.", "", ""),
    ],
)
def test_where_a_message_points_to(message: str, stage: str, field: str):
    assert where(message, None) == {"stage": stage, "field": field}


def test_bodies_that_are_no_work_are_refused(server: Served, recipe: Any):
    for body in ({}, {"recipe": None}, {"recipe": []}, {"recipe": recipe, "inputs": []}, {"recipe": recipe, "rows": {}}):
        told: Any = server.json("POST", "/plan", 422, json=body)
        assert told["where"]["stage"] == ""
    plan(server, recipe, 422, row=[])
    plan(server, recipe, 422, confirm=1)
    plan(server, recipe, 422, inputs={"thin": 1})
    plan(server, recipe, 404, inputs={"drawing": "0" * 64})
    plan(server, recipe, 422, inputs={"drawing": "no picture"})
    plan(server, recipe, 413, rows=[{}] * 10_001)


def test_pictures_may_come_as_base64_in_the_recipe_too(server: Served, stub: Stub, recipe: Any):
    recipe["inputs"]["drawing"]["default"] = base64.b64encode(DRAWING).decode()
    recipe["stages"] = [{"id": "a", "type": "img2img", "takes": "drawing", "prompt": "x"}]
    run: Any = server.json("POST", "/runs", 201, json={"recipe": recipe})
    server.ended(run["id"], "done")
    assert len(stub.calls) == 1


def test_plans_that_wait_for_a_backend_keep_nobody_else_waiting(server: Served, recipe: Any, monkeypatch: pytest.MonkeyPatch):
    go_on, waited_in_vain = threading.Event(), threading.Event()

    def outlook(asked: object) -> None:
        if not go_on.wait(20):
            waited_in_vain.set()

    monkeypatch.setattr(server.session, "outlook", outlook)
    threads = [threading.Thread(target=lambda: server.client.post("/atelier/v1/plan", json={"recipe": recipe})) for _ in range(6)]
    for thread in threads:
        thread.start()
    server.json("GET", "/draft")
    server.json("GET", "/recipes")
    go_on.set()
    for thread in threads:
        thread.join()
    assert not waited_in_vain.is_set()


def test_what_failed_is_tried_once_more(server: Served, stub: Stub, recipe: Any):
    recipe["stages"] = [{"id": "base", "type": "txt2img", "prompt": "a {thing}"}, {"id": "refine", "type": "img2img", "takes": "base"}]
    recipe["rows"] = [{"thing": "ring"}, {"thing": "mug"}]
    stub.behaviour["refuse"] = 1
    run: Any = server.json("POST", "/runs", 201, json={"recipe": recipe})
    told: Any = server.ended(run["id"], "failed", "done")
    (failed,) = [stage for stage in told["stages"] if stage["state"] == "failed"]
    (done, *_) = [stage for stage in told["stages"] if stage["state"] == "done"]
    path = f"/runs/{run['id']}/retry"
    server.json("POST", path, 422, json={"key": done["key"]})
    server.json("POST", path, 404, json={"key": "nothing"})
    server.json("POST", path, 422, json={"key": 3})
    server.json("POST", path, json={"key": failed["key"]})
    server.ended(run["id"], "done")


def test_what_failed_is_tried_once_more_while_the_run_goes_on(server: Served, stub: Stub, recipe: Any):
    recipe["stages"] = [{"id": "base", "type": "txt2img", "prompt": "a {thing}"}, {"id": "refine", "type": "img2img", "takes": "base"}]
    recipe["rows"] = [{"thing": str(number)} for number in range(12)]
    stub.behaviour["refuse"], stub.delay = 2, 0.3
    run: Any = server.json("POST", "/runs", 201, json={"recipe": recipe})
    deadline = time.monotonic() + 20
    while True:
        told: Any = server.json("GET", f"/runs/{run['id']}")
        failed = [stage for stage in told["stages"] if stage["state"] == "failed"]
        if len(failed) == 2:
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert told["state"] == "running"
    server.json("POST", f"/runs/{run['id']}/retry", json={"key": failed[0]["key"]})
    ended: Any = server.ended(run["id"], "failed")
    assert [stage["key"] for stage in ended["stages"] if stage["state"] == "failed"] == [failed[1]["key"]]
    assert [stage["state"] for stage in ended["stages"]].count("left out") == 1


def test_a_picture_that_goes_in_is_looked_at_once_however_often_is_planned(server: Served, recipe: Any, monkeypatch: pytest.MonkeyPatch):
    drawing: Any = server.json("POST", "/pictures", 201, content=DRAWING)
    recipe["stages"] = [{"id": "a", "type": "img2img", "takes": "drawing", "prompt": "x"}]
    first = plan(server, recipe, inputs={"drawing": drawing["id"]})
    monkeypatch.setattr("lib_extension.session.outlook.open_picture", lambda data, what: pytest.fail("looked at again"))
    assert plan(server, recipe, inputs={"drawing": drawing["id"]}) == first
