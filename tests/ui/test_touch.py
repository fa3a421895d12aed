"""Do fingers and a pen do on the mask canvas what they should? The browser gets them as from a touch screen, and tells the page itself."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.conftest import Tab
from tests.ui.test_masks import RECIPE, drawn_mask, png

SIDE = 200  # pixels of the picture


class Screen:
    """A touch screen over the canvas: places are shares of it, from its left upper corner."""

    def __init__(self, page: Page, canvas: Locator) -> None:
        self._page = page
        self._session = page.context.new_cdp_session(page)
        self._session.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5})
        box = canvas.bounding_box()
        assert box is not None
        self.box = box

    def fingers(self, *ways: tuple[tuple[float, float], tuple[float, float]], steps: int = 12) -> None:
        """Each goes its way from one place to another, all at once, and leaves."""
        self._touch("touchStart", [way[0] for way in ways])
        for step in range(1, steps + 1):
            share = step / steps
            self._touch("touchMove", [(a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share) for a, b in ways])
        self._touch("touchEnd", [])

    def pen(self, start: tuple[float, float], end: tuple[float, float], steps: int = 12, **more: Any) -> None:
        """A stroke."""
        for step in range(steps + 1):
            share = step / steps
            x, y = self._at((start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share))
            kind = "mousePressed" if step == 0 else "mouseMoved"
            self._mouse(kind, x, y, **more)
        self._mouse("mouseReleased", *self._at(end), **more)

    def _mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        told = {"type": kind, "x": x, "y": y, "button": "left", "buttons": 0 if kind == "mouseReleased" else 1, "clickCount": 1}
        self._session.send("Input.dispatchMouseEvent", told | {"pointerType": "pen", "force": 0.5} | more)

    def _touch(self, kind: str, places: list[tuple[float, float]]) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(map(self._at, places))]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def _at(self, place: tuple[float, float]) -> tuple[float, float]:
        return self.box["x"] + place[0] * self.box["width"], self.box["y"] + place[1] * self.box["height"]


@pytest.fixture
def screen(page: Page, tab: Tab) -> Screen:
    """The canvas is open over a picture that is shown whole, in its middle."""
    photo = tab.api.post("/atelier/v1/pictures", content=png((90, 120, 160), (SIDE, SIDE)), headers={"Content-Type": "image/png"})
    tab.open_draft(RECIPE, {"photo": photo.json()["id"]})
    page.goto("/#refine")
    page.get_by_role("button", name="Where: draw").click()
    canvas = page.get_by_role("application")
    expect(canvas).to_be_focused()
    return Screen(page, canvas)


def zoom(page: Page) -> int:
    """In percent."""
    return int(re.sub(r"\D", "", page.locator(".atelier-paint-zoom").inner_text()))


def kept(page: Page, tab: Tab) -> np.ndarray:
    page.get_by_role("button", name="Keep the mask").click()
    expect(page.locator('[data-picture-input="atelier-input-where"] img')).to_be_visible()
    return drawn_mask(page, tab)


def test_a_finger_draws(page: Page, tab: Tab, screen: Screen):
    screen.fingers(((0.42, 0.5), (0.58, 0.5)))
    mask = kept(page, tab)
    assert mask[SIDE // 2, SIDE // 2] > 250
    assert mask[:20].max() == 0


def test_two_fingers_zoom_and_move_the_picture_and_draw_nothing(page: Page, tab: Tab, screen: Screen):
    before = zoom(page)
    screen.fingers(((0.45, 0.5), (0.35, 0.5)), ((0.55, 0.5), (0.65, 0.5)))
    assert zoom(page) == pytest.approx(3 * before, rel=0.1)
    screen.fingers(((0.45, 0.5), (0.55, 0.5)), ((0.55, 0.5), (0.65, 0.5)))
    assert zoom(page) == pytest.approx(3 * before, rel=0.1), "moved, not zoomed"
    screen.fingers(((0.5, 0.5), (0.501, 0.5)))  # what was a tenth of the canvas to the left is in its middle now
    mask = kept(page, tab)
    columns = np.flatnonzero(mask.max(axis=0) > 127)
    shift = 0.1 * screen.box["width"] / (3 * before / 100)
    assert (columns[0] + columns[-1]) / 2 == pytest.approx(SIDE / 2 - shift, abs=3)
    rows = np.flatnonzero(mask.max(axis=1) > 127)
    assert rows[-1] - rows[0] < 60, "one dab, and nothing of the fingers' ways"


def test_the_first_of_two_fingers_leaves_no_dab(page: Page, tab: Tab, screen: Screen):
    screen.fingers(((0.45, 0.5), (0.40, 0.45)), ((0.55, 0.5), (0.60, 0.55)))
    page.keyboard.press("i")
    assert (kept(page, tab) == 255).all()


def test_beside_a_pen_fingers_only_move(page: Page, tab: Tab, screen: Screen):
    screen.pen((0.45, 0.5), (0.55, 0.5))
    screen.fingers(((0.5, 0.3), (0.5, 0.45)))
    mask = kept(page, tab)
    assert mask[SIDE // 2, SIDE // 2] > 250, "drawn by the pen"
    rows = np.flatnonzero(mask.max(axis=1) > 127)
    assert abs((rows[0] + rows[-1]) / 2 - SIDE / 2) <= 3, "nothing drawn by the finger"
