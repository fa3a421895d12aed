"""Is what was made found again: in the history, and out of a picture that is dropped?"""

from __future__ import annotations

import base64
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Tab

# A file from outside, let go over an element, as the browser tells a page of it.
DROP = """([element, file]) => {
  const bytes = Uint8Array.from(atob(file.base64), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], file.name, { type: file.type }));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    element.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }
}"""


@pytest.fixture(scope="package")
def finished(tab: Tab) -> dict[str, Any]:
    """A run of one stage that is done."""
    settings = {"steps": 2, "sampler_name": "Euler", "scheduler": "Automatic", "width": 64, "height": 64, "seed": 5, "prompt": "a blue mug"}
    recipe = {"version": 1, "name": "mug", "title": "A mug to find", "settings": settings, "stages": [{"id": "draw", "type": "txt2img"}]}
    run = tab.post("runs", {"recipe": recipe})["id"]
    return tab.until(run, "done") | {"recipe": recipe}


def picture_file(tab: Tab, run: str) -> dict[str, str]:
    (picture,) = tab.get(f"runs/{run}/pictures", stage="draw")
    data = tab.api.get(f"/atelier/v1/runs/{run}/files/{picture['file']}")
    content = data.content if data.is_success else tab.api.get(f"/atelier/v1/pictures/{picture['id']}").content
    return {"name": "mug.png", "type": "image/png", "base64": base64.b64encode(content).decode()}


@pytest.mark.parametrize("where", ["refine", "runs"])
def test_a_picture_that_is_dropped_becomes_its_recipe_again(page: Page, tab: Tab, finished: dict[str, Any], where: str):
    tab.open_draft(None)
    page.goto(f"/#{where}")
    target = page.locator(".atelier-start" if where == "refine" else ".atelier-runs")
    expect(target).to_be_visible()
    page.evaluate(DROP, [target.element_handle(), picture_file(tab, finished["id"])])
    expect(page.get_by_title("Open another recipe")).to_contain_text("A mug to find")
    expect(page.locator(".atelier-plan-line")).to_contain_text("All is there: 1 cached")


def test_a_picture_of_others_says_that_there_is_no_recipe_in_it(page: Page, tab: Tab, watched: Any):
    watched.expected += ("status of 4",)
    tab.open_draft(None)
    page.goto("/#runs")
    target = page.locator(".atelier-runs")
    expect(target).to_be_visible()
    file = {"name": "photo.png", "type": "image/png", "base64": base64.b64encode(b"\x89PNG\r\n\x1a\nnothing").decode()}
    page.evaluate(DROP, [target.element_handle(), file])
    expect(page.get_by_role("alert")).to_be_visible()


def test_a_run_is_found_by_its_words_and_opened(page: Page, tab: Tab, finished: dict[str, Any]):
    page.goto("/#runs")
    page.get_by_role("searchbox", name="Search runs").fill("A mug to find")
    cards = page.locator(".atelier-run-card")
    expect(cards).to_have_count(1)
    cards.get_by_role("button", name="Open").click()
    expect(page.locator('[data-strip="draw"] .atelier-thumb').first).to_be_visible()


def test_a_run_is_deleted_when_that_was_confirmed(page: Page, tab: Tab, finished: dict[str, Any]):
    recipe = {**finished["recipe"], "title": "Soon gone"}
    tab.until(tab.post("runs", {"recipe": recipe})["id"], "done")
    page.goto("/#runs")
    card = page.locator(".atelier-run-card").filter(has_text="Soon gone")
    card.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(card).to_have_count(1)
    card.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(card).to_have_count(0)
