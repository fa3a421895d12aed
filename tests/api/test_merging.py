"""Do the routes of merging say what there is, check what is asked, and delete only what was made to be tried?"""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest
from PIL import Image

from lib_extension.jobs.kind import Around
from tests.api.serving import Served
from tests.api.test_jobs import ended, jobs_of
from tests.api.test_jobs import server as server  # a fixture
from tests.runs.stub_backend import Stub
from tests.trainer.merging.loras import lora


@pytest.fixture
def loras(server: Served, tmp_path: Path) -> Path:
    folder = tmp_path / "models" / "Lora"
    folder.mkdir(parents=True)
    for name in ("mine", "atelier-try-svd-100"):
        (folder / f"{name}.safetensors").write_bytes(b"\xff" * 40)
    jobs_of(server).around = Around(tmp_path, tmp_path / "models")
    return folder


def test_there_are_presets_and_what_was_tried(server: Served, loras: Path):
    told = server.json("GET", "/merging")
    assert isinstance(told, dict)
    assert told["tried"] == ["atelier-try-svd-100"]
    assert {"ALL", "OUTALL", "MIDD"} <= set(told["presets"])
    assert len(told["blocks"]) == 26


@pytest.mark.parametrize("name", ["mine", "..%2F..%2Fmine", "atelier-try-other", "%2Fetc%2Fpasswd"])
def test_nothing_else_is_deleted(server: Served, loras: Path, name: str):
    server.json("DELETE", f"/merging/tried/{name}", 404)
    assert len(list(loras.iterdir())) == 2


def test_what_was_tried_is_deleted(server: Served, loras: Path):
    assert server.client.delete("/atelier/v1/merging/tried/atelier-try-svd-100").status_code == 204
    assert [path.stem for path in loras.iterdir()] == ["mine"]


def test_a_check_answers_with_what_is_wrong(server: Served, loras: Path):
    for file in ("mine", "nothing", "/etc/passwd"):
        told = server.json("POST", "/merging/check", json={"kind": "resize", "config": {"file": file}})
        assert isinstance(told, dict)
        assert told["problem"]
        assert str(loras) not in told["problem"]
    for body in ({"kind": "resize"}, {"kind": 1, "config": {}}, {"kind": "worker", "config": {}}, {"kind": "resize", "config": {}, "x": 1}):
        server.json("POST", "/merging/check", 422, json=body)


def test_a_job_gets_no_file_from_elsewhere(server: Served, loras: Path):
    for file in ("/etc/passwd", "../../secret", "nothing"):
        server.json("POST", "/jobs", 404, json={"kind": "inspect", "config": {"file": file}})
    server.json("POST", "/jobs", 422, json={"kind": "resize", "config": {"file": "mine", "output": {"folder": "../.."}}})
    assert server.json("GET", "/jobs") == []


@pytest.mark.parametrize("beside", ["mine.png", "mine.preview.png", "mine.jpg"])
def test_the_picture_beside_a_lora_is_shown_small(server: Served, loras: Path, beside: str):
    Image.new("RGB", (600, 300), "teal").save(loras / beside)
    answer = server.client.get("/atelier/v1/models/preview", params={"kind": "loras", "name": "mine", "size": 128})
    assert (answer.status_code, Image.open(io.BytesIO(answer.content)).size) == (200, (128, 64))
    again = server.client.get(
        "/atelier/v1/models/preview",
        params={"kind": "loras", "name": "mine", "size": 128},
        headers={"If-None-Match": answer.headers["etag"]},
    )
    assert again.status_code == 304


def test_where_there_is_no_picture_nothing_is_shown(server: Served, loras: Path):
    (loras / "mine.png").write_bytes(b"no picture")
    Image.new("RGB", (8, 8)).save(loras.parent / "secret.png")
    for name in ("mine", "atelier-try-svd-100", "nothing", "../secret", str(loras.parent / "secret"), ""):
        assert server.client.get("/atelier/v1/models/preview", params={"kind": "loras", "name": name}).status_code == 204
    server.json("GET", "/models/preview?kind=other&name=mine", 422)
    server.json("GET", "/models/preview?name=mine&size=1", 422)


def test_a_picture_gets_beside_a_model_that_has_none(server: Served, loras: Path):
    made = io.BytesIO()
    Image.new("RGB", (64, 32), "teal").save(made, "PNG")
    id = server.json("POST", "/pictures", 201, content=made.getvalue(), headers={"Content-Type": "image/png"})["id"]  # pyright: ignore
    body = {"kind": "loras", "name": "mine", "picture": id}
    assert server.json("POST", "/models/preview", 201, json=body) == {"file": "mine.png"}
    assert (loras / "mine.png").read_bytes() == made.getvalue()
    refused = server.json("POST", "/models/preview", 422, json=body)
    assert "never replaced" in refused["detail"]  # pyright: ignore
    (loras / "mine.png").rename(loras / "mine.preview.jpg")
    server.json("POST", "/models/preview", 422, json=body)
    (loras / "mine.preview.jpg").unlink()
    for name, picture, status in (
        ("nothing", id, 404),
        ("../mine", id, 404),
        ("mine", "0" * 64, 404),
        ("mine", "../x", 404),
        ("mine", 3, 422),
    ):
        server.json("POST", "/models/preview", status, json={**body, "name": name, "picture": picture})
    server.json("POST", "/models/preview", 422, json={**body, "kind": "vaes"})
    assert sorted(path.name for path in loras.iterdir()) == ["atelier-try-svd-100.safetensors", "mine.safetensors"]


def test_backends_look_for_what_a_merge_made_whichever_page_is_open(server: Served, loras: Path, stub: Stub):
    lora(loras / "watch.safetensors")
    assert "both" not in str(server.json("GET", "/inventory"))
    stub.checkpoints = (*stub.checkpoints, "both")
    added = server.json("POST", "/jobs", 201, json={"kind": "inspect", "config": {"file": "watch"}})
    assert ended(server, added["id"])["state"] == "done"  # pyright: ignore
    assert "both" not in str(server.json("GET", "/inventory"))  # looking into a file made none
    added = server.json("POST", "/jobs", 201, json={"kind": "resize", "config": {"file": "watch", "ranks": {"rank": 2}}})
    assert ended(server, added["id"])["state"] == "done"  # pyright: ignore
    deadline = time.monotonic() + 60
    while "both" not in str(server.json("GET", "/inventory")):  # without asking for what is fresh
        assert time.monotonic() < deadline
        time.sleep(0.05)
