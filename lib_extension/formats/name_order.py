"""In which order do people expect names? By the numbers in them: 2.png before 10.png."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(\d+)")

Part = tuple[int, int, str]


def as_people_count(name: str) -> list[Part]:
    """A key for sorting; capitals do not matter."""
    parts = _NUMBER.split(name.lower())
    return [(0, int(part), "") if place % 2 else (1, 0, part) for place, part in enumerate(parts)]
