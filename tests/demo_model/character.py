"""The character: a simple figure seen from three sides in four poses, and its OpenPose skeleton."""

from __future__ import annotations

import colorsys
import math

from PIL import Image, ImageDraw

from tests.demo_model.objects import NEAR, Spot
from tests.demo_model.painter import FACE, OBJECT, Colour, Painter, Point, darker

VIEWS = ("front", "side", "back")
POSES = ("standing", "waving", "arms raised", "walking")

# Angles in degrees from hanging straight down, positive away from the body: upper and lower arm, right then left.
_ARMS = {
    "standing": ((12, 8), (12, 8)),
    "waving": ((125, 165), (12, 8)),
    "arms raised": ((140, 170), (140, 170)),
    "walking": ((32, 40), (-28, -10)),
}
_LEGS = {"standing": (6, 6), "waving": (6, 6), "arms raised": (10, 10), "walking": (26, 22)}
_SKIN: Colour = (240, 200, 165)
_HAIR: Colour = (92, 58, 36)
_TROUSERS: Colour = (62, 66, 86)

# The 18 keypoints and 17 limbs of OpenPose's COCO model, in its order (Cao et al. 2017, arXiv:1611.08050).
_LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
    (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
Keypoints = list[Point | None]


def _reach(start: Point, angle: float, length: float, side: int) -> Point:
    turned = math.radians(angle)
    return (start[0] + side * length * math.sin(turned), start[1] + length * math.cos(turned))


def keypoints(spot: Spot, view: str, pose: str) -> Keypoints:
    """The 18 COCO keypoints as fractions of the side; None where the view hides one (a face seen from the back)."""
    h, width = spot.half, 0.3 if view != "side" else 0.08
    mirror = -1 if view == "back" else 1
    neck = (spot.x, spot.y - h * 0.42)
    points: Keypoints = [None] * 18
    points[1] = neck
    arms, legs = _ARMS[pose], _LEGS[pose]
    if view == "side":
        # Seen from the side both arms swing in the walking plane: one forwards, one backwards.
        arms = (arms[0], tuple(-a for a in arms[1])) if pose != "arms raised" else arms
    for first, side, (upper, lower), leg in ((2, -1, arms[0], legs[0]), (5, 1, arms[1], legs[1])):
        side *= mirror
        swing = side if view != "side" else 1
        shoulder = (neck[0] + side * h * width, neck[1] + h * 0.06)
        elbow = _reach(shoulder, upper, h * 0.36, swing)
        wrist = _reach(elbow, lower, h * 0.34, swing)
        hip = (neck[0] + side * h * width * 0.6, neck[1] + h * 0.72)
        stride = side if view != "side" else (-1 if first == 2 else 1)
        knee = _reach(hip, leg, h * 0.36, stride)
        ankle = _reach(knee, leg * 0.4, h * 0.34, stride)
        points[first], points[first + 1], points[first + 2] = shoulder, elbow, wrist
        offset = 8 if first == 2 else 11
        points[offset], points[offset + 1], points[offset + 2] = hip, knee, ankle
    head = (spot.x, spot.y - h * 0.74)
    if view == "front":
        points[0] = (head[0], head[1] + h * 0.06)
        points[14], points[15] = (head[0] - h * 0.1, head[1] - h * 0.03), (head[0] + h * 0.1, head[1] - h * 0.03)
        points[16], points[17] = (head[0] - h * 0.26, head[1]), (head[0] + h * 0.26, head[1])
    elif view == "side":
        points[0] = (head[0] + h * 0.28, head[1] + h * 0.06)
        points[15], points[17] = (head[0] + h * 0.16, head[1] - h * 0.03), (head[0] - h * 0.02, head[1])
    else:
        points[16], points[17] = (head[0] + h * 0.26, head[1]), (head[0] - h * 0.26, head[1])
    return points


def _known(points: Keypoints, *wanted: int) -> list[Point]:
    found = [points[i] for i in wanted]
    assert all(found), "arms, legs and neck are seen from every side"
    return [p for p in found if p]


def draw_character(p: Painter, spot: Spot, colour: Colour, view: str, pose: str) -> None:
    """Draw the figure; ``colour`` is its shirt's."""
    h, points = spot.half, keypoints(spot, view, pose)
    for hip, knee, ankle in (_known(points, 8, 9, 10), _known(points, 11, 12, 13)):
        p.limb(hip, knee, h * 0.2, _TROUSERS, OBJECT, NEAR)
        p.limb(knee, ankle, h * 0.17, _TROUSERS, OBJECT, NEAR)
        toe = h * (0.1 if view == "side" else 0.0)
        p.ellipse(ankle[0] + toe, ankle[1] + h * 0.06, h * 0.14, h * 0.08, (40, 34, 34), OBJECT, NEAR)
    neck = _known(points, 1)[0]
    reach = h * (0.3 if view != "side" else 0.2)
    shirt = [(-1, 0.02), (1, 0.02), (0.95, 0.78), (-0.95, 0.78)]
    p.polygon([(neck[0] + reach * x, neck[1] + h * y) for x, y in shirt], colour, OBJECT, NEAR)
    for shoulder, elbow, wrist in (_known(points, 2, 3, 4), _known(points, 5, 6, 7)):
        p.limb(shoulder, elbow, h * 0.17, darker(colour, 0.8), OBJECT, NEAR)
        p.limb(elbow, wrist, h * 0.14, _SKIN, OBJECT, NEAR)
    _draw_head(p, (spot.x, spot.y - h * 0.74), h, view)


def _draw_head(p: Painter, head: Point, h: float, view: str) -> None:
    x, y = head
    p.ellipse(x, y - h * 0.03, h * 0.33, h * 0.33, _HAIR, OBJECT, NEAR)
    if view == "back":
        return
    shift = 0 if view == "front" else h * 0.1
    p.ellipse(x + shift, y + h * 0.05, h * (0.26 if view == "front" else 0.22), h * 0.25, _SKIN, OBJECT | FACE, NEAR)
    if view == "side":
        p.ellipse(x + h * 0.31, y + h * 0.07, h * 0.06, h * 0.05, _SKIN, OBJECT | FACE, NEAR)
    for dx in (-0.1, 0.1) if view == "front" else (0.18,):
        p.ellipse(x + h * dx, y, h * 0.045, h * 0.06, (30, 30, 34), OBJECT | FACE, NEAR)
    p.limb((x + shift - h * 0.06, y + h * 0.17), (x + shift + h * 0.07, y + h * 0.17), h * 0.04, (190, 70, 70), OBJECT | FACE, NEAR)


def skeleton(points: Keypoints, size: int) -> Image.Image:
    """Draw keypoints the way OpenPose annotators do: limbs in 18 hues on black, joints as dots."""
    picture = Image.new("RGB", (size, size))
    draw = ImageDraw.Draw(picture)
    hues = [tuple(round(v * 255) for v in colorsys.hsv_to_rgb(i / 18, 1, 1)) for i in range(18)]
    width = max(2, size // 64)
    for i, (a, b) in enumerate(_LIMBS):
        start, end = points[a], points[b]
        if start and end:
            line = [(start[0] * size, start[1] * size), (end[0] * size, end[1] * size)]
            draw.line(line, fill=tuple(round(v * 0.6) for v in hues[i]), width=width)
    for point, hue in zip(points, hues, strict=True):
        if point:
            x, y = point[0] * size, point[1] * size
            draw.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=hue)
    return picture
