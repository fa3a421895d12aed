"""Does a folder of pictures become a LoRA on three screens: looked at, estimated, trained, stopped, gone on with, and put into a prompt?"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from tests.ui.conftest import Tab, served_tab
from tests.ui.test_looks import LOOKS, SCREENSHOTS, violations

SECONDS = 1000
SLOW = 180 * SECONDS  # the trainer imports torch and its libraries on a machine that others work on, too


@pytest.fixture(scope="module", autouse=True)
def screenshots() -> None:
    SCREENSHOTS.mkdir(exist_ok=True)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With this Python as the worker's, and a folder of pictures."""
    home = tmp_path_factory.mktemp("train")
    (home / "models" / "Lora").mkdir(parents=True)
    python = home / "worker" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    folder = home / "pictures" / "discs"
    folder.mkdir(parents=True)
    for number in range(4):
        size = (64, 64) if number else (96, 64)
        image = Image.new("RGB", size, (50 * number, 90, 200 - 30 * number))
        ImageDraw.Draw(image).ellipse((16, 16, 48, 48), fill=(250, 60 * number, 30))
        image.save(folder / f"{number}.png")
        if number:
            (folder / f"{number}.txt").write_text(f"a disc, colour {number}")
    return home


@pytest.fixture(scope="module")
def tab(chromium: str, home: Path) -> Iterator[Tab]:
    with served_tab(home, home) as tab:
        yield tab


def prepared(home: Path, name: str = "disc", **run: int) -> dict[str, object]:
    """A short training of the demo model."""
    return {
        "name": name,
        "model": {"checkpoint": "demo"},
        "data": {"concepts": [{"folder": str(home / "pictures" / "discs"), "trigger": "zkdisc"}], "resolution": 64, "bucket_step": 32},
        "network": {"rank": 2, "alpha": 2.0},
        "optimizer": {"optimizer": "AdamW"},
        "memory": {"device": "cpu", "threads": 1},
        "run": {"samples": [{"prompt": "zkdisc", "steps": 2, "width": 64, "height": 64}], **run},
    }


def keep(tab: Tab, training: dict[str, object]) -> None:
    tab.put("training/draft", {"training": training, "preset": ""})


def test_pictures_are_looked_at_and_mistakes_stand_beside_their_fields(page: Page, tab: Tab, home: Path):
    keep(tab, {**prepared(home), "network": {"rank": 0}})
    page.goto("/#train")
    pictures = page.get_by_role("region", name="Pictures", exact=True)
    pictures.get_by_role("button", name="Choose a folder").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("4 pictures")).to_be_visible()
    dialog.get_by_role("button", name="The folder above").click()
    dialog.get_by_role("button", name="discs 4 pictures").click()
    dialog.get_by_role("button", name="Take this folder").click()
    expect(pictures.get_by_label("Folder", exact=True)).to_have_value(str(home / "pictures" / "discs"))

    found = page.get_by_role("region", name="What is found")
    found.get_by_role("button", name="Look at the pictures").click()
    expect(found.get_by_text("4 pictures")).to_be_visible(timeout=SLOW)
    expect(found.get_by_text("3 with a caption")).to_be_visible()
    expect(found.get_by_role("list", name="Sizes")).to_contain_text("64 × 64")
    expect(found.get_by_role("heading", name="1 mistake")).to_be_visible()
    page.screenshot(path=SCREENSHOTS / "train-found.png", full_page=True)
    found.get_by_role("button", name="On to the settings").click()
    page.get_by_label("Show").check()
    expect(page.locator('[data-path="network.rank"] .atelier-note')).to_contain_text("network.rank is 0")
    assert tab.get("jobs") == []


def test_a_preset_sets_what_it_speaks_of_and_an_estimate_says_what_it_takes(page: Page, tab: Tab, home: Path):
    keep(tab, prepared(home, steps=20))
    page.goto("/#train?screen=settings")
    page.get_by_role("radio", name="12 GB").check()
    page.get_by_role("radio", name="6 to 8 GB").check()
    page.get_by_label("Show").check()
    page.screenshot(path=SCREENSHOTS / "train-expert.png", full_page=True)
    expect(page.locator("#atelier-field-train-all-network-rank")).to_have_value("8")
    page.wait_for_timeout(900)
    draft = tab.get("training")["draft"]
    assert (draft["preset"], draft["training"]["run"]["steps"], draft["training"]["name"]) == ("small", 600, "disc")
    assert draft["training"]["data"]["concepts"][0]["trigger"] == "zkdisc"

    keep(tab, prepared(home, steps=20))
    page.reload()
    takes = page.get_by_role("region", name="What it takes")
    takes.get_by_role("button", name="Estimate").click()
    expect(takes.get_by_text("20", exact=True)).to_be_visible(timeout=SLOW)
    expect(takes).to_contain_text("cpu, fp32")
    page.screenshot(path=SCREENSHOTS / "train-estimate.png")


def test_a_training_is_paused_stopped_gone_on_with_and_put_into_the_prompt(page: Page, tab: Tab, home: Path):
    keep(tab, prepared(home, steps=4000, save_every=0))
    page.goto("/#train?screen=run")
    page.get_by_role("region", name="Start").get_by_role("button", name="Train").click()
    job = page.get_by_role("region", name="LoRA disc")
    expect(job.locator(".atelier-plot svg").first).to_be_visible(timeout=SLOW)
    expect(job.get_by_role("list", name="Pictures").get_by_role("img").first).to_be_visible()

    page.wait_for_timeout(1000)
    page.screenshot(path=SCREENSHOTS / "train-at-work.png", full_page=True)
    job.get_by_role("button", name="Pause").click()
    expect(job.locator(".atelier-job-progress")).to_contain_text("paused")
    page.reload()
    job.get_by_role("button", name="Go on").click()
    expect(job.locator(".atelier-job-progress")).to_contain_text("a step")
    job.get_by_role("button", name="Stop and save").click()
    expect(job.get_by_role("alert")).to_contain_text("everything is saved", timeout=SLOW)
    run = home / "training-runs" / "disc"
    steps = [int(state.name.removeprefix("step-")) for state in (run / "states").iterdir() if state.name.startswith("step-")]
    assert 0 < max(steps, default=0) < 4000

    stopped = max(steps)
    keep(tab, prepared(home, steps=stopped + 5, save_every=0))
    page.reload()
    page.get_by_role("region", name="Start").get_by_role("button", name="Train").click()
    ready = page.get_by_role("region", name="The LoRA is ready")
    expect(ready).to_be_visible(timeout=SLOW)
    page.screenshot(path=SCREENSHOTS / "train-done.png", full_page=True)
    expect(job.get_by_role("log")).to_contain_text(f"Going on from step {stopped}")
    assert (home / "models" / "Lora" / "disc.safetensors").is_file()
    assert "disc" in tab.get("inventory", fresh=1)["loras"]
    ready.get_by_role("button", name="Into the prompt: <lora:").click()
    page.get_by_role("button", name="Refine").first.click()
    expect(page.locator("#atelier_prompt textarea")).to_have_value("zkdisc <lora:disc:0.8>")
    assert json.loads((run / "config.json").read_text())["run"]["steps"] == stopped + 5


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("screen", ["pictures", "settings", "run"])
def test_every_screen_is_whole(page: Page, tab: Tab, home: Path, look: str, screen: str):
    keep(tab, prepared(home, steps=20))
    page.set_viewport_size(LOOKS[look]["viewport"])
    page.emulate_media(color_scheme=LOOKS[look]["color_scheme"])
    page.goto(f"/#train?screen={screen}")
    expect(page.locator(".atelier-loading")).to_have_count(0)
    page.wait_for_timeout(500)
    page.screenshot(path=SCREENSHOTS / f"train-{screen}-{look}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= LOOKS[look]["viewport"]["width"]
    assert violations(page) == []
