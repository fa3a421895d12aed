"""How was the recipes' photograph of a watch made? By `python -m tests.demo_model.product_photograph`: the watch, lit, on a table.

What makes it a photograph for the programs that read it: no alpha, a turned product with its own shading and shadow, a ground with grain
that is out of focus at the back, light that falls off, noise, and a JPEG's traces.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from tests.demo_model.objects import COLOURS, Spot, draw_watch
from tests.demo_model.painter import Painter

FILE = Path(__file__).resolve().parents[2] / "lib_extension" / "recipes" / "inputs" / "watch-photo.jpg"
SIZE, LARGE = 640, 1280  # px; of the file, and while it is made
TURN = 9  # degrees


def watch() -> Image.Image:
    """The watch in mode RGBA, LARGE px square, turned."""
    painter = Painter(LARGE)
    painter.box(0, 0, 1, 1, COLOURS["red"], 0, 0)
    draw_watch(painter, Spot(0.5, 0.5, 0.27), COLOURS["red"])
    picture = painter.picture()
    picture.putalpha(painter.masks()["object"])
    return picture.rotate(TURN, Image.Resampling.BICUBIC)


def blurred(values: np.ndarray, radius: float) -> np.ndarray:
    """`values` (H, W) in 0..1 under a Gaussian of `radius` px."""
    image = Image.fromarray((values.clip(0, 1) * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(image, np.float32) / 255


def table(random: np.random.Generator) -> np.ndarray:
    """Light oak, (LARGE, LARGE, 3) in 0..1: grain along the boards, sharp at the front and soft at the back."""
    grain = blurred(random.random((LARGE, LARGE // 40)).astype(np.float32).repeat(40, 1), 1.5)
    grain = 0.6 * grain + 0.4 * blurred(random.random((LARGE, LARGE // 8)).astype(np.float32).repeat(8, 1), 0.8)
    boards = (np.arange(LARGE) % 320 < 4).astype(np.float32)[:, None] * np.ones((1, LARGE), np.float32)
    sharp = 0.80 + 0.10 * (grain - 0.5) - 0.18 * boards
    soft = blurred(sharp, 14)
    back = np.linspace(1.4, -0.4, LARGE, dtype=np.float32).clip(0, 1)[:, None]
    wood = sharp * (1 - back) + soft * back
    return wood[..., None] * np.array([0.98, 0.86, 0.70], np.float32)


def shading(alpha: np.ndarray) -> np.ndarray:
    """Light from the upper left on a body that is round at its edges, (H, W), 1 where it is even."""
    height = blurred(alpha, 16)
    down, right = np.gradient(height)
    return 1 + 9.0 * (down + right) * alpha


def photograph() -> Image.Image:
    """The photograph, RGB, SIZE px square."""
    random = np.random.default_rng(11)
    drawn = np.asarray(watch(), np.float32) / 255
    alpha = drawn[..., 3]
    ground = table(random)
    shadow = np.roll(blurred(alpha, 26), (26, 30), (0, 1)) * 0.55 + np.roll(blurred(alpha, 8), (7, 8), (0, 1)) * 0.25
    ground = ground * (1 - shadow)[..., None]
    lit = drawn[..., :3] * shading(alpha)[..., None]
    y, x = np.mgrid[0:LARGE, 0:LARGE].astype(np.float32) / LARGE
    gleam = np.exp(-(((x + y - 0.86) / 0.035) ** 2)) * (np.hypot(x - 0.5, y - 0.5) < 0.19) * 0.22  # the glass
    lit = lit + gleam[..., None]
    seen = ground * (1 - alpha[..., None]) + lit * alpha[..., None]
    light = 1.12 - 0.55 * np.hypot(x - 0.38, y - 0.36)
    seen = (seen * light[..., None] * np.array([1.02, 1.0, 0.95], np.float32)).clip(0, 1)
    picture = Image.fromarray((seen * 255).astype(np.uint8)).resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    noise = random.normal(0, 3.2, (SIZE, SIZE, 3)) + random.normal(0, 2.0, (SIZE, SIZE, 1))
    return Image.fromarray((np.asarray(picture, np.float32) + noise).clip(0, 255).astype(np.uint8))


if __name__ == "__main__":
    photograph().save(FILE, quality=90)
