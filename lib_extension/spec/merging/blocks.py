"""Which blocks does a U-Net have, and what do a preset's name or a list of numbers say about each of them?

Blocks and lists are those of the WebUI's "LoRA Block Weight" extension: BASE (everything outside the U-Net), IN00 to IN11, M00, OUT00 to
OUT11, or 17, 20 (SDXL) or 12 (SDXL) of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from lib_extension.spec.errors import BadRequest, near_miss


def _numbered(kind: str, numbers: range | tuple[int, ...]) -> tuple[str, ...]:
    return tuple(f"{kind}{number:02}" for number in numbers)


BLOCKS = ("BASE", *_numbered("IN", range(12)), "M00", *_numbered("OUT", range(12)))
FORMS: Mapping[int, tuple[str, ...]] = {
    26: BLOCKS,
    20: ("BASE", *_numbered("IN", range(9)), "M00", *_numbered("OUT", range(9))),
    17: ("BASE", *_numbered("IN", (1, 2, 4, 5, 7, 8)), "M00", *_numbered("OUT", range(3, 12))),
    12: ("BASE", *_numbered("IN", (4, 5, 7, 8)), "M00", *_numbered("OUT", range(6))),
}

# Preset → the first and last block of each stretch that has weight 1. "Deep" blocks are those of the smallest pictures with attention;
# SDXL's lie elsewhere, as it has a level less.
_PRESETS: Mapping[str, tuple[str, ...]] = {
    "ALL": ("BASE OUT11",),
    "NONE": (),
    "INS": ("BASE IN04",),
    "IND": ("BASE BASE", "IN05 IN08"),
    "INALL": ("BASE IN11",),
    "MIDD": ("BASE BASE", "IN05 OUT06"),
    "OUTD": ("BASE BASE", "OUT00 OUT06"),
    "OUTS": ("BASE BASE", "OUT07 OUT11"),
    "OUTALL": ("BASE BASE", "OUT00 OUT11"),
}
_PRESETS_XL: Mapping[str, tuple[str, ...]] = {
    **_PRESETS,
    "INS": ("BASE IN06",),
    "IND": ("BASE BASE", "IN07 IN08"),
    "MIDD": ("BASE BASE", "IN07 OUT02"),
    "OUTD": ("BASE BASE", "OUT00 OUT02"),
    "OUTS": ("BASE BASE", "OUT03 OUT11"),
}
PRESETS = (*_PRESETS, "ALL0.5")


def block_weights(text: str, family: str = "") -> dict[str, float]:
    """The weight of every block, from a preset's name or from numbers with commas between; "" is 1 everywhere.

    Blocks that a list of 12, 17 or 20 numbers does not name get 0, as in the extension. BadRequest where the text is neither.
    """
    text = text.strip()
    if not text or text.upper() in PRESETS:
        return _preset(text.upper() or "ALL", family)
    parts = [part.strip() for part in text.split(",")]
    numbers = [value for part in parts if (value := _number(part)) is not None]
    if len(numbers) != len(parts):
        raise BadRequest(
            f'The block weights "{_shortened(text)}" are neither a preset nor numbers with commas between.{near_miss(text, PRESETS)} '
            f"Presets: {', '.join(PRESETS)}."
        )
    if len(numbers) not in FORMS:
        raise BadRequest(f"There are {len(numbers)} block weights; there must be {', '.join(map(str, sorted(FORMS)))} of them.")
    return dict.fromkeys(BLOCKS, 0.0) | dict(zip(FORMS[len(numbers)], numbers, strict=True))


def _preset(name: str, family: str) -> dict[str, float]:
    if name == "ALL0.5":
        return dict.fromkeys(BLOCKS, 0.5)
    weights = dict.fromkeys(BLOCKS, 0.0)
    for stretch in (_PRESETS_XL if family == "sdxl" else _PRESETS)[name]:
        first, last = (BLOCKS.index(block) for block in stretch.split())
        weights |= dict.fromkeys(BLOCKS[first : last + 1], 1.0)
    return weights


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
