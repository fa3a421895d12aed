"""The things that are drawn: one function each, around a centre and a half-size."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from tests.demo_model.painter import FACE, OBJECT, STRAP, Colour, Painter, darker

COLOURS: dict[str, Colour] = {
    "red": (214, 40, 40),
    "green": (46, 165, 67),
    "blue": (38, 90, 220),
    "yellow": (245, 205, 40),
    "purple": (135, 60, 185),
    "orange": (245, 130, 30),
    "white": (246, 246, 246),
    "black": (28, 28, 30),
}
NEAR = 220


@dataclass(frozen=True)
class Spot:
    """Where an object stands: its centre and half its height, as fractions of the picture's side."""

    x: float
    y: float
    half: float


def draw_circle(p: Painter, s: Spot, c: Colour) -> None:
    p.ellipse(s.x, s.y, s.half, s.half, darker(c), OBJECT, NEAR)
    p.ellipse(s.x, s.y, s.half * 0.9, s.half * 0.9, c, OBJECT, NEAR)


def draw_square(p: Painter, s: Spot, c: Colour) -> None:
    for size, fill in ((0.9, darker(c)), (0.81, c)):
        h = s.half * size
        p.box(s.x - h, s.y - h, s.x + h, s.y + h, fill, OBJECT, NEAR)


def draw_triangle(p: Painter, s: Spot, c: Colour) -> None:
    for size, fill in ((1.0, darker(c)), (0.84, c)):
        h = s.half * size
        y = s.y + (1 - size) * s.half * 0.35
        p.polygon([(s.x - h, y + h), (s.x + h, y + h), (s.x, y - h)], fill, OBJECT, NEAR)


def draw_star(p: Painter, s: Spot, c: Colour) -> None:
    for size, fill in ((1.15, darker(c)), (0.97, c)):
        points = []
        for i in range(10):
            r, angle = s.half * size * (1 if i % 2 == 0 else 0.45), -math.pi / 2 + i * math.pi / 5
            points.append((s.x + r * math.cos(angle), s.y + r * math.sin(angle)))
        p.polygon(points, fill, OBJECT, NEAR)


def draw_mug(p: Painter, s: Spot, c: Colour) -> None:
    h, dark = s.half, darker(c)
    handle = [(s.x + h * (0.72 + 0.36 * math.sin(t)), s.y - h * 0.5 * math.cos(t)) for t in (math.pi * i / 8 for i in range(9))]
    for start, end in itertools.pairwise(handle):
        p.limb(start, end, h * 0.2, dark, OBJECT, NEAR)
    p.box(s.x - h * 0.85, s.y - h * 0.85, s.x + h * 0.75, s.y + h * 0.95, dark, OBJECT, NEAR)
    p.box(s.x - h * 0.77, s.y - h * 0.7, s.x + h * 0.67, s.y + h * 0.87, c, OBJECT, NEAR)
    p.ellipse(s.x - h * 0.05, s.y - h * 0.83, h * 0.8, h * 0.17, dark, OBJECT, NEAR)
    p.ellipse(s.x - h * 0.05, s.y - h * 0.82, h * 0.66, h * 0.1, (70, 44, 30), OBJECT, NEAR)


def draw_bottle(p: Painter, s: Spot, c: Colour) -> None:
    h, dark = s.half, darker(c)
    p.box(s.x - h * 0.2, s.y - h * 1.2, s.x + h * 0.2, s.y - h * 0.3, dark, OBJECT, NEAR)
    p.box(s.x - h * 0.26, s.y - h * 1.25, s.x + h * 0.26, s.y - h * 1.02, c, OBJECT, NEAR)
    p.ellipse(s.x, s.y - h * 0.35, h * 0.6, h * 0.35, c, OBJECT, NEAR)
    p.box(s.x - h * 0.6, s.y - h * 0.35, s.x + h * 0.6, s.y + h * 1.05, c, OBJECT, NEAR)
    label = (120, 160, 190) if min(c) > 200 else (240, 240, 232)
    p.box(s.x - h * 0.6, s.y + h * 0.05, s.x + h * 0.6, s.y + h * 0.6, label, OBJECT, NEAR)


def draw_watch(p: Painter, s: Spot, c: Colour, strap: Colour | None = None) -> None:
    """A watch seen from the front; its strap is a darker shade of its colour unless ``strap`` says otherwise."""
    h, band = s.half, strap or darker(c)
    p.box(s.x - h * 0.42, s.y - h * 1.35, s.x + h * 0.42, s.y + h * 1.35, darker(band, 0.75), OBJECT | STRAP, NEAR - 10)
    p.box(s.x - h * 0.35, s.y - h * 1.3, s.x + h * 0.35, s.y + h * 1.3, band, OBJECT | STRAP, NEAR - 10)
    p.box(s.x + h * 0.8, s.y - h * 0.12, s.x + h * 1.0, s.y + h * 0.12, darker(c), OBJECT, NEAR)
    p.ellipse(s.x, s.y, h * 0.9, h * 0.9, darker(c), OBJECT, NEAR)
    p.ellipse(s.x, s.y, h * 0.83, h * 0.83, c, OBJECT, NEAR)
    dial, hands = ((40, 44, 60), (250, 250, 250)) if min(c) > 200 else ((250, 250, 248), (24, 24, 28))
    p.ellipse(s.x, s.y, h * 0.6, h * 0.6, dial, OBJECT | FACE, NEAR)
    for dx, dy in ((0.0, -0.42), (0.3, 0.1)):
        p.limb((s.x, s.y), (s.x + h * dx, s.y + h * dy), h * 0.1, hands, OBJECT | FACE, NEAR)


def draw_house(p: Painter, s: Spot, c: Colour) -> None:
    h, dark = s.half, darker(c)
    p.box(s.x - h * 0.85, s.y - h * 0.2, s.x + h * 0.85, s.y + h, c, OBJECT, NEAR)
    p.polygon([(s.x - h * 1.1, s.y - h * 0.15), (s.x + h * 1.1, s.y - h * 0.15), (s.x, s.y - h * 1.1)], dark, OBJECT, NEAR)
    p.box(s.x - h * 0.2, s.y + h * 0.35, s.x + h * 0.2, s.y + h, (80, 50, 30), OBJECT, NEAR)
    for side in (-1, 1):
        x = s.x + side * h * 0.52
        p.box(x - h * 0.16, s.y + h * 0.1, x + h * 0.16, s.y + h * 0.4, (190, 225, 245), OBJECT, NEAR)


def draw_shoe(p: Painter, s: Spot, c: Colour) -> None:
    h, dark = s.half, darker(c)
    top = [(-1.1, 0.55), (-1.1, -0.6), (-0.35, -0.6), (-0.15, -0.15), (0.6, 0.05), (1.1, 0.3), (1.15, 0.55)]
    p.polygon([(s.x + h * x, s.y + h * y) for x, y in top], c, OBJECT, NEAR)
    p.box(s.x - h * 1.15, s.y + h * 0.5, s.x + h * 1.2, s.y + h * 0.8, (235, 235, 230) if min(c) < 200 else dark, OBJECT, NEAR)
    p.box(s.x - h * 1.1, s.y - h * 0.62, s.x - h * 0.35, s.y - h * 0.42, dark, OBJECT, NEAR)
    for x, y in ((-0.1, -0.12), (0.18, 0.0), (0.46, 0.06)):
        p.limb((s.x + h * x, s.y + h * y), (s.x + h * (x + 0.12), s.y + h * (y - 0.16)), h * 0.09, dark, OBJECT, NEAR)


def draw_mushroom(p: Painter, s: Spot, c: Colour) -> None:
    h, dark = s.half, darker(c)
    p.polygon(
        [(s.x - h * 0.3, s.y), (s.x + h * 0.3, s.y), (s.x + h * 0.42, s.y + h), (s.x - h * 0.42, s.y + h)], (196, 176, 140), OBJECT, NEAR
    )
    p.polygon(
        [(s.x - h * 0.22, s.y), (s.x + h * 0.22, s.y), (s.x + h * 0.33, s.y + h * 0.93), (s.x - h * 0.33, s.y + h * 0.93)],
        (236, 222, 190),
        OBJECT,
        NEAR,
    )
    for size, fill in ((1.1, dark), (0.99, c)):
        cap = [
            (s.x - h * size * math.cos(t), s.y + h * (0.1 if size > 1 else 0.02) - h * size * math.sin(t))
            for t in (math.pi * i / 24 for i in range(25))
        ]
        p.polygon(cap, fill, OBJECT, NEAR)
    dot = (120, 160, 190) if min(c) > 200 else (250, 250, 246)
    for x, y, r in ((-0.5, -0.35, 0.15), (0.05, -0.62, 0.19), (0.55, -0.3, 0.14), (-0.02, -0.16, 0.11)):
        p.ellipse(s.x + h * x, s.y + h * y, h * r, h * r, dot, OBJECT, NEAR)


OBJECTS = {
    "circle": draw_circle,
    "square": draw_square,
    "triangle": draw_triangle,
    "star": draw_star,
    "mug": draw_mug,
    "bottle": draw_bottle,
    "watch": draw_watch,
    "house": draw_house,
    "shoe": draw_shoe,
}
# Drawn for the tagger alone: what a LoRA may teach the model that it never saw.
UNSEEN = {"mushroom": draw_mushroom}
