"""Can a choice be made by keyboard alone, and does the run go on with it?"""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.ui.conftest import Tab


def waiting(tab: Tab, recipe: dict[str, Any]) -> str:
    run = tab.post("runs", {"recipe": recipe})["id"]
    tab.until(run, "waiting")
    return run


def test_by_keyboard_alone(page: Page, tab: Tab, tiny: dict[str, Any]):
    run = waiting(tab, tiny)
    page.goto(f"/#review?run={run}")
    candidates = page.locator(".atelier-candidate-face")
    expect(candidates).to_have_count(3)
    expect(candidates.nth(0)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(candidates.nth(1)).to_be_focused()
    page.keyboard.press("x")
    expect(page.locator(".atelier-candidate").nth(1)).to_have_attribute("data-rejected", "true")
    page.keyboard.press("3")
    expect(candidates.nth(2)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("c")
    expect(page.get_by_role("button", name="Compare")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(candidates).to_have_count(3)
    page.keyboard.press("Enter")
    tab.until(run, "done")
    assert len(tab.get(f"runs/{run}/pictures", stage="base")) == 3
    assert len(tab.get(f"runs/{run}/pictures", stage="finish")) == 1
    expect(page.get_by_text("All is chosen; the run goes on.").or_(page.get_by_title("Open another recipe")).first).to_be_visible()


def test_from_the_run_bar_by_mouse(page: Page, tab: Tab, tiny: dict[str, Any]):
    recipe = {**tiny, "settings": {**tiny["settings"], "seed": 8}}
    run = waiting(tab, recipe)
    tab.open_draft(recipe)
    page.goto(f"/#refine?run={run}")
    page.get_by_role("button", name="Choose", exact=True).click()
    page.locator(".atelier-candidate-face").nth(1).click()
    page.get_by_role("button", name="Go on with").click()
    tab.until(run, "done")
