"""How does the loss look? loss.png, drawn from the run's events: every point pale, a running mean strong.

Pillow draws it: a plotting library would be ten packages and a second of start for two lines.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from trainer.report import EVENTS, Report
from trainer.written import DiskFull, write_bytes

SIZE = (960, 480)
SERIES = ("loss", "validation loss", "learning rate", "gradient norm")  # what a run tells
_LEFT, _TOP, _RIGHT, _BOTTOM = 70, 36, 20, 40  # margins in pixels
_COLOURS = {"loss": (31, 119, 180), "validation loss": (214, 39, 40)}
_INK, _GRID, _PAPER = (40, 40, 40), (225, 225, 225), (255, 255, 255)
_OVER = 0.02  # of the run: the running mean's width

Series = Mapping[str, Mapping[float, float]]  # name → x → y


def draw_loss(folder: Path, report: Report) -> None:
    """Write loss.png into a run's folder, if there are points. Where that cannot be, it is told, and nothing ends."""
    series = read_points(folder / EVENTS, _COLOURS)
    if any(len(points) > 1 for points in series.values()):
        buffer = io.BytesIO()
        drawn(series, folder.name).save(buffer, "PNG", optimize=True)
        try:
            write_bytes(folder / "loss.png", buffer.getvalue())
        except (OSError, DiskFull) as error:
            report.log(f"loss.png could not be written: {error}")


def read_points(events: Path, names: Iterable[str]) -> Series:
    """The points of the named series. Where a run went on from an earlier step, the later point counts."""
    found: dict[str, dict[float, float]] = {name: {} for name in names}
    with events.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if '"point"' not in line:
                continue
            try:
                event = json.loads(line)
                if event["event"] == "point" and event["series"] in found:
                    found[event["series"]][float(event["x"])] = float(event["y"])
            except (ValueError, KeyError, TypeError):  # half a line, of a process that was killed
                continue
    return {name: dict(sorted(points.items())) for name, points in found.items() if points}


def drawn(series: Series, title: str) -> Image.Image:
    """The plot. Its upper edge is where nearly all points are below: one outlier must not flatten the rest."""
    picture = Image.new("RGB", SIZE, _PAPER)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(14)
    xs = [x for points in series.values() for x in points]
    ys = sorted(y for points in series.values() for y in points.values())
    low, high = min(0.0, ys[0]), ys[min(len(ys) - 1, math.ceil(len(ys) * 0.99))] * 1.05 or 1.0
    frame = _Frame(min(xs), max(max(xs), min(xs) + 1), low, max(high, low + 1e-9))
    _grid(draw, font, frame)
    for name, points in series.items():
        colour = _COLOURS.get(name, _INK)
        pale = tuple((value + 2 * 255) // 3 for value in colour)
        dense = len(points) > 40
        draw.line([frame.place(x, y) for x, y in points.items()], fill=pale if dense else colour, width=1 if dense else 2)
        if dense:
            draw.line([frame.place(x, y) for x, y in running_mean(list(points.items()))], fill=colour, width=2)
    draw.text((_LEFT, 10), title, fill=_INK, font=font)
    at = SIZE[0] - _RIGHT
    for name in reversed(list(series)):
        at -= round(draw.textlength(name, font=font)) + 24
        draw.text((at, 10), name, fill=_COLOURS.get(name, _INK), font=font)
    return picture


def running_mean(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Exponential, over about _OVER of the points, without the bias of its start (Kingma & Ba 2014, arXiv:1412.6980, section 3)."""
    decay = 1 - 1 / max(1.0, len(points) * _OVER)
    total, weight, found = 0.0, 0.0, []
    for x, y in points:
        total, weight = decay * total + (1 - decay) * y, decay * weight + (1 - decay)
        found.append((x, total / weight))
    return found


class _Frame:
    def __init__(self, left: float, right: float, low: float, high: float) -> None:
        self.left, self.right, self.low, self.high = left, right, low, high

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Values to pixels."""
        across = (x - self.left) / (self.right - self.left)
        up = (min(y, self.high) - self.low) / (self.high - self.low)
        return _LEFT + across * (SIZE[0] - _LEFT - _RIGHT), SIZE[1] - _BOTTOM - up * (SIZE[1] - _TOP - _BOTTOM)


def _grid(draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, frame: _Frame) -> None:
    for y in _round_values(frame.low, frame.high):
        (left, at), (right, _) = frame.place(frame.left, y), frame.place(frame.right, y)
        draw.line([(left, at), (right, at)], fill=_GRID)
        draw.text((left - 8, at), f"{y:g}", fill=_INK, font=font, anchor="rm")
    for x in _round_values(frame.left, frame.right):
        at, floor = frame.place(x, frame.low)
        draw.text((at, floor + 8), f"{x:g}", fill=_INK, font=font, anchor="mt")


def _round_values(low: float, high: float) -> list[float]:
    """Four to nine values of 1, 2 or 5 times a power of ten."""
    power = 10 ** math.floor(math.log10((high - low) / 4))
    step = next(power * factor for factor in (1, 2, 5, 10) if (high - low) / (power * factor) <= 8)
    return [round(step * number, 10) for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
