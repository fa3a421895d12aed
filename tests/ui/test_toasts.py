"""Are messages seen and closed wherever the reader is: far down on a page, or in a dialog that keeps all else out of reach?"""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.ui.conftest import Tab

TOAST = """async (text) => {
  const base = new URL(document.getElementById("atelier_root").dataset.modules, document.baseURI);
  const { start } = await import(base);
  (await start()).toast(text, { kind: "error" });
}"""
ON_TOP = """(element) => {
  const box = element.getBoundingClientRect();
  return element.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
}"""


def test_a_message_is_above_an_open_dialog_and_stays_when_it_closes(page: Page, tab: Tab):
    tab.open_draft(tab.get("recipes/product-shots")["recipe"], base="product-shots")
    page.goto("/#refine")
    page.locator(".atelier-title").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.evaluate(TOAST, "First word")
    toast = page.locator(".atelier-toast")
    expect(toast).to_have_count(1)
    expect(dialog.get_by_text("First word")).to_be_in_viewport()
    assert toast.evaluate(ON_TOP)
    page.evaluate(TOAST, "Second word")
    dialog.locator(".atelier-toast", has_text="First word").get_by_role("button", name="Close").click()
    expect(toast).to_have_text("Second word")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(toast).to_have_text("Second word")
    expect(toast).to_be_in_viewport()
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    expect(toast).to_be_in_viewport()
    toast.get_by_role("button", name="Close").click()
    expect(toast).to_have_count(0)
