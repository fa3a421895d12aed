"""Are a training's draft kept, its folders told, and clients of other machines kept inside the folders that they may use?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib_extension.jobs.kind import Around
from tests.api.serving import Served, served
from tests.runs.stub_backend import Stub


@pytest.fixture
def server(tmp_path: Path, stub: Stub) -> Iterator[Served]:
    with served(tmp_path, stub.url) as server:
        yield server


def told(server: Served, path: str, status: int = 200, **more: object) -> Any:
    return server.json("GET", path, status, **more)


def test_the_draft_is_kept_whole_or_not(server: Served):
    first = told(server, "/training")
    assert [preset["name"] for preset in first["presets"]] == ["small", "medium", "large"]
    assert (first["draft"], first["lora_folder"]) == ({}, "")
    server.json("PUT", "/training/draft", json={"training": {"network": {"rank": "many"}}, "preset": "small"})
    assert told(server, "/training")["draft"]["training"] == {"network": {"rank": "many"}}
    server.json("PUT", "/training/draft", 422, json={"training": "x" * 2**20})


def test_folders_are_told_with_their_pictures(server: Served, tmp_path: Path):
    (tmp_path / "sets" / "Watch").mkdir(parents=True)
    (tmp_path / "sets" / "apple").mkdir()
    (tmp_path / "sets" / ".hidden").mkdir()
    (tmp_path / "sets" / "Watch" / "1.PNG").write_bytes(b"")
    (tmp_path / "sets" / "Watch" / "1.txt").write_bytes(b"")
    found = told(server, "/training/folders", params={"path": str(tmp_path / "sets")})
    assert [(one["name"], one["pictures"]) for one in found["folders"]] == [("apple", 0), ("Watch", 1)]
    assert found["parent"] == str(tmp_path)
    assert told(server, "/training/folders")["path"] == str(Path.home())
    assert told(server, "/training/folders", params={"path": "/"})["parent"] is None
    told(server, "/training/folders", 404, params={"path": str(tmp_path / "nowhere")})
    told(server, "/training/folders", 422, params={"path": "relative"})


def test_clients_of_other_machines_stay_inside(server: Served, tmp_path: Path):
    from lib_extension.jobs import jobs_at

    jobs = jobs_at(server.session.home.jobs)
    inside = tmp_path / "sets"
    inside.mkdir()
    jobs.around = Around(tmp_path, None, (inside,))
    assert [one["path"] for one in told(server, "/training/folders")["folders"]] == [str(inside)]
    assert told(server, "/training/folders", params={"path": str(inside)})["parent"] == ""
    told(server, "/training/folders", 422, params={"path": str(tmp_path)})
    config = {"name": "x", "model": {"checkpoint": "demo"}, "data": {"concepts": [{"folder": "/etc"}]}}
    refused = server.json("POST", "/jobs", 422, json={"kind": "train", "config": config})
    assert "outside of the folders" in str(refused)
    jobs.close()
