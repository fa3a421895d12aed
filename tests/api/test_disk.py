from __future__ import annotations

import os
import time
from typing import Any

from PIL import Image

from lib_extension.pictures.png import encode_png
from tests.api.serving import Served
from tests.session.rooms import DRAWING


def test_what_nobody_needs_goes_and_what_the_draft_names_stays(server: Served):
    lost: Any = server.json("POST", "/pictures", 201, content=encode_png(Image.new("RGB", (9, 9))))
    named: Any = server.json("POST", "/pictures", 201, content=DRAWING)
    recipe = {"name": "x", "inputs": {"drawing": {"type": "image", "default": named["id"]}}}
    server.json("PUT", "/draft", json={"revision": 0, "recipe": recipe})
    hour_ago = time.time() - 7200
    for id in (lost["id"], named["id"]):
        assert server.client.get(f"/atelier/v1/pictures/{id}/thumbnail").status_code == 200
        os.utime(server.session.blobs.path(id), (hour_ago, hour_ago))
    before: Any = server.json("GET", "/disk")
    assert before["pictures"] > len(DRAWING)
    assert min(before.values()) > 0
    dry: Any = server.json("POST", "/gc", json={"dry_run": True})
    assert (dry["files"], dry["dry_run"]) == (1, True)
    assert server.client.get(f"/atelier/v1/pictures/{lost['id']}").status_code == 200
    done: Any = server.json("POST", "/gc", json={})
    assert (done["files"], done["bytes"]) == (dry["files"], dry["bytes"])
    assert server.client.get(f"/atelier/v1/pictures/{lost['id']}").status_code == 404
    assert server.client.get(f"/atelier/v1/pictures/{lost['id']}/thumbnail").status_code == 404
    assert server.client.get(f"/atelier/v1/pictures/{named['id']}/thumbnail").status_code == 200
    after: Any = server.json("GET", "/disk")
    assert after["thumbnails"] < before["thumbnails"]


def test_only_old_runs_go_and_only_when_asked(server: Served):
    run: Any = server.json("POST", "/recipes/tiny/runs", 201)
    server.ended(run["id"], "waiting")
    server.json("POST", f"/runs/{run['id']}/cancel")
    kept: Any = server.json("POST", "/gc")
    assert kept["runs"] == []
    kept: Any = server.json("POST", "/gc", json={"older_than": 1})
    assert kept["runs"] == []
    gone: Any = server.json("POST", "/gc", json={"older_than": 0})
    assert gone["runs"] == [run["id"]]
    for wrong in ({"older_than": -1}, {"older_than": "x"}, {"dry": True}, {"dry_run": 1}):
        server.json("POST", "/gc", 422, json=wrong)
