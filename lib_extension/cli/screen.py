"""How are things said on a screen? Times, sizes and tables in words; JSON where programs read."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any


def say_json(told: Any) -> None:
    """One JSON document on the standard output."""
    json.dump(told, sys.stdout, indent=2, ensure_ascii=not _speaks_utf8())
    print()


def say_table(rows: Iterable[Sequence[object]]) -> None:
    """Columns as wide as their widest cell; the last one as it is."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    for row in cells:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)), row[-1]]).rstrip())


def duration(seconds: float) -> str:
    """Of 42 seconds, "42 s"; of few, "4.2 s"; of more, minutes or hours."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    if whole < 6000:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def left(seconds: float | None) -> str:
    """The time that the rest takes."""
    if seconds is None:
        return "time left not known yet"
    return f"about {duration(seconds)} left" if seconds >= 1 else "less than 1 s left"


def size(number: int) -> str:
    """Of 1,500,000 bytes, "1.5 MB"."""
    return f"{number / 1_000_000_000:.1f} GB" if number >= 1_000_000_000 else f"{number / 1_000_000:.1f} MB"


def moment(at: float) -> str:
    """A time of today or another day."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _speaks_utf8() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
