"""Drives a mask's or a score's work by hand: what it asks is written down, and answered with what the test has prepared."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

import numpy as np
from PIL import Image

from lib_extension.masks import MaskGiven, make_mask, read_source
from lib_extension.pictures.png import encode_png
from lib_extension.spec.calls import Call
from lib_extension.stages.stage import Answer, Picture

T = TypeVar("T")


def carried_out(work: Generator[Call, Answer, T], answer: Callable[[Call], Answer] | None = None) -> tuple[T, list[Call]]:
    """What the work returns, and the calls that it made."""
    calls: list[Call] = []
    try:
        call = next(work)
        while True:
            calls.append(call)
            assert answer is not None, "nothing was to be asked"
            call = work.send(answer(call))
    except StopIteration as end:
        return end.value, calls


def picture(values: np.ndarray | Sequence[object] | Image.Image, **facts: object) -> Picture:
    """A stored picture of an array (H, W), (H, W, 3) or (H, W, 4)."""
    image = values if isinstance(values, Image.Image) else Image.fromarray(np.asarray(values, np.uint8))
    return Picture(encode_png(image), facts=facts)


def mask_of(source: object, taken: Picture, answer: Callable[[Call], Answer] | None = None, **others: Picture) -> np.ndarray | None:
    """The mask as (H, W), None for nothing found."""
    mask, _ = carried_out(make_mask(read_source(source), MaskGiven(taken, others)), answer)
    return None if mask is None else np.asarray(mask)


def found(source: object, taken: Picture, answer: Callable[[Call], Answer] | None = None, **others: Picture) -> np.ndarray:
    """As mask_of, where something is to be found."""
    mask = mask_of(source, taken, answer, **others)
    assert mask is not None
    return mask
