"""Does every page come up whole, wide and on a phone, light and dark, with nothing that shuts anybody out?

Screenshots are kept, to be looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.demo_model.lora_sets import write_set
from tests.ui.conftest import PHONE, ROOT, WIDE, Tab

SCREENSHOTS = Path(__file__).parent / "screenshots"
IN_SIGHT_LOADED = """() => [...document.images].every((image) => image.complete
    || (image.loading === "lazy" && image.getBoundingClientRect().top > innerHeight))"""
AXE = ROOT / "tests" / "javascript" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = ("start", "refine", "catalogue", "review", "runs", "dataset", "train", "merge", "jobs")
SERIOUS = ("serious", "critical")
LOOKS = {
    "light": {"viewport": WIDE, "color_scheme": "light"},
    "dark": {"viewport": WIDE, "color_scheme": "dark"},
    "phone": {"viewport": PHONE, "color_scheme": "light", "has_touch": True, "is_mobile": True},
}


@pytest.fixture(scope="module")
def shown(tab: Tab, short: dict[str, Any], tiny: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """page → its address, when there is something to see on each."""
    pictures = tmp_path_factory.mktemp("pictures")
    write_set("object", pictures / "mushrooms")
    tab.put("dataset/draft", {"folder": str(pictures / "mushrooms"), "trigger": "mushroom"})
    run = tab.post("runs", {"recipe": short})["id"]
    tab.until(run, "done")
    choice = tab.post("runs", {"recipe": {**tiny, "settings": {**tiny["settings"], "seed": 9}}})["id"]
    tab.until(choice, "waiting")
    return {
        "start": "/#refine",
        "refine": f"/#refine?run={run}",
        "catalogue": f"/#catalogue?run={run}",
        "review": f"/#review?run={choice}",
        "runs": "/#runs",
        "dataset": "/#dataset",
        "train": "/#train",
        "merge": "/#merge",
        "jobs": "/#jobs",
    }


@pytest.fixture(params=LOOKS)
def look(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def page(browser: Browser, tab: Tab, look: str) -> Iterator[Page]:
    context = browser.new_context(locale="en-US", base_url=tab.url, reduced_motion="reduce", **LOOKS[look])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def settled(page: Page, name: str) -> None:
    """Wait until the page shows what it has to show."""
    expect(page.locator(".atelier-loading")).to_have_count(0)
    if name == "refine":
        expect(page.locator(".atelier-big img").first).to_be_visible()
        expect(page.locator(".atelier-plan-line")).to_contain_text("cached")
    if name == "dataset":
        expect(page.locator(".atelier-dataset-cell img").first).to_be_visible()
    page.wait_for_function(IN_SIGHT_LOADED)
    page.wait_for_timeout(300)


@pytest.mark.parametrize("name", PAGES)
def test_every_page(page: Page, tab: Tab, short: dict[str, Any], shown: dict[str, str], look: str, name: str):
    tab.open_draft(None if name == "start" else short, base="" if name == "start" else "short-shots")
    page.goto(shown[name])
    settled(page, name)
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}-{look}.png")
    expect(page.get_by_text("could not be loaded")).to_have_count(0)
    if look != "phone":
        assert page.locator("#atelier_root").get_attribute("data-theme") == look
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= LOOKS[look]["viewport"]["width"], "nothing has to be scrolled sideways"
    assert violations(page) == []


def violations(page: Page) -> list[str]:
    """What axe-core finds that is serious, in words."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run(document, { resultTypes: ['violations'] })).violations")
    return [
        f"{one['id']}: {one['help']}: " + json.dumps([node["html"][:160] for node in one["nodes"][:4]])
        for one in found
        if one["impact"] in SERIOUS
    ]


def test_axe_would_find_something(page: Page, tab: Tab):
    """Guards the guard."""
    page.goto(tab.url)
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<button></button><img src=\"data:,\">')")
    assert {line.split(":")[0] for line in violations(page)} >= {"button-name", "image-alt"}


def test_a_german_browser_gets_german(browser: Browser, tab: Tab):
    tab.open_draft(None)
    context = browser.new_context(locale="de-DE", base_url=tab.url, viewport=WIDE)  # pyright: ignore[reportArgumentType]
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_role("heading", name="Was soll es werden?")).to_be_visible()
    expect(page.get_by_role("button", name="Aufträge")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "de-DE"
    context.close()
