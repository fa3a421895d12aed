from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from lib_extension.api.ui_files import UiFiles
from lib_extension.spec.errors import NotFound
from tests.api.serving import Served, served
from tests.runs.stub_backend import Stub

FILES = {
    "javascript/atelier/main.mjs": "import './shell.mjs'",
    "javascript/atelier/pages/refine.mjs": "export {}",
    "javascript/atelier/css/refine.css": ".atelier {}",
    "javascript/atelier/vendor/LICENSE": "free",
    "javascript/atelier/.hidden.mjs": "no",
    "javascript/atelier/run.py": "no",
    "javascript/secret.mjs": "no",
    "style.css": ".atelier {}",
    "other.css": "no",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def test_the_modules_are_served_as_what_they_are_whatever_the_system_thinks(root: Path):
    files = UiFiles(root)
    for name, kind in (
        ("main.mjs", "text/javascript"),
        ("pages/refine.mjs", "text/javascript"),
        ("style.css", "text/css"),
        ("css/refine.css", "text/css"),
        ("vendor/LICENSE", "text/plain"),
    ):
        found = files.get(name)
        assert (found.type, found.as_versioned) == (kind, True)


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../secret.mjs", "pages/../../secret.mjs", "/etc/passwd", "//etc/passwd", "..\\secret.mjs", "pages\\refine.mjs"),
        *("C:/x.mjs", "main.mjs:stream", "./main.mjs", "pages//refine.mjs", ".hidden.mjs", "run.py", "other.css", "pages"),
        *("main.mjs\0.css", "nothing.mjs", "x" * 5000 + ".mjs", "main.mjs/", "\u2025/secret.mjs"),
    ],
)
def test_nothing_else_is_served(root: Path, name: str):
    with pytest.raises(NotFound):
        UiFiles(root).get(name)


def test_links_that_lead_out_are_not_followed(root: Path):
    (root / "javascript" / "atelier" / "out.mjs").symlink_to(root / "javascript" / "secret.mjs")
    (root / "javascript" / "atelier" / "round.mjs").symlink_to(root / "javascript" / "atelier" / "round.mjs")
    for name in ("out.mjs", "round.mjs"):
        with pytest.raises(NotFound):
            UiFiles(root).get(name)


def test_another_content_is_another_version_and_is_not_cached_under_the_old_one(root: Path):
    files = UiFiles(root)
    assert UiFiles(root).version == files.version
    (root / "javascript/atelier/main.mjs").write_text("import './other.mjs'")
    (root / "javascript/atelier/other.mjs").write_text("export {}")
    assert UiFiles(root).version != files.version
    assert not files.get("main.mjs").as_versioned
    assert not files.get("other.mjs").as_versioned


def test_a_page_of_another_version_is_told_to_load_anew(server: Served):
    host: Any = server.json("GET", "/host")
    version = host["ui"]
    answer = server.client.get(f"/atelier/v1/ui/{version}/main.mjs")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    told: Any = server.json("GET", "/ui/0123456789ab/main.mjs", 404)
    assert "load it anew" in told["detail"]
    server.json("GET", f"/ui/{version}/main.mjs", 403, headers={"Origin": "https://evil.example"})


@pytest.mark.parametrize("path", ["../../README.md", "..%2f..%2fREADME.md", "%2e%2e/%2e%2e/README.md", "..%5c..%5cREADME.md", "%00"])
def test_paths_that_lead_elsewhere_are_refused_as_they_come_in(server: Served, path: str):
    host: Any = server.json("GET", "/host")
    for whole in (f"/atelier/v1/ui/{host['ui']}/{path}", f"/atelier/v1/ui/{quote(path, safe='')}/main.mjs"):
        answer = server.client.get(whole)
        assert answer.status_code == 404
        assert "Atelier" not in answer.text.replace("version of Atelier", "")


def test_the_host_says_where_the_tab_is(server: Served):
    told: Any = server.json("GET", "/host")
    assert (told["kind"], told["language"], told["features"]) == ("standalone", "", {})
    (backend,) = told["backends"]
    assert (backend["reachable"], backend["problem"]) == (True, "")
    assert told["limits"]["picture_pixels"] > 10**7
    server.json("GET", "/inventory")
    told = server.json("GET", "/host")
    assert told["backends"][0]["host"] == "engine"


def test_a_backend_that_is_off_keeps_nobody_waiting(tmp_path: Path):
    with served(tmp_path, "http://127.0.0.1:9") as server:
        told: Any = server.json("GET", "/host")
        (backend,) = told["backends"]
        assert backend["reachable"] is False
        assert "does not answer" in backend["problem"]
        names: Any = server.json("GET", "/inventory")
        assert (names["checkpoints"], len(names["problems"])) == ([], 1)


def test_names_of_the_backends_are_told_by_the_words_of_the_schema(server: Served):
    names: Any = server.json("GET", "/inventory")
    assert names["checkpoints"] == ["first", "second"]
    assert names["samplers"] == ["Euler", "Euler a"]
    assert names["schedulers"] == ["Karras", "Automatic"]
    assert names["controlnet_models"] == ["None", "edges"]
    assert names["controlnet_modules"] == ["none", "canny"]
    hinted: set[str] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("x-names"), str):
                hinted.add(value["x-names"])
            for inner in value.values():
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    look(server.json("GET", "/schema"))
    assert hinted <= names.keys()
    assert {"checkpoints", "samplers", "loras", "controlnet_models", "upscalers"} <= hinted
    server.json("GET", "/inventory", 422, params={"fresh": "yes"})


def test_what_came_meanwhile_is_found_when_asked_anew(server: Served, stub: Stub):
    server.json("GET", "/inventory")
    stub.checkpoints = ("first", "second", "third")
    before: Any = server.json("GET", "/inventory")
    after: Any = server.json("GET", "/inventory", params={"fresh": 1})
    assert "third" not in before["checkpoints"]
    assert "third" in after["checkpoints"]
