"""One server on the demo engine, and one browser, for all tests of the tab; what a page complains of fails its test.

The browser is the system's Chromium. Without one the tests are skipped, and say so; where CI is set they fail instead.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, Route, expect, sync_playwright

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox",  # containers run as root
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-pings",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
PATIENCE = 40_000  # milliseconds: a busy machine
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}

expect.set_options(timeout=PATIENCE)


@dataclass
class Tab:
    """The standalone server, asked as the tab asks it."""

    url: str
    api: httpx.Client

    def get(self, path: str, **query: Any) -> Any:
        """The answer's value."""
        return self._told("GET", path, params=query)

    def post(self, path: str, body: Any = None) -> Any:
        """As get."""
        return self._told("POST", path, json=body or {})

    def put(self, path: str, body: Any) -> Any:
        """As get."""
        return self._told("PUT", path, json=body)

    def open_draft(self, recipe: dict[str, Any] | None, inputs: dict[str, Any] | None = None, base: str = "") -> None:
        """Have the recipe open on every page that is loaded next."""
        revision = self.get("draft")["revision"]
        self.put("draft", {"revision": revision, "recipe": recipe, "inputs": inputs or {}, "base": base})

    def until(self, run: str, *states: str) -> dict[str, Any]:
        """The run, when it has come to one of the states."""
        deadline = time.monotonic() + 240
        while True:
            told = self.get(f"runs/{run}", brief=1)
            if told["state"] in states:
                return told
            assert time.monotonic() < deadline, told
            time.sleep(0.3)

    def _told(self, method: str, path: str, **more: Any) -> Any:
        answer = self.api.request(method, f"/atelier/v1/{path}", **more)
        assert answer.is_success, f"{method} {path}: {answer.text[:500]}"
        return answer.json()


@dataclass
class Watched:
    """What a page complained of, and where it went."""

    complaints: list[str] = field(default_factory=list)
    answers: deque[str] = field(default_factory=lambda: deque(maxlen=20))  # of the server, the last ones
    # Words of complaints that are brought about on purpose. 422: a recipe that is being edited cannot always be planned, and the
    # browser reports each answer that says so.
    expected: tuple[str, ...] = ("status of 422",)

    def left(self) -> list[str]:
        """The complaints that nobody expected."""
        return [text for text in self.complaints if not any(word in text for word in self.expected)]


@pytest.fixture(scope="package")
def chromium() -> str:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        message = "There is no Chromium on this machine: the tab is not tested (Debian, Ubuntu: apt install chromium)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="package")
def tab(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """A server with an empty home. The worker's environment is not there, and no index to make it from."""
    with served_tab(tmp_path_factory.mktemp("tab"), ROOT) as tab:
        yield tab


@contextmanager
def served_tab(home: Path, folder: Path) -> Iterator[Tab]:
    """A server that is started in the folder: models lie in `models` below it."""
    offline = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    offline |= {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    environment = {**os.environ, "ATELIER_WORKER": str(home / "worker"), "OMP_NUM_THREADS": "2", "PYTHONPATH": str(ROOT), **offline}
    command = [sys.executable, "-m", "lib_extension", "serve", "--home", str(home), "--port", "0", "--backend", "engine:demo"]
    with (home / "complaints.txt").open("w") as complaints:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=complaints, text=True)
    assert server.stdout is not None
    try:
        line = server.stdout.readline()
        url = line.removeprefix("Atelier is at ").split(" ")[0]
        assert url.startswith("http://127.0.0.1:"), (line, (home / "complaints.txt").read_text())
        with httpx.Client(base_url=url, trust_env=False, timeout=120) as client:
            yield Tab(url, client)
    finally:
        server.terminate()
        server.wait(60)
        server.stdout.close()
    assert "Traceback" not in (home / "complaints.txt").read_text(), (home / "complaints.txt").read_text()[-3000:]


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def browser(chromium: str, playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
    yield browser
    browser.close()


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def context(browser: Browser, tab: Tab, watched: Watched) -> Iterator[BrowserContext]:
    """A window of a person who has never been here, in English. Nothing but the server is reached."""
    context = browser.new_context(viewport=WIDE, locale="en-US", base_url=tab.url, reduced_motion="reduce")  # pyright: ignore[reportArgumentType]
    context.set_default_timeout(PATIENCE)

    def elsewhere(route: Route) -> None:
        watched.complaints.append(f"asked for {route.request.url}")
        route.abort()

    # By its pattern, the driver lets everything else pass: what comes here waits until the test speaks with the browser again.
    context.route(re.compile(f"^(?!{re.escape(tab.url)}|data:|blob:)"), elsewhere)
    context.on(
        "console", lambda said: watched.complaints.append(f"{said.type}: {said.text}") if said.type in ("error", "warning") else None
    )
    context.on("response", lambda answer: watched.answers.append(f"{answer.status} {answer.request.method} {answer.url}"))
    context.on("weberror", lambda error: watched.complaints.append(f"error: {error.error}"))
    yield context
    context.close()
    assert watched.left() == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a page showed when its test failed, and the last answers that it had."""
    report = yield
    page, watched = item.funcargs.get("page"), item.funcargs.get("watched")
    if call.when == "call" and report.failed and isinstance(page, Page) and isinstance(watched, Watched):
        with suppress(Error):
            report.sections += [(f"the page {page.url}", page.inner_text("body")), ("what it was answered", "\n".join(watched.answers))]
    return report


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture(scope="package")
def short(tab: Tab) -> dict[str, Any]:
    """product-shots with one product in one place, drawn small in few steps; saved as short-shots."""
    return shortened(tab, "short-shots", "One watch on a beach", "on a beach")


def shortened(tab: Tab, name: str, title: str, place: str) -> dict[str, Any]:
    """product-shots with one product in that place, drawn small in few steps; saved under the name."""
    recipe = tab.get("recipes/product-shots")["recipe"]
    recipe["name"], recipe["title"] = name, title
    recipe["rows"] = recipe["rows"][:1]
    recipe["axes"] = {"place": [place]}
    recipe["settings"]["steps"] = 4
    recipe["inputs"]["size"]["default"] = 64
    tab.put(f"recipes/{name}", recipe)
    return tab.get(f"recipes/{name}")["recipe"]


@pytest.fixture(scope="package")
def tiny(tab: Tab) -> dict[str, Any]:
    """Three stages that take a moment: two candidates, a choice by hand, and what becomes of it."""
    settings = {
        "steps": 2,
        "sampler_name": "Euler",
        "scheduler": "Automatic",
        "width": 64,
        "height": 64,
        "seed": 7,
        "prompt": "a red watch",
    }
    stages = [
        {"id": "base", "type": "txt2img", "batch_size": 3},
        {"id": "pick", "type": "review", "takes": "base", "keep": 1},
        {"id": "finish", "type": "img2img", "takes": "pick", "denoising_strength": 0.4},
    ]
    tab.put("recipes/tiny", {"version": 1, "name": "tiny", "title": "A watch to choose", "settings": settings, "stages": stages})
    return tab.get("recipes/tiny")["recipe"]
