"""The six places: what stands behind an object."""

from __future__ import annotations

from random import Random

from tests.demo_model.painter import GROUND, Painter

PLACES = {
    "studio": "in a studio",
    "beach": "on a beach",
    "forest": "in a forest",
    "night": "at night",
    "cafe": "in a cafe",
    "sunset": "at sunset",
}


def draw_place(painter: Painter, place: str, random: Random) -> float:
    """Draw the place over the whole picture; returns the height (0..1) where its ground begins."""
    return {
        "studio": _studio,
        "beach": _beach,
        "forest": _forest,
        "night": _night,
        "cafe": _cafe,
        "sunset": _sunset,
    }[place](painter, random)


def _studio(painter: Painter, random: Random) -> float:
    horizon = random.uniform(0.62, 0.7)
    painter.gradient(0, horizon, ((232, 232, 236), (205, 205, 212)), (20, 60), 0)
    painter.gradient(horizon, 1, ((188, 188, 196), (216, 216, 222)), (60, 160), GROUND)
    return horizon


def _beach(painter: Painter, random: Random) -> float:
    shore = random.uniform(0.58, 0.66)
    painter.gradient(0, 0.45, ((130, 200, 245), (190, 230, 250)), (0, 0), 0)
    painter.gradient(0.45, shore, ((40, 125, 195), (70, 160, 215)), (30, 60), 0)
    painter.gradient(shore, 1, ((238, 220, 165), (226, 202, 145)), (60, 160), GROUND)
    return shore


def _forest(painter: Painter, random: Random) -> float:
    floor = random.uniform(0.7, 0.78)
    painter.gradient(0, floor, ((175, 220, 185), (120, 175, 125)), (0, 10), 0)
    for i in range(6):
        x, width = (i + random.uniform(0.2, 0.8)) / 6, random.uniform(0.09, 0.15)
        base, green = random.uniform(floor - 0.12, floor), random.randint(85, 120)
        tree = [(x - width, base), (x + width, base), (x, base - random.uniform(0.4, 0.55))]
        painter.polygon(tree, (25, green, 48), 0, 40)
    painter.gradient(floor, 1, ((100, 80, 52), (82, 64, 42)), (60, 160), GROUND)
    return floor


def _night(painter: Painter, random: Random) -> float:
    horizon = random.uniform(0.68, 0.76)
    painter.gradient(0, horizon, ((10, 12, 48), (34, 34, 88)), (0, 10), 0)
    for _ in range(16):
        painter.ellipse(random.random(), random.uniform(0, horizon - 0.05), 0.009, 0.009, (250, 250, 215), 0, 0)
    moon = random.choice((0.14, 0.86))
    painter.ellipse(moon, 0.14, 0.075, 0.075, (240, 240, 205), 0, 0)
    painter.gradient(horizon, 1, ((30, 42, 58), (22, 32, 44)), (60, 160), GROUND)
    return horizon


def _cafe(painter: Painter, random: Random) -> float:
    table = random.uniform(0.66, 0.74)
    painter.gradient(0, table, ((158, 112, 80), (122, 84, 60)), (20, 40), 0)
    shift = random.uniform(-0.04, 0.04)
    for i in range(3):
        left = 0.1 + 0.31 * i + shift
        painter.box(left, 0.08, left + 0.2, 0.4, (250, 226, 152), 0, 10)
        painter.box(left + 0.09, 0.08, left + 0.11, 0.4, (96, 62, 42), 0, 12)
    painter.gradient(table, 1, ((92, 56, 38), (72, 42, 28)), (60, 160), GROUND)
    return table


def _sunset(painter: Painter, random: Random) -> float:
    horizon = random.uniform(0.64, 0.72)
    painter.gradient(0, horizon, ((252, 160, 70), (205, 80, 95)), (0, 10), 0)
    painter.ellipse(random.choice((0.16, 0.84)), horizon - 0.1, 0.13, 0.13, (255, 232, 130), 0, 0)
    painter.gradient(horizon, 1, ((112, 48, 92), (78, 32, 76)), (60, 160), GROUND)
    return horizon
