"""Can a recipe be opened, changed, run, watched and stopped, with mouse and keyboard, and does a page that is loaded anew know it all?"""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.ui.conftest import Tab, shortened

# Scrolled to anew each time: the strips follow the newest picture as it is told, and only those in sight hold theirs.
DRAWN_IN_SIGHT = """stage => {
    const strip = document.querySelector(`[data-strip="${stage}"]`);
    strip?.scrollIntoView({ block: "nearest" });
    const picture = strip?.querySelector(".atelier-thumb img");
    return picture?.checkVisibility() && picture.complete && picture.naturalWidth > 0;
}"""


def open_recipe(page: Page, title: str) -> None:
    """From wherever the page is, by the recipe picker."""
    page.goto("/#refine")
    if page.get_by_role("heading", name="What shall it be?").or_(page.get_by_title("Open another recipe")).first.get_attribute("title"):
        page.get_by_title("Open another recipe").click()
    page.get_by_role("button", name=re.compile(title)).click()
    expect(page.get_by_title("Open another recipe")).to_contain_text(title)


def stage_names(page: Page) -> list[str]:
    return page.locator(".atelier-stages [data-stage]").evaluate_all("cards => cards.map(card => card.dataset.stage)")


def test_product_shots_end_to_end(page: Page, tab: Tab):
    short = shortened(tab, "forest-shots", "One watch in a forest", "in a forest")
    tab.open_draft(None)
    open_recipe(page, "One watch in a forest")
    expect(page.locator(".atelier-plan-line")).to_contain_text("will run")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("region", name="Run")).to_have_attribute("data-state", "done", timeout=240_000)

    run = tab.get("runs", recipe="forest-shots")[0]
    assert run["counts"]["failed"] == 0
    drawn = [stage["id"] for stage in short["stages"] if stage["type"] not in ("review", "export")]
    for stage in drawn:
        page.wait_for_function(DRAWN_IN_SIGHT, arg=stage)
    sheet = tab.get(f"runs/{run['id']}/pictures", stage="contact_sheet")[0]
    assert sheet["width"] > 6 * 64
    expect(page.locator(".atelier-plan-line")).to_contain_text("cached")


def test_a_change_says_what_it_makes_anew(page: Page, tab: Tab, short: dict[str, Any]):
    tab.open_draft(short, base="short-shots")
    tab.until(tab.post("runs", {"recipe": short})["id"], "done")
    page.goto("/#refine")
    line = page.locator(".atelier-plan-line")
    expect(line).to_contain_text("cached")
    page.locator('[data-stage="strap"] .atelier-stage-face').click()
    strength = page.locator('[data-stage="strap"]').get_by_role("spinbutton", name="Denoising strength")
    strength.fill("0.8")
    strength.press("Enter")
    expect(line).to_contain_text("will run")
    expect(line).to_contain_text("denoising_strength 0.9 → 0.8")
    page.get_by_role("button", name="Undo").click()
    expect(line).not_to_contain_text("will run")


def test_a_prompt_tells_how_long_it_is(page: Page, tab: Tab, short: dict[str, Any]):
    tab.open_draft(short, base="short-shots")
    page.goto("/#refine")
    prompt = page.locator("#atelier_prompt")
    prompt.locator("textarea").fill("a red watch")
    expect(prompt.locator(".atelier-tokens")).to_have_text("3/75")
    prompt.locator("textarea").fill("")
    expect(prompt.locator(".atelier-tokens")).to_have_count(0)


def test_a_stage_is_moved_by_keyboard_and_button_and_the_server_has_it(page: Page, tab: Tab, short: dict[str, Any]):
    tab.open_draft(short, base="short-shots")
    page.goto("/#refine")
    page.wait_for_selector('[data-stage="strap"]')
    before = stage_names(page)
    handle = page.locator('[data-stage="surroundings"] .atelier-handle')
    handle.focus()
    handle.press("ArrowUp")
    moved = before.copy()
    at = moved.index("surroundings")
    moved[at - 1 : at + 1] = ["surroundings", moved[at - 1]]
    page.wait_for_function(
        "names => [...document.querySelectorAll('.atelier-stages [data-stage]')].map(card => card.dataset.stage).join() === names",
        arg=",".join(moved),
    )
    until_saved(page, tab, moved)
    page.locator('[data-stage="surroundings"] .atelier-stage-face').click()
    page.locator('[data-stage="surroundings"] .atelier-stage-tools').get_by_role("button", name="Move down").click()
    until_saved(page, tab, before)


def until_saved(page: Page, tab: Tab, names: list[str]) -> None:
    for _ in range(100):
        if [stage["id"] for stage in tab.get("draft")["recipe"]["stages"]] == names:
            break
        page.wait_for_timeout(100)
    assert stage_names(page) == names
    assert [stage["id"] for stage in tab.get("draft")["recipe"]["stages"]] == names


def test_a_stage_is_dragged(page: Page, tab: Tab, short: dict[str, Any]):
    tab.open_draft(short, base="short-shots")
    page.goto("/#refine")
    page.wait_for_selector('[data-stage="strap"]')
    before = stage_names(page)
    page.locator('[data-stage="files"] .atelier-handle').drag_to(
        page.locator('[data-stage="steps"] .atelier-stage-face'), target_position={"x": 20, "y": 4}
    )
    page.wait_for_function(
        "names => [...document.querySelectorAll('.atelier-stages [data-stage]')].map(card => card.dataset.stage).join() !== names",
        arg=",".join(before),
    )
    assert stage_names(page).index("files") < stage_names(page).index("contact_sheet")


def long_recipe(seed: int) -> dict[str, Any]:
    settings = {
        "steps": 30,
        "sampler_name": "Euler",
        "scheduler": "Automatic",
        "width": 128,
        "height": 128,
        "seed": seed,
        "prompt": "a red watch {n}",
    }
    stages = [{"id": "base", "type": "txt2img"}, {"id": "again", "type": "img2img", "takes": "base"}]
    return {"version": 1, "name": "long", "title": "Very many", "axes": {"n": list(range(200))}, "settings": settings, "stages": stages}


def test_a_page_loaded_in_the_middle_of_a_run_goes_on_showing_it_and_cancel_ends_it(page: Page, tab: Tab):
    tab.open_draft(long_recipe(1))
    page.goto("/#refine")
    page.get_by_role("button", name="Run", exact=True).click()
    region = page.get_by_role("region", name="Run")
    expect(region).to_have_attribute("data-state", "running")
    expect(page.locator(".atelier-run-line")).to_contain_text(re.compile(r"[1-9]\d* of 400 done"))
    page.reload()
    expect(region).to_have_attribute("data-state", "running")
    expect(page.locator(".atelier-run-line")).to_contain_text(re.compile(r"[1-9]\d* of 400 done"))
    expect(page.locator('[data-strip="base"] .atelier-thumb').first).to_be_visible()

    region.get_by_role("button", name="Cancel").click()
    expect(region).to_have_attribute("data-state", "cancelled")
    run = tab.get("runs", recipe="long")[0]
    assert run["state"] == "cancelled"
    assert 0 < run["counts"]["done"] < 400


def test_closing_the_page_leaves_the_run_alone(page: Page, tab: Tab):
    recipe = long_recipe(2)
    run = tab.post("runs", {"recipe": recipe})["id"]
    tab.open_draft(recipe)
    page.goto("/#refine")
    expect(page.get_by_role("region", name="Run")).to_have_attribute("data-state", "running")
    page.close()
    done = tab.get(f"runs/{run}", brief=1)
    while tab.get(f"runs/{run}", brief=1)["stages"][0]["done"] == done["stages"][0]["done"]:
        assert tab.get(f"runs/{run}", brief=1)["state"] == "running"
    tab.post(f"runs/{run}/cancel")
    tab.until(run, "cancelled")
