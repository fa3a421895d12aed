"""How one shape is drawn: into the picture, the depth map and the part masks at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

OBJECT, FACE, STRAP, GROUND = 1, 2, 4, 8
PARTS = {"object": OBJECT, "face": FACE, "strap": STRAP, "ground": GROUND}
SUPERSAMPLE = 2


def darker(colour: Colour, factor: float = 0.6) -> Colour:
    """The colour of an outline or a shaded side; black gets a lighter one, or it would vanish at night."""
    if sum(colour) < 150:
        return (95, 95, 100)
    return (int(colour[0] * factor), int(colour[1] * factor), int(colour[2] * factor))


class Painter:
    """Three canvases of one size, drawn at twice the final size and reduced at the end.

    Coordinates are fractions of the picture's side (0..1, y downwards), so a scene looks the same at every size.
    ``parts`` are the flags OBJECT, FACE, STRAP, GROUND of what a shape belongs to; ``depth`` is 0 (far) to 255 (near).
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.side = size * SUPERSAMPLE
        self._picture = Image.new("RGB", (self.side, self.side))
        self._parts = Image.new("L", (self.side, self.side))
        self._depth = Image.new("L", (self.side, self.side))
        self._on_picture = ImageDraw.Draw(self._picture)
        self._on_parts = ImageDraw.Draw(self._parts)
        self._on_depth = ImageDraw.Draw(self._depth)

    def polygon(self, points: Sequence[Point], fill: Colour, parts: int, depth: int) -> None:
        """Fill a polygon."""
        pixels = [(x * self.side, y * self.side) for x, y in points]
        self._on_picture.polygon(pixels, fill=fill)
        self._on_parts.polygon(pixels, fill=parts)
        self._on_depth.polygon(pixels, fill=depth)

    def box(self, left: float, top: float, right: float, bottom: float, fill: Colour, parts: int, depth: int) -> None:
        """Fill a rectangle."""
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], fill, parts, depth)

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: Colour, parts: int, depth: int) -> None:
        """Fill an ellipse around (x, y)."""
        turns = (2 * math.pi * i / 48 for i in range(48))
        self.polygon([(x + rx * math.cos(t), y + ry * math.sin(t)) for t in turns], fill, parts, depth)

    def limb(self, start: Point, end: Point, width: float, fill: Colour, parts: int, depth: int) -> None:
        """Fill a bar with round ends from ``start`` to ``end``."""
        (ax, ay), (bx, by) = start, end
        length = math.hypot(bx - ax, by - ay) or 1e-6
        nx, ny = -(by - ay) / length * width / 2, (bx - ax) / length * width / 2
        bar = [(ax + nx, ay + ny), (bx + nx, by + ny), (bx - nx, by - ny), (ax - nx, ay - ny)]
        self.polygon(bar, fill, parts, depth)
        for x, y in (start, end):
            self.ellipse(x, y, width / 2, width / 2, fill, parts, depth)

    def gradient(self, top: float, bottom: float, colours: tuple[Colour, Colour], depths: tuple[int, int], parts: int) -> None:
        """Fill the full-width band from ``top`` to ``bottom``, colour and depth going linearly from first to second."""
        first, last = round(top * self.side), round(bottom * self.side)
        for row in range(first, last):
            t = (row - first) / max(1, last - first - 1)
            (r0, g0, b0), (r1, g1, b1) = colours
            colour = (round(r0 + (r1 - r0) * t), round(g0 + (g1 - g0) * t), round(b0 + (b1 - b0) * t))
            line = [(0, row), (self.side, row)]
            self._on_picture.line(line, fill=colour)
            self._on_parts.line(line, fill=parts)
            self._on_depth.line(line, fill=round(depths[0] + (depths[1] - depths[0]) * t))

    def picture(self) -> Image.Image:
        """The RGB picture, size x size."""
        return self._picture.resize((self.size, self.size), Image.Resampling.BOX)

    def depth(self) -> Image.Image:
        """The depth map, mode L, near is bright."""
        return self._depth.resize((self.size, self.size), Image.Resampling.BOX)

    def masks(self) -> dict[str, Image.Image]:
        """A mask in mode L for each part, 255 where the part is seen."""
        flags = np.asarray(self._parts)
        found = {name: Image.fromarray(((flags & flag) > 0).astype(np.uint8) * 255) for name, flag in PARTS.items()}
        return {name: mask.resize((self.size, self.size), Image.Resampling.BOX) for name, mask in found.items()}
