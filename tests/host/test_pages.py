"""Does the tab work in a page of AUTOMATIC1111's gradio and in one of Forge's? With their own packages, in a browser."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from tests.ui.conftest import NAMES, PATIENCE, QUIET

ROOT = Path(__file__).parents[2]
LOGIN = "me:secret"
RECIPE: dict[str, Any] = {
    "version": 1,
    "name": "small",
    "inputs": {"picture": {"type": "image", "optional": True}},
    "settings": {"prompt": "a mug", "steps": 2, "width": 64, "height": 64, "sampler_name": "Euler", "seed": 5},
    "stages": [
        {"id": "base", "type": "txt2img"},
        {"id": "where", "type": "mask", "takes": "base", "mask": {"kind": "colour", "colour": "#808080", "tolerance": 90}},
        {"id": "vary", "type": "img2img", "takes": "base", "denoising_strength": 0.5},
    ],
}


@pytest.fixture(scope="module", params=["host-a1111", "host-forge"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The page's address, and the folder that the host keeps its files in."""
    python = Path(sys.prefix) / request.param / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.is_file():
        pytest.skip(f"{request.param} is not installed; `install.py test` does it")
    folder = tmp_path_factory.mktemp(request.param)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_OFFLINE": "1",
        "PYTHONWARNINGS": "ignore",
        "GRADIO_TEMP_DIR": str(folder / "tmp"),
    }
    command = [str(python), "-m", "tests.host.harness", str(port), str(folder), LOGIN]
    with (folder / "log.txt").open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        lines = iter(server.stdout.readline, "")
        assert any(line.strip() == "ready" for line in lines), (folder / "log.txt").read_text()[-3000:]
        yield f"http://127.0.0.1:{port}/", folder
        server.stdin.close()
        assert server.wait(30) == 0
    finally:
        if not server.stdin.closed:
            server.stdin.close()
        server.kill()
        server.wait()
        server.stdout.close()


@pytest.fixture
def client(host: tuple[str, Path]) -> Iterator[httpx.Client]:
    """Somebody who is logged in."""
    with httpx.Client(base_url=host[0], trust_env=False, timeout=60) as client:
        name, _, password = LOGIN.partition(":")
        assert client.post("login", data={"username": name, "password": password}).is_success
        yield client


@pytest.fixture
def page(host: tuple[str, Path], client: httpx.Client) -> Iterator[Page]:
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        pytest.skip("There is no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        context = browser.new_context(viewport={"width": 1300, "height": 900}, locale="en-US")
        context.set_default_timeout(PATIENCE)
        context.add_cookies([{"name": one.name, "value": one.value or "", "url": host[0]} for one in client.cookies.jar])
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda problem: problems.append(str(problem)))
        page.goto(host[0])
        yield page
        browser.close()
        assert problems == []


def open_tab(page: Page, name: str) -> None:
    page.locator("#tabs button[role=tab], #tabs > .tab-nav > button").filter(has_text=name).first.click()


def test_only_who_is_logged_in_is_answered(host: tuple[str, Path], client: httpx.Client):
    with httpx.Client(base_url=host[0], trust_env=False, timeout=60) as stranger:
        for path in ("host", "draft", "inventory", "ui/x/main.mjs", "nothing"):
            assert stranger.get(f"atelier/v1/{path}").status_code == 401
        assert stranger.post("atelier/v1/runs", json={}).status_code == 401
    told = client.get("atelier/v1/host").json()
    assert (told["kind"], [one["spec"] for one in told["backends"]]) == ("a1111", ["webui"])
    assert client.post("atelier/v1/runs", json={}, headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.get(f"file={host[1]}/atelier/ledger.db").status_code == 403


def test_a_recipe_is_carried_out_and_its_picture_goes_out_and_comes_in(host: tuple[str, Path], client: httpx.Client, page: Page):
    client.put(
        "atelier/v1/draft", json={"revision": client.get("atelier/v1/draft").json()["revision"], "recipe": RECIPE, "inputs": {}, "base": ""}
    )
    open_tab(page, "Atelier")
    expect(page.locator("#atelier_prompt textarea")).to_have_value("a mug")
    page.locator("#atelier_prompt textarea").fill("a green mug")
    page.locator("#atelier_generate").click()
    expect(page.locator(".atelier-run-line")).to_contain_text("Done")
    saved = list((host[1] / "outputs" / "img2img_samples").iterdir())
    assert len(saved) == 1
    with Image.open(saved[0]) as image:
        assert "a green mug" in image.info["parameters"]
        assert "atelier" in image.info

    for target, shown in (("inpaint", "#img_inpaint_mask img"), ("img2img", "#img2img_image img"), ("extras", "#extras_image img")):
        open_tab(page, "Atelier")
        page.locator(".atelier-send-to").select_option(target)
        expect(page.locator(shown).first).to_be_attached()
        expect(page.locator("#img2img_prompt textarea, #img2img_prompt input").first).to_have_value("a green mug")
    assert page.evaluate("window.inpaintTab") == 4

    open_tab(page, "txt2img")
    page.locator("#txt2img_send_to_atelier").click()
    page.get_by_role("button", name="Use its settings, too").click()
    expect(page.locator("#atelier_prompt textarea")).to_have_value("a red watch, on a beach")
    deadline = time.monotonic() + 20
    while (draft := client.get("atelier/v1/draft").json())["recipe"]["settings"]["seed"] != 12:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    found = client.get(f"atelier/v1/pictures/{draft['inputs']['picture']}")
    assert found.content == (host[1] / "generated.png").read_bytes()
