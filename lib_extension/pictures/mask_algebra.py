"""Which regions does a mask have? Its connected parts, the largest of them, and the holes in them.

A region is what is more than half chosen (over 127). Combining, growing and feathering are in pictures.masks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib_extension.pictures import masks

Layer = NDArray[np.bool_]
Indexes = NDArray[np.int64]


def shrink(mask: Image.Image, pixels: int) -> Image.Image:
    """The mask narrowed by a disc of radius `pixels`; what lies beyond the picture's edge counts as chosen if its neighbour is."""
    return masks.grow(mask, -pixels)


def largest(mask: Image.Image, count: int) -> Image.Image:
    """The mask within its `count` largest regions, and 0 elsewhere; of equals, the one that begins higher, then further left."""
    labels, areas = connected(np.asarray(mask) > 127)
    kept = np.zeros(len(areas) + 1, np.bool_)
    kept[1 + np.argsort(-areas, kind="stable")[:count]] = True
    return Image.fromarray(np.where(kept[labels], np.asarray(mask), 0).astype(np.uint8))


def fill_holes(mask: Image.Image) -> Image.Image:
    """The mask with every hole chosen: what is not in a region and has no way to the picture's edge, sideways or up and down."""
    values = np.asarray(mask)
    outside = np.pad(values <= 127, 1, constant_values=True)  # the frame joins everything that reaches the edge
    labels, _ = connected(outside, corners=False)
    holes = outside & (labels != labels[0, 0])
    return Image.fromarray(np.where(holes[1:-1, 1:-1], 255, values).astype(np.uint8))


def connected(layer: Layer, *, corners: bool = True) -> tuple[Indexes, Indexes]:
    """(H, W) with 1, 2, … for each connected region in reading order and 0 elsewhere, and (N,) the regions' areas in pixels.

    Pixels that touch at `corners` only are connected too. Runs of pixels in a row are joined with those that they touch in the next
    row, all at once: every run's root hooks on to the smallest root next to it until nothing changes (Shiloach and Vishkin 1982).
    """
    runs = _runs(layer)
    labels = np.zeros(layer.shape, np.int64)
    if len(runs.starts) == 0:
        return labels, np.zeros(0, np.int64)
    roots = _joined(len(runs.starts), *_touching(runs, layer.shape[1] + 1, 1 if corners else 0))
    _, region = np.unique(roots, return_inverse=True)  # a root is its region's first run, so they are in reading order
    lengths = runs.ends - runs.starts
    labels[layer] = np.repeat(region.reshape(-1) + 1, lengths)
    return labels, np.bincount(region.reshape(-1), weights=lengths).astype(np.int64)


@dataclass(frozen=True)
class Runs:
    """Pixels side by side in one row, as places in a picture that is one column wider, so that rows stay apart. Ends are outside."""

    starts: Indexes
    ends: Indexes


def _runs(layer: Layer) -> Runs:
    height, width = layer.shape
    wider = np.zeros((height, width + 1), np.int8)
    wider[:, :width] = layer
    changes = np.diff(wider.ravel(), prepend=np.int8(0))
    return Runs(np.flatnonzero(changes == 1), np.flatnonzero(changes == -1))


def _touching(runs: Runs, stride: int, reach: Literal[0, 1]) -> tuple[Indexes, Indexes]:
    """Every pair of runs that touch in neighbouring rows: (the upper ones, the lower ones)."""
    first = np.searchsorted(runs.ends, runs.starts + stride - reach, side="right")
    past = np.searchsorted(runs.starts, runs.ends + stride + reach, side="left")
    counts = np.maximum(past - first, 0)
    upper = np.repeat(np.arange(len(counts)), counts)
    offsets = np.arange(len(upper)) - np.repeat(np.cumsum(counts) - counts, counts)
    return upper, np.repeat(first, counts) + offsets


def _joined(count: int, upper: Indexes, lower: Indexes) -> Indexes:
    """For each of `count` runs, the first run of the region that it belongs to."""
    roots = np.arange(count)
    while len(upper):
        np.minimum.at(roots, lower, upper)
        while not np.array_equal(higher := roots[roots], roots):
            roots = higher
        upper, lower = roots[upper], roots[lower]
        upper, lower = np.minimum(upper, lower), np.maximum(upper, lower)
        apart = upper != lower
        upper, lower = upper[apart], lower[apart]
    return roots
