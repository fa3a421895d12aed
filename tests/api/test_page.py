"""Is the standalone page whole, guarded, and told its words?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from lib_extension.api.page import make_page
from lib_extension.api.standalone import make_app
from lib_extension.api.word_routes import words_of
from lib_extension.session.serving import Serving


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    for name, value in Serving(home=str(tmp_path), backends=["engine:none"]).to_environment().items():
        monkeypatch.setenv(name, value)
    return TestClient(make_app(), base_url="http://127.0.0.1", client=("127.0.0.1", 5))


def test_all_that_the_page_names_is_there(client: TestClient):
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    named = re.findall(r'(?:href|src|data-modules)="([^"]+)"', page.text)
    assert len(named) == 5
    for address in named:
        assert not address.startswith(("/", "http")), "so that it works below another path"
        assert client.get(f"/{address}").status_code == 200, address
    assert 'id="atelier_root" class="atelier"' in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]


def test_whoever_the_routes_refuse_gets_no_page():
    app = FastAPI()
    app.include_router(make_page(("me:geheim",), "1"))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        refused = client.get("/")
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic"), "so that the browser asks for the password"
        assert client.get("/", auth=("me", "geheim")).status_code == 200


@pytest.mark.parametrize("language", ["de_DE", "de-DE", "de", "de-AT", "de_AT"])
def test_words_of_a_language_are_found_by_whatever_name_a_browser_has_for_it(client: TestClient, language: str):
    words = client.get("/atelier/v1/words", params={"language": language}).json()
    assert words["Loading…"] == "Lädt …"


@pytest.mark.parametrize("language", ["", "en", "en-US", "xx", "../de_DE", "de_DE.json", "de_DE/..", "*", "d*", "None"])
def test_of_any_other_there_are_none(language: str):
    assert words_of(language) == {}
