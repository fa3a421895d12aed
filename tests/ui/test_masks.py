"""Do the pixels arrive that the mouse has drawn?"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from tests.ui.conftest import Tab

RECIPE: dict[str, Any] = {
    "version": 1,
    "name": "masked",
    "title": "Drawn by hand",
    "inputs": {"photo": {"type": "image", "label": "Photograph"}, "where": {"type": "mask", "label": "Where", "optional": True}},
    "settings": {
        "steps": 2,
        "sampler_name": "Euler",
        "scheduler": "Automatic",
        "width": 128,
        "height": 128,
        "seed": 7,
        "prompt": "a red watch",
    },
    "stages": [{"id": "redraw", "type": "inpaint", "takes": "photo", "mask": "where", "denoising_strength": 0.8}],
}


def picture_of(tab: Tab, id: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(tab.api.get(f"/atelier/v1/pictures/{id}").content)).convert("L"))


def drawn_mask(page: Page, tab: Tab) -> np.ndarray:
    """The mask that the draft has, when it has one."""
    for _ in range(100):
        if drawn := tab.get("draft")["inputs"].get("where"):
            return picture_of(tab, drawn)
        page.wait_for_timeout(100)
    raise AssertionError("The draft never had a mask.")


def png(colour: tuple[int, int, int], size: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def test_what_the_mouse_draws_is_the_mask(page: Page, tab: Tab):
    tab.open_draft(RECIPE)
    page.goto("/#refine")
    photo = {"name": "photo.png", "mimeType": "image/png", "buffer": png((90, 120, 160), (200, 100))}
    page.locator('[data-picture-input="atelier-input-photo"] input[type=file]').set_input_files(photo)  # pyright: ignore[reportArgumentType]
    expect(page.locator('[data-picture-input="atelier-input-photo"] img')).to_be_visible()

    page.get_by_role("button", name="Where: draw").click()
    canvas = page.get_by_role("application")
    expect(canvas).to_be_focused()
    box = canvas.bounding_box()
    assert box is not None
    # The picture is twice as wide as high and is shown whole, in the middle of the canvas.
    scale = min(box["width"] / 200, box["height"] / 100)
    left, top = box["x"] + box["width"] / 2 - 100 * scale, box["y"] + box["height"] / 2 - 50 * scale
    at = lambda x, y: (left + x * scale, top + y * scale)  # noqa: E731
    page.mouse.move(*at(50, 50))
    page.mouse.down()
    page.mouse.move(*at(150, 50), steps=12)
    page.mouse.up()
    page.get_by_role("button", name="Keep the mask").click()
    expect(page.locator('[data-picture-input="atelier-input-where"] img')).to_be_visible()

    mask = drawn_mask(page, tab)
    assert mask.shape == (100, 200)
    assert mask[50, 60:140].min() > 250, "along the stroke"
    assert mask[:30].max() == 0, "nothing above"
    assert mask[:, :30].max() == 0, "nothing left of it"
    assert mask[:, 170:].max() == 0, "nothing right of it"
    rows = np.flatnonzero(mask[:, 100] > 127)
    assert abs((rows[0] + rows[-1]) / 2 - 50) <= 2, "where the mouse was"


def test_undo_takes_a_stroke_back_and_invert_fills_the_rest(page: Page, tab: Tab):
    tab.open_draft(RECIPE)
    page.goto("/#refine")
    photo = {"name": "photo.png", "mimeType": "image/png", "buffer": png((90, 120, 160), (64, 64))}
    page.locator('[data-picture-input="atelier-input-photo"] input[type=file]').set_input_files(photo)  # pyright: ignore[reportArgumentType]
    expect(page.locator('[data-picture-input="atelier-input-photo"] img')).to_be_visible()
    page.get_by_role("button", name="Where: draw").click()
    canvas = page.get_by_role("application")
    expect(canvas).to_be_focused()
    canvas.click()
    page.keyboard.press("Control+z")
    page.keyboard.press("i")
    page.get_by_role("button", name="Keep the mask").click()
    expect(page.locator('[data-picture-input="atelier-input-where"] img')).to_be_visible()
    assert (drawn_mask(page, tab) == 255).all()
