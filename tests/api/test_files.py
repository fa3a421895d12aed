"""The files of a run over HTTP: what exports made, as the manifests tell of them, and nothing else of the machine."""

from __future__ import annotations

import hashlib
import io
from typing import Any

from PIL import Image

from tests.api.serving import Served
from tests.runs.stub_backend import Stub

EXPORTING = {
    "settings": {"steps": 4, "sampler_name": "Euler", "scheduler": "Automatic", "width": 64, "height": 64, "seed": 7},
    "stages": [
        {"id": "base", "type": "txt2img", "prompt": "a watch"},
        {"id": "shop", "type": "export", "takes": "base", "name": "a b/{index}", "format": "WEBP", "sizes": [{"width": 32}]},
    ],
}


def exported(server: Served) -> str:
    """The id of a run that has made its files."""
    server.json("PUT", "/recipes/exporting", json=EXPORTING)
    run: Any = server.json("POST", "/recipes/exporting/runs", 201)
    server.ended(run["id"], "done")
    server.session.delivered(run["id"])
    return run["id"]


def test_every_file_is_listed_and_comes_as_it_was_written(server: Served, stub: Stub):
    run = exported(server)
    told: Any = server.json("GET", f"/runs/{run}/files")
    assert [one["file"] for one in told] == ["01-base/001-1.png", "02-shop/a b/0.webp", "02-shop/a b/0.webp.json", "02-shop/manifest.json"]
    for one in told:
        answer = server.client.get(f"/atelier/v1/runs/{run}/files/{one['file']}")
        assert hashlib.sha256(answer.content).hexdigest() == one["sha256"]
    picture = server.client.get(f"/atelier/v1/runs/{run}/files/02-shop/a b/0.webp")
    assert picture.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(picture.content)).size == (32, 32)
    (entry,) = server.json("GET", f"/runs/{run}/files/02-shop/manifest.json")["files"]  # pyright: ignore[reportIndexIssue, reportCallIssue, reportArgumentType]
    assert entry["sha256"] == hashlib.sha256(picture.content).hexdigest()


def test_files_of_others_are_not_read_and_changed_ones_are_not_passed_off(server: Served, stub: Stub):
    run = exported(server)
    folder = server.session.home.outputs(run)
    (folder / "mine.txt").write_text("mine")
    for name in ("mine.txt", "../../ledger.db", "%2e%2e/%2e%2e/ledger.db", "/etc/hostname"):
        assert server.client.get(f"/atelier/v1/runs/{run}/files/{name}").status_code == 404, name
    told: Any = server.json("GET", f"/runs/{run}/files/01-base/001-2.png", 404)
    assert 'Did you mean "01-base/001-1.png"' in told["detail"]
    (folder / "01-base/001-1.png").write_bytes(b"painted over")
    told = server.json("GET", f"/runs/{run}/files/01-base/001-1.png", 404)
    assert "Resume the run" in told["detail"]
    server.json("GET", "/runs/nothing/files", 404)
    (folder / "01-base/001-1.png").unlink()
    server.json("POST", f"/runs/{run}/resume")
    server.session.delivered(run)
    assert server.client.get(f"/atelier/v1/runs/{run}/files/01-base/001-1.png").status_code == 200
