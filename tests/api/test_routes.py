from __future__ import annotations

import base64
import io
import json
import re
import shutil
import socket
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_extension.api import router
from lib_extension.api.forms import OPTIONS
from lib_extension.pictures.png import open_picture
from lib_extension.spec.recipe import BESIDE_INPUTS
from tests.api.serving import Served, served
from tests.pictures.test_png import png
from tests.runs.stub_backend import Stub
from tests.session.rooms import DRAWING


def test_a_run_from_its_named_inputs_over_a_choice_to_its_pictures(server: Served, stub: Stub):
    run: Any = server.json("POST", "/recipes/tiny/runs", 201, json={"thing": "ring", "look": "night", "strength": 0.3})
    waiting: Any = server.ended(run["id"], "waiting")
    assert stub.bodies[0]["prompt"] == "a ring by night"
    (review,) = waiting["reviews"]
    assert [picture["number"] for picture in review["pictures"]] == [1, 2]
    server.json("POST", f"/runs/{run['id']}/choose", json={"stage": "pick", "pictures": [review["pictures"][1]["hash"]]})
    done: Any = server.ended(run["id"], "done")
    assert stub.bodies[-1]["denoising_strength"] == 0.3
    (picture,) = done["stages"][-1]["pictures"]
    answer = server.client.get(f"/atelier/v1/pictures/{picture}.png")
    assert answer.headers["content-type"] == "image/png"
    assert open_picture(answer.content, what="it").size == (64, 64)
    small = server.client.get(f"/atelier/v1/pictures/{picture}.png", params={"side": 16})
    assert open_picture(small.content, what="it").size == (16, 16)
    assert server.client.get(f"/atelier/v1/pictures/{picture}.png", headers={"If-None-Match": f'"{picture}"'}).status_code == 304
    told: Any = server.json("POST", "/lineage", content=answer.content)
    assert (told["stage"], told["values"]["thing"]) == ("refine", "ring")


def test_openapi_tells_the_inputs_of_each_recipe_with_their_types(server: Served):
    paths = server.client.get("/openapi.json").json()["paths"]
    schema = paths["/atelier/v1/recipes/tiny/runs"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["thing"] == {"title": "Thing", "type": "string", "default": "watch"}
    assert schema["properties"]["look"] == {"type": "string", "enum": ["day", "night"], "default": "day"}
    assert schema["properties"]["strength"] == {"type": "number", "minimum": 0, "maximum": 1, "default": 0.4}
    assert schema["properties"]["drawing"]["type"] == "string"
    assert schema["properties"]["rows"]["type"] == "array"
    assert schema["additionalProperties"] is False


def test_openapi_tells_recipes_that_were_saved_or_deleted_meanwhile(server: Served):
    def inputs(name: str) -> dict[str, Any]:
        paths = server.client.get("/openapi.json").json()["paths"]
        path = f"/atelier/v1/recipes/{name}/runs"
        if path not in paths:
            return {}
        operation = paths[path]["post"]
        assert (operation["operationId"], "201" in operation["responses"], "parameters" in operation) == (f"runs_of_{name}", True, False)
        return operation["requestBody"]["content"]["application/json"]["schema"]["properties"]

    recipe = {"inputs": {"size": {"type": "number"}}, "stages": [{"id": "a", "type": "txt2img", "prompt": "{size}"}]}
    assert inputs("mine") == {}
    server.json("PUT", "/recipes/mine", json=recipe)
    assert inputs("mine")["size"]["type"] == "number"
    server.json("PUT", "/recipes/mine", json={**recipe, "inputs": {"size": {"type": "text"}}})
    assert inputs("mine")["size"]["type"] == "string"
    server.json("DELETE", "/recipes/mine")
    assert inputs("mine") == {}
    (server.session.home.recipes / "broken.zip").write_bytes(b"no zip")
    assert inputs("broken") == {}
    assert inputs("tiny")["thing"]["default"] == "watch"


@pytest.mark.parametrize("name", BESIDE_INPUTS)
def test_an_input_that_would_be_taken_for_something_else_is_refused_when_it_is_saved(server: Served, name: str):
    recipe = {"inputs": {name: {"type": "text"}}, "stages": [{"id": "a", "type": "txt2img"}]}
    told: Any = server.json("PUT", "/recipes/mine", 422, json=recipe)
    assert f'An input cannot be named "{name}"' in told["detail"]
    assert name in OPTIONS


def test_no_route_leans_on_pydantic():
    """Hosts bring version 1 or 2 of it: bodies are read by our own declarations, so that nothing can differ."""
    files = sorted(Path(router.__file__).parent.glob("*.py"))
    leaning = re.compile(r"^\s*(from|import) pydantic|response_model=|\bBaseModel\b", re.MULTILINE)
    assert len(files) > 10
    assert [file.name for file in files if leaning.search(file.read_text(encoding="utf-8"))] == []


def test_head_is_get_without_the_body(server: Served):
    name = server.session.blobs.put(DRAWING)
    answer = server.client.head(f"/atelier/v1/pictures/{name}.png", headers={"Accept-Encoding": "identity"})
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, str(len(DRAWING)), b"")
    assert server.client.head("/atelier/v1/runs/nothing").status_code == 404
    run: Any = server.json("POST", "/recipes/tiny/runs", 201)
    server.ended(run["id"], "waiting")
    assert server.client.head(f"/atelier/v1/runs/{run['id']}/events", timeout=5).headers["content-type"].startswith("text/event-stream")
    assert server.client.head("/atelier/v1/recipes/tiny/runs").status_code == 404


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "PATCH", "DELETE"])
def test_a_method_that_a_route_has_not_is_refused_in_our_form(server: Served, method: str):
    answer = server.client.request(method, "/atelier/v1/host")
    assert answer.status_code in (404, 405)
    assert {*answer.json()} == {"error", "detail"}


def test_a_body_that_is_said_to_be_huge_is_not_waited_for(server: Served):
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), 10) as line:
        line.sendall(f"POST /atelier/v1/plan HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 10000000000\r\n\r\n{{".encode())
        assert b" 413 " in line.recv(200)


def test_recipes_are_kept_by_what_they_are_whatever_their_type_is_called(server: Served):
    yaml = "title: Mine\nstages:\n  - {id: a, type: txt2img, prompt: x}\n"
    for name, content in (("one", yaml), ("two", json.dumps({"stages": [{"id": "a", "type": "txt2img"}]}))):
        told: Any = server.json("PUT", f"/recipes/{name}", content=content, headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert told["recipe"]["stages"][0]["id"] == "a"
    packed = server.client.get("/atelier/v1/recipes/one", headers={"Accept": "application/zip"}).content
    told = server.json("PUT", "/recipes/three", content=packed)
    assert told["recipe"]["title"] == "Mine"
    told = server.json("PUT", "/recipes/four", 422, content=f"inputs: {{drawing: {{type: image, default: inputs/x.png}}}}\n{yaml}")
    assert 'names the picture "inputs/x.png", which was not sent' in told["detail"]
    told = server.json("PUT", "/recipes/four", 422, content="stages: !!python/object:os.system []")
    assert "tag" in told["detail"]


def test_openapi_tells_how_errors_look(server: Served):
    document = server.client.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert "4XX" in operation["responses"], path
            assert "422" not in operation["responses"], path


def test_a_runs_folder_comes_as_one_zip(server: Served, stub: Stub):
    stub.delay = 0.3
    run: Any = server.json("POST", "/recipes/tiny/runs", 201)
    server.json("GET", f"/runs/{run['id']}/files.zip", 404)
    server.session.delivered(run["id"])
    answer = server.client.get(f"/atelier/v1/runs/{run['id']}/files.zip")
    assert answer.headers["content-type"] == "application/zip"
    assert f'filename="{run["id"]}.zip"' in answer.headers["content-disposition"]
    folder = server.session.home.outputs(run["id"])
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["01-base/001-1.png", "01-base/001-2.png", "manifest.json"]
        for name in archive.namelist():
            assert archive.read(name) == (folder / name).read_bytes()
    assert server.client.get(f"/atelier/v1/runs/{run['id']}/files.zip").content == answer.content
    (folder / "01-base/001-1.png").unlink()
    with zipfile.ZipFile(io.BytesIO(server.client.get(f"/atelier/v1/runs/{run['id']}/files.zip").content)) as archive:
        assert archive.namelist() == ["01-base/001-2.png", "manifest.json"]
    shutil.rmtree(folder)
    told: Any = server.json("GET", f"/runs/{run['id']}/files.zip", 404)
    assert "resume it" in told["detail"]


def test_pictures_come_as_base64_or_as_ids(server: Served, stub: Stub):
    uploaded: Any = server.json("POST", "/pictures", 201, content=DRAWING)
    assert (uploaded["width"], uploaded["height"]) == (64, 64)
    text = base64.b64encode(DRAWING).decode()
    assert server.json("POST", "/pictures", 201, json={"image": f"data:image/png;base64,{text}"}) == uploaded
    for drawing in (uploaded["id"], text):
        run: Any = server.json(
            "POST", "/recipes/tiny/runs", 201, json={"rows": [{"drawing": drawing}, {"drawing": drawing, "thing": "ring"}]}
        )
        told: Any = server.json("GET", f"/runs/{run['id']}")
        assert set(told["inputs"].values()) == {uploaded["id"]}
        server.ended(run["id"], "waiting")
    assert sorted(body["prompt"] for body in stub.bodies) == ["a ring by day", "a watch by day"]


def test_axes_replace_the_recipes_and_may_hold_pictures(server: Served, stub: Stub):
    uploaded: Any = server.json("POST", "/pictures", 201, content=DRAWING)
    axes = {"thing": ["ring", "clock"], "drawing": [uploaded["id"]]}
    told: Any = server.json("POST", "/recipes/tiny/plan", json={"axes": axes})
    assert told["items"] == 2
    run: Any = server.json("POST", "/recipes/tiny/runs", 201, json={"axes": axes})
    waiting: Any = server.ended(run["id"], "waiting")
    assert waiting["recipe"]["axes"] == {"thing": ["ring", "clock"], "drawing": ["axes[0].drawing"]}
    assert sorted(body["prompt"] for body in stub.bodies) == ["a clock by day", "a ring by day"]
    server.json("POST", "/recipes/tiny/plan", 422, json={"axes": {"thing": ["ring"]}, "thing": "watch"})


def test_a_plan_is_dry(server: Served, stub: Stub):
    told: Any = server.json("POST", "/recipes/tiny/plan", json={"rows": [{"thing": "a"}, {"thing": "b"}]})
    assert told["items"] == 2
    assert [one["state"] for one in told["stages"]] == ["will run", "will run", "waits", "waits"]
    assert (stub.calls, server.json("GET", "/runs")) == ([], [])


def test_own_recipes_are_kept_started_and_deleted(server: Served, stub: Stub):
    text = base64.b64encode(DRAWING).decode()
    inputs = {"drawing": {"type": "image", "default": text}}
    settings = {"steps": 4, "sampler_name": "Euler", "scheduler": "Automatic"}
    stage = {"id": "a", "type": "img2img", "takes": "drawing", "prompt": "x", **settings}
    server.json("PUT", "/recipes/mine", json={"inputs": inputs, "stages": [stage]})
    packed = server.client.get("/atelier/v1/recipes/mine", headers={"Accept": "application/zip"}).content
    server.json("PUT", "/recipes/other", content=packed, headers={"Content-Type": "application/zip"})
    run: Any = server.json("POST", "/recipes/other/runs", 201)
    server.ended(run["id"], "done")
    assert [one["name"] for one in server.json("GET", "/recipes")] == ["tiny", "mine", "other"]  # pyright: ignore[reportGeneralTypeIssues, reportOptionalIterable]
    assert server.json("DELETE", "/recipes/mine") == {"deleted": "mine"}
    server.json("GET", "/recipes/mine", 404)
    server.json("DELETE", "/recipes/tiny", 422)
    server.json("PUT", "/recipes/tiny", 422, json={"stages": [stage]})


def test_runs_are_listed_paused_resumed_cancelled_and_forgotten(server: Served, stub: Stub):
    stub.delay = 0.5
    run: Any = server.json("POST", "/recipes/tiny/runs", 201, json={"rows": [{"thing": str(number)} for number in range(20)]})
    server.ended(run["id"], "running")
    server.json("DELETE", f"/runs/{run['id']}", 409)
    server.json("POST", f"/runs/{run['id']}/pause")
    paused: Any = server.ended(run["id"], "paused")
    assert 0 < sum(stage["state"] == "done" for stage in paused["stages"]) < 20
    server.json("POST", f"/runs/{run['id']}/resume")
    server.ended(run["id"], "running")
    server.json("POST", f"/runs/{run['id']}/cancel")
    server.ended(run["id"], "cancelled")
    assert [one["state"] for one in server.json("GET", "/runs", params={"recipe": "tiny", "limit": 5})] == ["cancelled"]  # pyright: ignore[reportGeneralTypeIssues, reportOptionalIterable]
    assert server.json("DELETE", f"/runs/{run['id']}") == {"deleted": run["id"]}
    server.json("GET", f"/runs/{run['id']}", 404)


def test_a_run_goes_on_when_who_started_it_has_left(server: Served, stub: Stub):
    stub.delay = 0.2
    run: Any = server.json("POST", "/recipes/tiny/runs", 201)
    server.client.close()
    server.session.runner.wait(run["id"], 30)
    assert server.session.ledger.runs.get(run["id"]).state == "waiting"


def test_everything_else_is_answered_while_a_call_takes_its_time(server: Served, stub: Stub):
    stub.delay = 1.0
    run: Any = server.json("POST", "/recipes/tiny/runs", 201)
    while not stub.calls:
        time.sleep(0.01)
    server.json("GET", "/recipes")
    told: Any = server.json("GET", f"/runs/{run['id']}")
    assert (told["state"], told["progress"]["stages"], told["progress"]["done"]) == ("running", 2, 0)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "detail"),
    [
        ("POST", "/recipes/tiny/runs", {"thin": 1}, 422, 'Did you mean "thing"'),
        ("POST", "/recipes/tiny/runs", {"look": "noon"}, 422, "must be one of day, night"),
        ("POST", "/recipes/tiny/runs", {"rows": [{"thing": "a"}], "thing": "b"}, 422, "every row has its own"),
        ("POST", "/recipes/tiny/runs", {"axes": {"thin": [1]}}, 422, 'has no axis "thin"'),
        ("POST", "/recipes/tiny/runs", {"axes": {"thing": "a"}}, 422, "axes must be an object with a list"),
        ("POST", "/recipes/tiny/runs", {"strength": 2}, 422, "at most 1"),
        ("POST", "/recipes/tiny/runs", {"drawing": "no picture"}, 422, "drawing is not base64"),
        ("POST", "/recipes/tiny/runs", {"drawing": "aGVsbG8="}, 422, "drawing is not a whole picture"),
        ("POST", "/recipes/tiny/runs", {"drawing": "0" * 64}, 404, "no picture 000000000000"),
        ("POST", "/recipes/tiny/runs", {"rows": [{"stages.bas.steps": 3}]}, 422, 'Did you mean "base"'),
        ("POST", "/recipes/tiny/runs", {"rows": [{"stages.base.sampler_name": "Eule"}]}, 422, "no sampler"),
        ("POST", "/recipes/tiny/runs", {"rows": [{}] * 10_001}, 413, "10,001 items"),
        ("POST", "/recipes/tin/runs", {}, 404, 'Did you mean "tiny"'),
        ("POST", "/runs/nothing/choose", {"stage": "pick", "pictures": [1]}, 404, 'no run "nothing"'),
        ("POST", "/runs/nothing/choose", {"stag": "pick"}, 422, 'Did you mean "stage"'),
        ("POST", "/runs/nothing/cancel", None, 404, 'no run "nothing"'),
        ("GET", "/runs?limit=-1", None, 422, "limit must be"),
        ("GET", "/runs/nothing/events", None, 404, 'no run "nothing"'),
        ("GET", "/pictures/..%2f..%2fledger.png", None, 404, "no such route"),
        ("GET", "/pictures/zz.png", None, 404, "no picture's id"),
        ("PUT", "/recipes/a.b", {"stages": [{"id": "base", "type": "txt2img"}]}, 422, "cannot be named"),
        ("PATCH", "/recipes", None, 404, "no such route"),
        ("GET", "/nothing", None, 404, "no such route"),
    ],
)
def test_errors_are_json_that_says_what_to_do(server: Served, method: str, path: str, body: Any, status: int, detail: str):
    told = server.json(method, path, status, json=body)
    assert isinstance(told, dict)
    assert told.keys() == {"error", "detail"}
    assert detail in told["detail"]


def test_very_many_items_are_confirmed_or_refused_with_their_number(server: Served):
    rows = [{}] * 10_001
    assert "makes 10,001 items" in str(server.json("POST", "/recipes/tiny/plan", 413, json={"rows": rows}))
    told: Any = server.json("POST", "/recipes/tiny/plan", json={"rows": rows, "confirm": True})
    assert told["items"] == 10_001
    values = list(range(1, 1001))
    billion = {"axes": {"stages.base.seed": values, "stages.base.steps": values, "stages.refine.seed": values}, "confirm": True}
    for path in ("plan", "runs"):
        assert "makes 1,000,000,000 items" in str(server.json("POST", f"/recipes/tiny/{path}", 413, json=billion))
    assert server.session.ledger.runs.all() == []


def test_a_picture_that_would_fill_the_memory_is_refused_by_name(server: Served):
    bomb = png(60_000, 60_000, b"")
    for body in ({"drawing": bomb}, {"rows": [{"drawing": bomb}]}, {"axes": {"drawing": [bomb]}}):
        told: Any = server.json("POST", "/recipes/tiny/runs", 413, json=body)
        assert re.search(r"drawing.* has too many pixels; 64 megapixels is the most", told["detail"])
    assert server.client.post("/atelier/v1/pictures", content=base64.b64decode(bomb)).status_code == 413


def test_a_damaged_ledger_is_told_without_where_it_lies(server: Served):
    server.session.ledger.close()
    server.session.ledger.database.path.write_bytes(b"no database" * 1000)
    told = json.dumps(server.json("GET", "/runs", 507))
    assert "damaged" in told
    assert "Traceback" not in told
    assert str(server.session.home.folder) not in told


def test_an_error_that_nobody_expected_tells_nothing_and_is_logged(server: Served, caplog: pytest.LogCaptureFixture):
    server.session.recipes = None  # pyright: ignore[reportAttributeAccessIssue]
    told: Any = server.json("GET", "/recipes", 500)
    assert (told["error"], "NoneType" in told["detail"]) == ("InternalError", False)
    assert "'NoneType' object has no attribute 'all'" in caplog.text


def test_a_host_with_credentials_asks_for_them(tmp_path: Path, stub: Stub):
    with served(tmp_path, stub.url, ["me:geheim"]) as server:
        server.json("GET", "/recipes")
        answer = server.client.get("/atelier/v1/recipes", auth=("me", "falsch"))
        assert (answer.status_code, answer.json()["error"], answer.headers["www-authenticate"]) == (401, "Unknown", 'Basic realm="Atelier"')


def test_a_page_of_another_site_starts_nothing(server: Served, stub: Stub):
    server.json("POST", "/recipes/tiny/runs", 403, json={}, headers={"Origin": "https://evil.example"})
    server.json("GET", "/runs", 403, headers={"Host": "evil.example"})
    server.json("GET", "/runs", 403, headers={"X-Forwarded-For": "127.0.0.1"})
    assert server.json("GET", "/runs") == []


def test_pictures_that_are_no_pictures_are_never_shown_as_pages(server: Served):
    name = server.session.blobs.put(b"<script>alert(1)</script>")
    answer = server.client.get(f"/atelier/v1/pictures/{name}.png")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_jpeg_that_was_uploaded_is_one(server: Served):
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    uploaded: Any = server.json("POST", "/pictures", 201, content=file.getvalue())
    assert server.client.get(f"/atelier/v1/pictures/{uploaded['id']}.png").headers["content-type"] == "image/jpeg"
