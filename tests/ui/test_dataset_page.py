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
from playwright.sync_api import Locator, Page, expect

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
    expect(page.get_by_role("alert")).to_contain_text("changed this caption meanwhile")
    expect(view.get_by_label("Caption", exact=True)).to_have_value("theirs")
    assert (folder / "1.txt").read_text() == "theirs"


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
    (folder / "twin.png").write_bytes((folder / "2.png").read_bytes())
    opened(page, tab, folder, "check", check={"limits": {"smallest": 64, "blurred": 0, "lost": 1, "alike": 0}}, prepare={"processes": 1})
    page.get_by_role("region", name="Check the pictures").get_by_role("button", name="Check", exact=True).click()
    found = page.get_by_role("region", name="Findings")
    expect(found).to_contain_text("The same picture", timeout=SLOW)
    found.get_by_label("Leave out twin.png").check()
    page.screenshot(path=SCREENSHOTS / "dataset-check.png")
    with page.context.expect_page() as report:
        found.get_by_role("link", name="The whole report").click()
    expect(report.value.get_by_role("heading", level=1)).to_contain_text("8 pictures")
    report.value.close()
    found.get_by_role("button", name="Prepare without 1 picture").click()
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
    opened(page, tab, folder, "exchange")
    out = page.get_by_role("region", name="For other programs")
    out.get_by_role("button", name="Write").click()
    expect(page.get_by_text("captions are in")).to_be_visible()
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
