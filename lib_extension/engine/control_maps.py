"""How is a control map brought to the picture's size, so that lines stay lines and few colours stay few?

The rules are those of sd-webui-controlnet. Arrays are (H, W, 3), or (H, W, 4) with an inpaint mask as the fourth channel.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lib_extension.spec.controlnet import ResizeMode

Pixels = NDArray[np.uint8]

THINNINGS = 32  # at most; lines broader than twice that are none


def _turned(*elements: list[list[int]]) -> tuple[NDArray[np.int32], ...]:
    """All elements at each of the four turns. 1 is white, -1 black, 0 either."""
    return tuple(np.rot90(np.array(element, np.int32), turn) for turn in range(4) for element in elements)


_CORNERS_AND_SIDES = _turned([[-1, -1, -1], [0, 1, 0], [1, 1, 1]], [[0, -1, -1], [1, 1, -1], [0, 1, 0]])
_ENDS = _turned([[-1, -1, -1], [-1, 1, -1], [0, 0, -1]], [[-1, -1, -1], [-1, 1, -1], [-1, 0, 0]])


def fit_map(pixels: Pixels, mode: ResizeMode, width: int, height: int) -> Pixels:
    """``pixels`` as height × width: stretched, or covering it and cut, or inside it on the border's middle colour."""
    if mode == "Just Resize":
        return resize_map(pixels, width, height)
    ratios = (height / pixels.shape[0], width / pixels.shape[1])
    scale = min(ratios) if mode == "Resize and Fill" else max(ratios)
    inner = resize_map(pixels, round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    if mode == "Crop and Resize":
        top, left = max(0, (inner.shape[0] - height) // 2), max(0, (inner.shape[1] - width) // 2)
        return inner[top : top + height, left : left + width]
    ground = np.tile(_border_colour(pixels), (height, width, 1))
    top, left = max(0, (height - inner.shape[0]) // 2), max(0, (width - inner.shape[1]) // 2)
    ground[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return ground


def resize_map(pixels: Pixels, width: int, height: int) -> Pixels:
    if pixels.shape[:2] == (height, width):
        return pixels
    colours = pixels[:, :, :3]
    count = len(np.unique(colours.reshape(-1, 3), axis=0))
    binary = count == 2 and colours.min() < 16 and colours.max() > 240
    if 2 < count < 200:
        how = cv2.INTER_NEAREST
    elif width * height < colours.shape[0] * colours.shape[1]:
        how = cv2.INTER_AREA
    else:
        how = cv2.INTER_CUBIC
    resized = cv2.resize(colours, (width, height), interpolation=how).astype(np.uint8)
    if binary:
        larger = width * height > colours.shape[0] * colours.shape[1]
        resized = _binary_again(resized, thin=_has_thin_lines(colours), prune=larger)
    if pixels.shape[2] == 3:
        return resized
    mask = cv2.resize(pixels[:, :, 3], (width, height), interpolation=how)
    return np.concatenate([resized, np.where(mask > 127, 255, 0).astype(np.uint8)[:, :, None]], axis=2)


def _border_colour(pixels: Pixels) -> Pixels:
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    colour = np.median(border, axis=0).astype(np.uint8)
    if len(colour) == 4:
        colour[3] = 255  # Around an inpaint map everything is to be painted.
    return colour


def _has_thin_lines(pixels: Pixels) -> bool:
    """Most of the white vanishes when lines one pixel wide are taken away."""
    kernel = np.ones((3, 3), np.uint8)
    opened = cv2.dilate(cv2.erode(pixels, kernel), kernel)
    return int((opened < pixels).any(axis=2).sum()) * 2 > int((pixels > 127).any(axis=2).sum())


def _binary_again(pixels: Pixels, *, thin: bool, prune: bool) -> Pixels:
    grey = pixels.mean(axis=2).astype(np.uint8)
    if thin:
        grey = _ridges(grey)
    grey = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1].astype(np.uint8)
    if thin:
        grey = _thinned(grey, prune=prune)
    return np.stack([grey] * 3, axis=2)


def _ridges(grey: Pixels) -> Pixels:
    """Only pixels that are the brightest of three along some direction; the rest is 0."""
    line = np.eye(3, dtype=np.uint8)
    directions = (np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]], np.uint8), np.array([[0, 1, 0]] * 3, np.uint8), line, line[::-1].copy())
    kept = np.zeros_like(grey)
    for direction in directions:
        highest = cv2.dilate(grey, direction) == grey
        kept[highest] = grey[highest]
    return kept


def _thinned(white: Pixels, *, prune: bool) -> Pixels:
    """Takes pixels from the edges of white areas until lines one pixel wide are left, and with ``prune`` the ends of lines once.

    Golay 1969, by his structuring elements L in a fixed order, as its result depends on it.
    """
    left = white.copy()
    for _ in range(THINNINGS):
        before = np.count_nonzero(left)
        _take_away(left, _CORNERS_AND_SIDES)
        if np.count_nonzero(left) == before:
            break
    if prune:
        _take_away(left, _ENDS)
    return left


def _take_away(white: Pixels, elements: tuple[NDArray[np.int32], ...]) -> None:
    for element in elements:
        white[cv2.morphologyEx(white, cv2.MORPH_HITMISS, element) > 127] = 0
