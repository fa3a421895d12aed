"""Which files are pictures, and which of those are masks of others, and how often is a folder seen, by their names alone?"""

from __future__ import annotations

import re

READABLE = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif")
MASK_SUFFIX = "-masklabel"  # NAME-masklabel.png beside NAME.jpg is its mask, as OneTrainer has it, and no picture of its own

_REPEATED = re.compile(r"(\d+)_(.*)", re.DOTALL)


def repeated(folder: str) -> tuple[int, str] | None:
    """Repeats and words of a folder's name such as 10_dog; None for other names, and for 0_dog, which kohya's trainer leaves out, too."""
    match = _REPEATED.fullmatch(folder)
    return (int(match[1]), match[2].strip()) if match and int(match[1]) else None
