"""Do rows and axes make the items that the table says, and does each item stand where it belongs?"""

from __future__ import annotations

import io
from typing import Any

from PIL import Image
from playwright.sync_api import Page, expect

from tests.ui.conftest import Tab

PASTE = """(text) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
  document.querySelector(".atelier-rows").dispatchEvent(event);
}"""


def png(size: tuple[int, int], alpha: int) -> bytes:
    file = io.BytesIO()
    image = Image.new("RGBA", size, (200, 40, 40, 255))
    image.paste((0, 0, 0, alpha), (0, 0, size[0] // 2, size[1]))
    image.save(file, "PNG")
    return file.getvalue()


def recipe(**more: Any) -> dict[str, Any]:
    """Cuts pictures out by their transparency: it takes no time, and fails where there is none."""
    stages = [{"id": "cut", "type": "mask", "takes": "product", "mask": {"kind": "alpha"}}]
    inputs = {"product": {"type": "image", "label": "Product"}}
    return {"version": 1, "name": "cut-out", "title": "Cut out", "inputs": inputs, "stages": stages, **more}


def files(**pictures: bytes) -> list[Any]:
    return [{"name": f"{name}.png", "mimeType": "image/png", "buffer": data} for name, data in pictures.items()]


def test_a_cell_that_failed_says_why_and_is_tried_again(page: Page, tab: Tab):
    ids = [tab.api.post("/atelier/v1/pictures", content=png((20, 20), alpha)).json()["id"] for alpha in (0, 255)]
    rows = [{"product": id, "shown": name} for id, name in zip(ids, ("through", "solid"), strict=True)]
    asked = recipe(rows=rows)
    run = tab.post("runs", {"recipe": asked})["id"]
    tab.until(run, "failed")
    tab.open_draft(asked)
    page.goto("/#catalogue")
    failed = page.locator(".atelier-sheet-cell[data-state=failed]")
    expect(failed).to_contain_text("found nothing to choose")
    with page.expect_response(lambda answer: answer.url.endswith("/retry?brief=1")) as answered:
        failed.get_by_role("button", name="Try again").click()
    assert answered.value.ok
    tab.until(run, "failed")


def test_a_pasted_table_is_matched_with_its_pictures_counted_and_made(page: Page, tab: Tab, watched: Any):
    watched.expected = ("422",)  # its plan, as long as the pictures are not there
    tab.open_draft(recipe(axes={"stages.cut.mask.soft": [True]}))
    page.goto("/#catalogue")
    expect(page.locator(".atelier-rows")).to_be_visible()
    page.evaluate(PASTE, "product\tshown\nshop/Cup.png\ta cup\nshop/vase.png\ta vase\n")
    expect(page.get_by_text("2 cells name pictures that are not here yet.")).to_be_visible()
    page.locator(".atelier-missing input").set_input_files(files(cup=png((40, 30), 0), VASE=png((30, 40), 0)))
    expect(page.locator(".atelier-missing")).to_have_count(0)
    expect(page.locator(".atelier-table tbody img")).to_have_count(2)

    page.get_by_role("group", name="stages.cut.mask.soft").get_by_role("button", name="Value", exact=True).click()
    page.get_by_label("New value of stages.cut.mask.soft").fill("false")
    page.keyboard.press("Enter")
    expect(page.get_by_text("4 items", exact=True)).to_be_visible()
    page.get_by_role("button", name="Run 4 items").click()
    expect(page.locator(".atelier-sheet-table tbody tr")).to_have_count(2)
    expect(page.locator(".atelier-sheet-table thead th")).to_have_count(2)
    page.locator(".atelier-sheet-table .atelier-sheet-cell").nth(3).click()
    expect(page.get_by_role("dialog")).to_contain_text("30 × 40")


def test_cells_are_typed_by_keyboard(page: Page, tab: Tab, watched: Any):
    watched.expected = ("422",)  # no row has its picture
    tab.open_draft(recipe(rows=[{"shown": "one"}, {"shown": "two"}]))
    page.goto("/#catalogue")
    first = page.get_by_label("shown, row 1", exact=True)
    first.fill("1, first")
    first.press("Enter")
    expect(page.get_by_label("shown, row 2", exact=True)).to_be_focused()
    page.get_by_role("button", name="Duplicate row 1").click()
    expect(page.get_by_label("shown, row 2", exact=True)).to_have_value("1, first")
    table = page.get_by_role("link", name="Save the table as CSV").get_attribute("href")
    assert table == "data:text/csv;charset=utf-8,shown%0D%0A%221%2C%20first%22%0D%0A%221%2C%20first%22%0D%0Atwo%0D%0A"
