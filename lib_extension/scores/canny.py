"""Where are the edges in a picture? Canny's detector (Canny 1986) without its blur, as the ControlNet module "canny" has it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib_extension.pictures.mask_algebra import connected

Layer = NDArray[np.bool_]
Floats = NDArray[np.floating[Any]]


def edges(grey: Floats, low: float = 100, high: float = 200) -> Layer:
    """(H, W) → true where a line runs: crests of the gradient over `low` that are connected to one over `high`.

    The gradient is Sobel's, its size |gx| + |gy| at 256 levels of grey, as cv2.Canny measures it.
    """
    across, down = _sobel(grey)
    size = np.abs(across) + np.abs(down)
    crests = _crests(size, across, down)
    weak, strong = crests & (size > low), crests & (size > high)
    labels, areas = connected(weak)
    kept = np.zeros(len(areas) + 1, np.bool_)
    kept[labels[strong]] = True
    kept[0] = False
    return kept[labels]


def _sobel(grey: Floats) -> tuple[Floats, Floats]:
    padded = np.pad(grey, 1, mode="edge")
    down = padded[2:] - padded[:-2]  # H W+2
    smooth = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    return smooth[:, 2:] - smooth[:, :-2], down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]


def _crests(size: Floats, across: Floats, down: Floats) -> Layer:
    """Where the gradient is larger than on one side of it and no smaller than on the other, along its own direction."""
    height, width = size.shape
    padded = np.pad(size, 1)

    def beside(dy: int, dx: int) -> Floats:
        return padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]

    steepness = np.tan(np.pi / 8)  # the border between straight and diagonal
    level = np.abs(down) < steepness * np.abs(across)
    upright = np.abs(down) * steepness > np.abs(across)
    falling = ~level & ~upright & (across * down > 0)
    rising = ~level & ~upright & ~falling
    crests = np.zeros(size.shape, np.bool_)
    for chosen, (dy, dx), loose in ((level, (0, 1), True), (upright, (1, 0), True), (falling, (1, 1), False), (rising, (1, -1), False)):
        after = beside(dy, dx)
        crests |= chosen & (size > beside(-dy, -dx)) & ((size >= after) if loose else (size > after))
    return crests
