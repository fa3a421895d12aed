"""How were the catalogue's renders of three products made? By `python -m tests.demo_model.product_renders`, on a transparent ground.

Each stands where things stand in the scenes that the demo model has learnt from. The bottle has a depth picture as well, as a 3D
program gives one: the bottle before the floor that it stands on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.demo_model.objects import COLOURS, Spot, draw_bottle, draw_mug, draw_watch
from tests.demo_model.painter import Colour, Painter

FOLDER = Path(__file__).resolve().parents[2] / "lib_extension" / "recipes" / "inputs"
SIZE = 256
FLOOR = 0.68  # where it begins


@dataclass(frozen=True)
class Product:
    """What is drawn, where, and in which colour."""

    draw: Callable[[Painter, Spot, Colour], None]
    spot: Spot
    colour: Colour


PRODUCTS = {
    "watch": Product(draw_watch, Spot(0.5, 0.5, 0.26), COLOURS["orange"]),
    "mug": Product(draw_mug, Spot(0.49, 0.6, 0.26), COLOURS["red"]),
    "bottle": Product(draw_bottle, Spot(0.5, 0.56, 0.26), COLOURS["blue"]),
}


def render(product: Product) -> Image.Image:
    """The product in mode RGBA, SIZE px square; its alpha is its own outline."""
    painter = Painter(SIZE)
    painter.box(0, 0, 1, 1, product.colour, 0, 0)  # its own colour all over at first, so that the soft edge holds no black
    product.draw(painter, product.spot, product.colour)
    picture = painter.picture()
    picture.putalpha(painter.masks()["object"])
    return picture


def depth(product: Product) -> Image.Image:
    """The product before a floor, mode L, near is bright."""
    painter = Painter(SIZE)
    painter.gradient(FLOOR, 1, (product.colour, product.colour), (60, 160), 0)
    product.draw(painter, product.spot, product.colour)
    return painter.depth()


def pictures() -> dict[str, Image.Image]:
    """Every picture by the name of its file."""
    renders = {f"render-{name}.png": render(product) for name, product in PRODUCTS.items()}
    return renders | {"render-bottle-depth.png": depth(PRODUCTS["bottle"])}


if __name__ == "__main__":
    for name, picture in pictures().items():
        picture.save(FOLDER / name, optimize=True)
