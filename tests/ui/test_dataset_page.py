"""Is a folder of pictures looked through, edited with a preview and taken back, captioned by keys and a network, checked, handed on?"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Dialog, Locator, Page, expect

from tests.demo_model.scenes import training_scene
from tests.ui.conftest import PHONE, Tab, served_tab
from tests.ui.test_looks import SCREENSHOTS, violations

SLOW = 180_000  # milliseconds: the trainer imports its libraries on a machine that others work on, too
CAPTIONS = (
    "zkset, a white watch with a black strap, in a studio",
    "zkset, a green triangle, in a forest",
    "zkset, a blue bottle, at sunset",
    "zkset, a purple star, in a studio",
    "zkset, a purple character standing, side view, at sunset",
    None,
    "zkset, an orange star, at night, " + ", ".join(f"long tag {number}" for number in range(80)),
)


@pytest.fixture(scope="module", autouse=True)
def screenshots() -> None:
    SCREENSHOTS.mkdir(exist_ok=True)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With this Python as the worker's."""
    home = tmp_path_factory.mktemp("dataset")
    python = home / "worker" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return home


@pytest.fixture(scope="module")
def tab(chromium: str, home: Path) -> Iterator[Tab]:
    with served_tab(home, home) as tab:
        yield tab


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Drawings of the demo's things, most of them with captions."""
    folder = tmp_path / "things"
    folder.mkdir()
    for number, caption in enumerate(CAPTIONS):
        training_scene(number).picture.save(folder / f"{number}.png")
        if caption is not None:
            (folder / f"{number}.txt").write_bytes(f"{caption}\r\n".encode())
    return folder


def opened(page: Page, tab: Tab, folder: Path, screen: str = "", **draft: Any) -> None:
    tab.put("dataset/draft", {"folder": str(folder), **draft})
    page.goto("about:blank")
    page.goto(f"/#dataset?screen={screen}" if screen else "/#dataset")


def cells(page: Page) -> Locator:
    return page.get_by_role("list", name="Pictures").get_by_role("listitem")


def standing(page: Page) -> Locator:
    return page.get_by_role("toolbar").get_by_role("status")


def captions(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.glob("*.txt"))}


def test_a_folder_is_chosen_filtered_and_the_same_after_a_reload(page: Page, tab: Tab, folder: Path):
    tab.put("dataset/draft", {})
    page.goto(f"/#dataset?folder={folder.parent}")
    page.get_by_role("button", name="choose another").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="things 7 pictures").click()
    expect(dialog.get_by_text(str(folder), exact=True)).to_be_visible()
    dialog.get_by_role("button", name="Take this folder").click()
    expect(page.get_by_text("7 pictures · 1 without a caption")).to_be_visible()
    expect(cells(page)).to_have_count(7)
    expect(cells(page).nth(6)).to_contain_text("cut off by a training")
    expect(cells(page).nth(5)).to_contain_text("No caption")

    tags = page.get_by_role("list", name="Tags")
    tags.get_by_role("button", name="at sunset 2", exact=True).click()
    expect(standing(page)).to_contain_text("2 of 7")
    tags.get_by_role("button", name="side view 1", exact=True).click(modifiers=["Alt"])
    expect(standing(page)).to_contain_text("1 of 7")
    asked = page.get_by_role("group", name="What the filter asks")
    expect(asked).to_contain_text("lacks side view")
    page.get_by_role("button", name="Table").click()
    page.wait_for_timeout(900)
    page.reload()
    expect(page.get_by_role("table")).to_contain_text("a blue bottle")
    expect(asked).to_contain_text("has at sunset")
    expect(standing(page)).to_contain_text("1 of 7")
    asked.get_by_role("button", name="Without lacks side view").click()
    expect(page.get_by_role("row")).to_have_count(3)

    page.get_by_label("Has the text").fill("STAR")
    expect(page.get_by_text("No picture is as the filter asks.")).to_be_visible()
    page.get_by_label("Of these conditions").select_option("any")
    expect(standing(page)).to_contain_text("4 of 7")
    filters = page.get_by_role("region", name="Filter", exact=True)
    filters.get_by_text("more settings").click()
    filters.get_by_label("Fits the pattern").fill("(")
    expect(page.get_by_role("alert")).to_contain_text("no regular expression")
    page.wait_for_timeout(900)
    page.reload()
    page.get_by_role("button", name="Clear the filter").click()
    expect(standing(page)).to_contain_text("7 pictures")
    assert violations(page) == []


def test_an_edit_is_shown_before_it_is_done_and_taken_back_byte_for_byte(page: Page, tab: Tab, folder: Path):
    before = captions(folder)
    opened(page, tab, folder)
    panel = page.get_by_role("region", name="Edit captions")
    cells(page).nth(1).click()
    cells(page).nth(3).click(modifiers=["Shift"])
    expect(standing(page)).to_contain_text("3 selected")
    cells(page).nth(2).click()
    expect(panel).to_contain_text("2 captions")
    panel.get_by_role("button", name="Replace", exact=True).click()
    panel.get_by_label("Tag", exact=True).fill("in a st")
    page.get_by_role("option", name="in a studio").click()
    panel.get_by_label("By the tags: add").fill("indoors")
    panel.get_by_label("By the tags: add").press("Enter")
    changes = panel.get_by_role("list", name="What would change").get_by_role("listitem")
    expect(changes).to_have_count(1)
    expect(changes.locator("del")).to_have_text("goes: in a studio")
    expect(changes.locator("ins")).to_have_text("comes: indoors")
    assert captions(folder) == before
    page.screenshot(path=SCREENSHOTS / "dataset-edit.png")
    panel.get_by_role("button", name="Change 1 caption").click()
    expect(cells(page).nth(3)).to_contain_text("indoors")
    expect(cells(page).nth(0)).to_contain_text("in a studio")
    expect(panel).to_contain_text("Nothing would change.")
    assert captions(folder)["3.txt"].strip() == b"zkset, a purple star, indoors"
    panel.get_by_text("History").click()
    expect(panel).to_contain_text(re.compile(r"1 caption · \d+/\d+/\d\d, "))
    panel.get_by_role("button", name="Undo").click()
    expect(cells(page).nth(3)).to_contain_text("in a studio")
    expect(panel.locator("del", has_text="indoors")).to_have_count(1)
    assert captions(folder) == before

    panel.get_by_role("button", name="Replace text").click()
    panel.get_by_label("Find", exact=True).fill("(")
    panel.get_by_label("It is a regular expression").check()
    expect(panel.get_by_role("alert")).to_contain_text("regular expression")
    expect(panel.get_by_role("button", name="Change captions")).to_be_disabled()


def test_captions_are_written_by_keys_alone(page: Page, tab: Tab, folder: Path):
    opened(page, tab, folder)
    cells(page).first.get_by_role("button").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("End")
    expect(cells(page).nth(6).get_by_role("button").first).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    expect(standing(page)).to_contain_text("2 selected")
    page.keyboard.press("Control+a")
    expect(standing(page)).to_contain_text("7 selected")
    page.keyboard.press("Escape")
    expect(standing(page)).not_to_contain_text("selected")
    page.keyboard.press("Enter")
    view = page.get_by_role("region", name="Caption of 2.png")
    expect(view.get_by_label("Caption", exact=True)).to_be_focused()
    page.keyboard.press("Control+End")
    page.keyboard.type(", glass")
    expect(view.get_by_role("status")).to_have_text("Not saved yet")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("region", name="Caption of 3.png")).to_be_visible()
    assert (folder / "2.txt").read_text().strip() == "zkset, a blue bottle, at sunset, glass"
    page.keyboard.type("nothing of this")
    page.keyboard.press("Escape")
    page.keyboard.press("PageDown")
    page.keyboard.press("Alt+ArrowRight")
    view = page.get_by_role("region", name="Caption of 5.png")
    expect(view.get_by_label("Caption", exact=True)).to_have_value("")
    view.get_by_label("Add a tag").focus()
    page.keyboard.type("purp")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type("a moon, at night")
    page.keyboard.press("Enter")
    expect(view.get_by_label("Caption", exact=True)).to_have_value("a purple character standing, a moon, at night")
    view.get_by_role("button", name="Without a moon").press("Enter")
    expect(view.get_by_role("button", name="Without a moon")).to_have_count(0)
    page.screenshot(path=SCREENSHOTS / "dataset-picture.png")
    assert violations(page) == []
    page.reload()
    expect(view.get_by_label("Caption", exact=True)).to_have_value("")
    expect(view.get_by_text("6 of 7")).to_be_visible()  # its neighbours are known
    page.keyboard.press("Alt+ArrowUp")
    expect(page.get_by_role("region", name="Caption of 4.png")).to_be_visible()
    page.keyboard.press("Escape")
    expect(cells(page).nth(4).get_by_role("button").first).to_be_focused()
    assert captions(folder)["3.txt"].decode().strip() == CAPTIONS[3]
    assert not (folder / "5.txt").exists()


def test_a_caption_that_was_changed_meanwhile_is_not_written_over(page: Page, tab: Tab, folder: Path, watched: Any):
    watched.expected += ("status of 409",)
    opened(page, tab, folder)
    cells(page).nth(1).dblclick()
    view = page.get_by_role("region", name="Caption of 1.png")
    view.get_by_label("Caption", exact=True).fill("mine")
    (folder / "1.txt").write_text("theirs")
    view.get_by_role("button", name="Save", exact=True).click()
    note = view.get_by_role("alert")
    expect(note).to_contain_text("changed this caption meanwhile")
    expect(note).to_contain_text("theirs")
    expect(view.get_by_label("Caption", exact=True)).to_have_value("mine")
    page.screenshot(path=SCREENSHOTS / "dataset-theirs.png")
    assert violations(page) == []
    page.keyboard.press("PageDown")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(view.get_by_label("Caption", exact=True)).to_have_value("mine")
    assert (folder / "1.txt").read_text() == "theirs"
    note.get_by_role("button", name="Keep mine").click()
    expect(note).to_have_count(0)
    expect(view.get_by_text("Not saved yet")).to_have_count(0)
    expect(view.get_by_label("Caption", exact=True)).to_have_value("mine")
    assert (folder / "1.txt").read_text().strip() == "mine"

    view.get_by_label("Caption", exact=True).fill("mine again")
    (folder / "1.txt").write_text("theirs again")
    view.get_by_role("button", name="Save, and the next").click()
    note.get_by_role("button", name="Take theirs").click()
    expect(view.get_by_label("Caption", exact=True)).to_have_value("theirs again")
    assert (folder / "1.txt").read_text() == "theirs again"


def test_whichever_way_a_caption_is_left_it_is_saved_or_kept(page: Page, tab: Tab, folder: Path, watched: Any):
    watched.expected += ("status of 409",)
    opened(page, tab, folder)

    def typed(number: int) -> Locator:
        cells(page).nth(number).dblclick()
        area = page.get_by_role("region", name=f"Caption of {number}.png").get_by_label("Caption", exact=True)
        area.fill(f"typed {number}")
        return area

    def said(number: int) -> str:
        return (folder / f"{number}.txt").read_text().strip()

    typed(0)
    page.get_by_role("button", name="Prepare", exact=True).first.click()
    expect(page.get_by_role("region", name="Prepare the pictures")).to_be_visible()
    assert said(0) == "typed 0"
    page.get_by_role("button", name="Pictures", exact=True).click()
    expect(cells(page).nth(0)).to_contain_text("typed 0")
    typed(1)
    page.get_by_role("button", name="Train with these pictures").click()
    page.wait_for_url("**/#train")
    assert said(1) == "typed 1"
    page.get_by_role("button", name="Dataset", exact=True).click()
    typed(2)
    page.get_by_role("button", name="Similar pictures").click()
    expect(page.get_by_role("group", name="What the filter asks")).to_contain_text("like 2.png")
    assert said(2) == "typed 2"
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(standing(page)).to_contain_text("7 pictures")

    typed(3)  # the other pages ask nobody: it is written behind them
    with page.expect_response("**/dataset/caption"):
        page.get_by_role("button", name="Jobs", exact=True).click()
    assert said(3) == "typed 3"
    page.get_by_role("button", name="Dataset", exact=True).click()
    typed(4)
    (folder / "4.txt").write_text("theirs")
    page.get_by_role("button", name="Jobs", exact=True).click()
    page.get_by_role("alert").get_by_role("button", name="Back to it").click()
    view = page.get_by_role("region", name="Caption of 4.png")
    expect(view.get_by_label("Caption", exact=True)).to_have_value("typed 4")
    expect(view.get_by_role("alert")).to_contain_text("theirs")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stay)
    page.evaluate("void setTimeout(() => location.reload())")
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    expect(view.get_by_label("Caption", exact=True)).to_have_value("typed 4")
    view.get_by_role("button", name="Take theirs").click()
    page.reload()
    expect(view.get_by_label("Caption", exact=True)).to_have_value("theirs")


def test_a_crop_is_drawn_adjusted_by_keys_and_prepared(page: Page, tab: Tab, folder: Path):
    with Image.open(folder / "2.png") as picture:
        before = picture.convert("RGB")
    opened(page, tab, folder, prepare={"processes": 1})
    page.get_by_role("button", name="Edit 2.png").click()
    view = page.get_by_role("region", name="Caption of 2.png")
    view.get_by_role("button", name="Crop", exact=True).click()
    frame = view.get_by_role("application")
    expect(frame).to_be_focused()
    view.locator(".atelier-crop-stage img").evaluate("image => image.decode()")
    place = frame.bounding_box()
    assert place is not None
    pixel = place["width"] / before.width
    at = lambda x, y: (place["x"] + x * pixel, place["y"] + y * pixel)  # noqa: E731
    page.mouse.move(*at(16, 24))
    page.mouse.down()
    page.mouse.move(*at(50, 60))
    page.mouse.move(*at(80, 104), steps=3)
    page.mouse.up()
    expect(view.get_by_text("64 × 80 are kept")).to_be_visible()
    page.screenshot(path=SCREENSHOTS / "dataset-crop.png")
    assert violations(page) == []
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    for _ in range(4):
        page.keyboard.press("Shift+ArrowLeft")
    expect(view.get_by_text("60 × 80 are kept")).to_be_visible()
    page.keyboard.press("Enter")
    expect(view.get_by_role("button", name="Crop", exact=True)).to_be_focused()
    view.get_by_role("button", name="All pictures").click()
    expect(cells(page).nth(2)).to_contain_text("cropped")
    expect(cells(page).nth(1)).not_to_contain_text("cropped")

    page.get_by_role("button", name="Edit 3.png").click()  # one that is taken away again
    view = page.get_by_role("region", name="Caption of 3.png")
    view.get_by_role("button", name="Crop", exact=True).click()
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("PageDown")
    expect(page.get_by_role("region", name="Caption of 4.png").get_by_role("application")).to_be_focused()
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("Delete")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Prepare", exact=True).first.click()
    prepare = page.get_by_role("region", name="Prepare the pictures")
    expect(prepare).to_contain_text("2 boxes by hand")
    prepare.get_by_role("button", name="Without 3.png").click()
    expect(prepare).to_contain_text("1 box by hand")
    prepare.get_by_role("button", name="Prepare", exact=True).click()
    page.get_by_role("button", name="Open the prepared folder").click(timeout=SLOW)
    expect(cells(page)).to_have_count(7)
    expect(page.get_by_text("cropped", exact=True)).to_have_count(0)
    with Image.open(folder.parent / "things-prepared" / "2.png") as written:
        assert written.size == (60, 80)
        assert written.convert("RGB").tobytes() == before.crop((19, 23, 79, 103)).tobytes()
    with Image.open(folder.parent / "things-prepared" / "3.png") as whole:
        assert whole.size == before.size
    page.goto(f"/#dataset?folder={folder}")
    expect(cells(page).nth(2)).to_contain_text("cropped")  # it is remembered with its folder


def test_a_crop_is_drawn_by_a_finger(browser: Browser, tab: Tab, folder: Path):
    context = browser.new_context(
        base_url=tab.url,
        viewport=PHONE,  # pyright: ignore[reportArgumentType]
        has_touch=True,
        is_mobile=True,
        locale="en-US",
    )
    page = context.new_page()
    opened(page, tab, folder)
    page.goto("/#dataset?picture=2.png")
    view = page.get_by_role("region", name="Caption of 2.png")
    view.get_by_role("button", name="Crop", exact=True).tap()
    frame = view.get_by_role("application")
    frame.scroll_into_view_if_needed()
    place = frame.bounding_box()
    assert place is not None
    finger = context.new_cdp_session(page)

    def touch(kind: str, *share: float) -> None:
        points = [{"x": place["x"] + share[0] * place["width"], "y": place["y"] + share[1] * place["height"]}] if share else []
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 0.25, 0.25)
    touch("touchMove", 0.5, 0.6)
    touch("touchMove", 0.75, 0.75)
    touch("touchEnd")
    expect(view.get_by_text(re.compile(r"6[345] × 6[345] are kept"))).to_be_visible()
    touch("touchStart", 0.74, 0.74)  # the corner
    touch("touchMove", 0.8, 0.85)
    touch("touchMove", 0.99, 0.99)
    touch("touchEnd")
    expect(view.get_by_text(re.compile(r"9[4567] × 9[4567] are kept"))).to_be_visible()
    page.screenshot(path=SCREENSHOTS / "dataset-crop-phone.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    context.close()


def test_pictures_like_one_are_found(page: Page, tab: Tab, folder: Path):
    with Image.open(folder / "2.png") as picture:
        picture.resize((140, 140)).save(folder / "again.jpg", quality=70)
    opened(page, tab, folder)
    cells(page).nth(2).click()
    page.get_by_role("toolbar").get_by_role("button", name="Similar").click()
    expect(page.get_by_role("group", name="What the filter asks")).to_contain_text("like 2.png")
    expect(cells(page)).to_have_count(2)
    expect(cells(page).nth(1)).to_contain_text("No caption")
    cells(page).nth(1).click()
    page.get_by_role("toolbar").get_by_role("button", name="Leave out").click()
    expect(cells(page).nth(1)).to_contain_text("left out")
    page.get_by_role("button", name="Prepare", exact=True).first.click()
    expect(page.get_by_role("group", name="Leave out")).to_contain_text("again.jpg")


def test_of_many_pictures_only_those_in_sight_are_there(page: Page, tab: Tab, tmp_path: Path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(450):
        Image.new("RGB", (8, 8), (number % 256, 90, 20)).save(folder / f"{number:03}.png")
        (folder / f"{number:03}.txt").write_text("zkset, one of many")
    opened(page, tab, folder, isEditing=True)
    page.get_by_label("Trigger word", exact=True).fill("zkset")
    expect(page.get_by_role("button", name="one of many 100 %")).to_be_visible()
    cells(page).nth(2).click()
    page.keyboard.press("End")
    last = page.get_by_role("button", name="449.png").first
    expect(last).to_be_focused()
    assert cells(page).count() < 80
    last.click(modifiers=["Shift"])
    expect(standing(page)).to_contain_text("448 selected")
    page.keyboard.press("Control+a")
    page.keyboard.press("Space")
    expect(standing(page)).to_contain_text("449 selected")
    panel = page.get_by_role("region", name="Edit captions")
    panel.get_by_role("button", name="Set", exact=True).click()
    panel.get_by_label("Caption", exact=True).fill("all but one")
    panel.get_by_role("button", name="Change 449 captions").click()
    expect(page.get_by_text("449 captions").last).to_be_visible()
    expect(page.get_by_role("list", name="Tags").get_by_role("button", name="all but one 449")).to_be_visible()
    assert (folder / "449.txt").read_text() == "zkset, one of many"
    page.get_by_role("button", name="Undo the last edit of captions").click()
    expect(page.get_by_role("list", name="Tags").get_by_role("button", name="one of many 450")).to_be_visible()


def test_what_a_check_finds_is_left_out_and_the_rest_prepared(page: Page, tab: Tab, folder: Path):
    for twin in ("twin", "twin again", "twin once more"):
        (folder / f"{twin}.png").write_bytes((folder / "2.png").read_bytes())
    opened(page, tab, folder, "check", check={"limits": {"smallest": 64, "blurred": 0, "lost": 1, "alike": 0}}, prepare={"processes": 1})
    page.get_by_role("region", name="Check the pictures").get_by_role("button", name="Check", exact=True).click()
    found = page.get_by_role("region", name="Findings")
    expect(found).to_contain_text("The same picture", timeout=SLOW)
    alike = found.get_by_role("region", name="4 pictures").get_by_role("listitem")
    expect(alike).to_have_count(4)
    expect(alike.first).to_contain_text("2.png")
    for twin in ("twin", "twin again", "twin once more"):
        found.get_by_label(f"Leave out {twin}.png").check()
    page.screenshot(path=SCREENSHOTS / "dataset-check.png")
    with page.context.expect_page() as report:
        found.get_by_role("link", name="The whole report").click()
    expect(report.value.get_by_role("heading", level=1)).to_contain_text("10 pictures")
    report.value.close()
    found.get_by_role("button", name="Prepare without 3 pictures").click()
    prepare = page.get_by_role("region", name="Prepare the pictures")
    expect(prepare.get_by_role("group", name="Leave out")).to_contain_text("twin.png")
    prepare.get_by_role("button", name="Prepare", exact=True).click()
    page.get_by_role("button", name="Open the prepared folder").click(timeout=SLOW)
    expect(cells(page)).to_have_count(7)
    assert sorted(file.name for file in (folder.parent / "things-prepared").glob("*.png")) == [f"{number}.png" for number in range(7)]


def test_the_tagger_writes_what_is_missing_and_the_set_is_trained_with(page: Page, tab: Tab, folder: Path):
    opened(page, tab, folder, "caption", trigger="zkset")
    page.get_by_role("button", name="Write captions").click()
    page.get_by_role("button", name="Look at the captions").click(timeout=SLOW)
    expect(page.get_by_text("7 pictures", exact=True).first).to_be_visible()
    written = (folder / "5.txt").read_text().strip()
    assert written.startswith("zkset, ")
    expect(cells(page).nth(5)).to_contain_text(written.split(", ")[1])
    page.get_by_role("button", name="Train with these pictures").click()
    pictures = page.get_by_role("region", name="Pictures", exact=True)
    expect(pictures.get_by_label("Folder", exact=True)).to_have_value(str(folder))
    expect(pictures.get_by_label("Trigger words", exact=True)).to_have_value("zkset")
    pictures.get_by_role("button", name="Look through its captions").click()
    expect(cells(page)).to_have_count(7)


@pytest.mark.parametrize(
    ("names", "nested", "subfolders"),
    [
        (("0.png", "in/1.png"), True, True),
        (("0.png", "in/1.png"), False, False),
        (("10_watch/0.png", "2_star/1.png"), True, False),  # the trainer takes these by themselves, with their repeats
        (("10_watch/0.png", "star/1.png"), True, True),
    ],
)
def test_what_the_page_shows_is_what_is_trained_on(
    page: Page, tab: Tab, tmp_path: Path, names: tuple[str, ...], nested: bool, subfolders: bool
):
    for name in names:
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        training_scene(0).picture.save(tmp_path / "set" / name)
    opened(page, tab, tmp_path / "set", nested=nested)
    page.get_by_role("button", name="Train with these pictures").click()
    page.wait_for_url("**/#train")
    concept = tab.get("training")["draft"]["training"]["data"]["concepts"][0]
    assert (concept["folder"], concept["subfolders"]) == (str(tmp_path / "set"), subfolders)


def test_a_folder_that_outweighs_another_is_told(page: Page, tab: Tab, tmp_path: Path):
    for name in ("10_watch/0.png", "2_star/0.png", "2_star/1.png"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        training_scene(0).picture.save(tmp_path / "set" / name)
    opened(page, tab, tmp_path / "set")
    side = page.get_by_role("region", name="Trigger word and balance")
    expect(side).to_contain_text("1 × 10")
    expect(side).to_contain_text('"10_watch" is seen 2.5 times as often as "2_star".')
    side.screenshot(path=SCREENSHOTS / "dataset-balance.png")


def test_rare_tags_are_found_among_thousands(page: Page, tab: Tab, folder: Path):
    (folder / "5.txt").write_text(", ".join(f"rare {number}" for number in range(2000)))
    opened(page, tab, folder)
    tags = page.get_by_role("region", name="Tags", exact=True)
    expect(tags).to_contain_text("The 500 most frequent ones")
    expect(tags.get_by_role("button", name="rare 1999 1", exact=True)).to_have_count(0)
    tags.get_by_label("Find a tag").fill("Rare 1999")
    tags.get_by_role("button", name="rare 1999 1", exact=True).click()
    expect(standing(page)).to_contain_text("1 of 7")


def test_what_the_tagger_sees_otherwise_is_pointed_out(page: Page, tab: Tab, folder: Path):
    (folder / "2.txt").write_text("bottle, blue, forest")
    opened(page, tab, folder, "caption")
    page.get_by_role("button", name="Only compare with the captions").click()
    page.get_by_role("button", name="Look at what the tagger contradicts").click(timeout=SLOW)
    expect(page.get_by_role("group", name="What the filter asks")).to_contain_text("the tagger contradicts")
    page.get_by_role("button", name="Edit 2.png").click()
    view = page.get_by_role("region", name="Caption of 2.png")
    expect(view).to_contain_text("The tagger does not see")
    view.get_by_role("button", name="forest 0 %").click()
    expect(view.get_by_label("Caption", exact=True)).to_have_value("bottle, blue")
    view.get_by_role("button", name="All pictures").click()
    expect(page.get_by_role("toolbar").get_by_role("status")).to_contain_text("of 7")
    assert (folder / "2.txt").read_text().strip() == "bottle, blue"


def test_class_pictures_are_drawn_from_the_captions_without_the_trigger(page: Page, tab: Tab, folder: Path):
    for picture in range(2, 7):
        (folder / f"{picture}.png").unlink()
    opened(page, tab, folder, "class", trigger="zkset", **{"class": {"steps": 3, "width": 64, "height": 64, "seed": 5}})
    card = page.get_by_role("region", name="Class pictures")
    card.get_by_label("Pictures of each caption").fill("2")
    card.get_by_role("button", name="Make them").click()
    expect(page.get_by_text("come into things-class")).to_be_visible()
    page.wait_for_url("**/#runs?run=*")
    assert tab.until(page.url.partition("run=")[2], "done", "failed")["state"] == "done"
    into = folder.parent / "things-class"
    limit = time.monotonic() + 60
    while len(list(into.glob("*.txt"))) < 4 and time.monotonic() < limit:  # they come when the run has ended
        time.sleep(0.1)
    told = sorted(file.read_text().strip() for file in into.glob("*.txt"))
    assert told == 2 * ["a green triangle, in a forest"] + 2 * ["a white watch with a black strap, in a studio"]
    for file in into.glob("*.png"):
        with Image.open(file) as picture:
            assert picture.size == (64, 64)


def test_captions_are_handed_to_other_programs_and_read_back(page: Page, tab: Tab, folder: Path):
    (folder / "6.txt").write_bytes(b"\0")
    opened(page, tab, folder, "exchange")
    out = page.get_by_role("region", name="For other programs")
    out.get_by_role("button", name="Write").click()
    expect(page.get_by_text("captions are in")).to_be_visible()
    expect(page.get_by_text('6.png: "6.txt" is not a text')).to_be_visible()
    written = folder.parent / "things-export" / "metadata.jsonl"
    text = written.read_text()
    assert "a green triangle" in text
    written.write_text(text.replace("a green triangle", "a red triangle"))
    back = page.get_by_role("region", name="From other programs")
    back.get_by_label("Read captions from").fill(str(written))
    back.get_by_role("button", name="Read").click()
    expect(cells(page).nth(1)).to_contain_text("a red triangle")


def test_a_phone_has_room_for_all_of_it(page: Page, tab: Tab, folder: Path):
    page.set_viewport_size(PHONE)  # pyright: ignore[reportArgumentType]
    opened(page, tab, folder)
    expect(cells(page).first).to_be_visible()
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page.get_by_label("Find a tag")).to_be_visible()
    page.get_by_role("button", name="Edit", exact=True).click()
    expect(page.get_by_role("region", name="Edit captions")).to_be_visible()
    for screen in ("", "prepare", "caption", "class", "exchange"):
        opened(page, tab, folder, screen)
        expect(page.locator(".atelier-loading")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], screen
        assert screen in ("prepare", "class", "exchange") or violations(page) == [], screen
