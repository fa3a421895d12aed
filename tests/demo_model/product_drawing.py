"""How was the recipes' drawing of a watch made? By `python -m tests.demo_model.product_drawing`, on a transparent ground."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tests.demo_model.objects import COLOURS, Spot, draw_watch
from tests.demo_model.painter import Painter

FILE = Path(__file__).resolve().parents[2] / "lib_extension" / "recipes" / "inputs" / "watch.png"
SIZE = 512


def product_drawing() -> Image.Image:
    """A red watch in mode RGBA, SIZE px square; its alpha is the watch's own outline."""
    painter = Painter(SIZE)
    # Its own colour all over at first, so that the soft edge holds no black.
    painter.box(0, 0, 1, 1, COLOURS["red"], 0, 0)
    draw_watch(painter, Spot(0.5, 0.5, 0.26), COLOURS["red"])
    picture = painter.picture()
    picture.putalpha(painter.masks()["object"])
    return picture


if __name__ == "__main__":
    product_drawing().save(FILE, optimize=True)
