"""How do stages name masks? By a mask stage's or input's name, or written out in place; and what they do where nothing is found."""

from __future__ import annotations

from collections.abc import Generator
from typing import Literal

from PIL import Image

from lib_extension.masks.mask_type import MaskGiven, fitted
from lib_extension.masks.source import CombinedMask, MaskSource, make_mask, needs_network, references
from lib_extension.pictures import masks
from lib_extension.spec.calls import Call
from lib_extension.spec.errors import BadRequest
from lib_extension.stages.stage import Answer, Given

MaskUse = str | MaskSource | tuple[MaskSource, ...]  # several: what any of them chooses

WhenEmpty = Literal["fail", "skip", "keep", "whole"]


def mask_names(use: MaskUse) -> tuple[str, ...]:
    """The stages and inputs that a mask is made from."""
    if isinstance(use, str):
        return (use,) if use else ()
    return references(_as_one(use))


def asks_network(use: MaskUse) -> bool:
    """Whether only the worker can find it."""
    return not isinstance(use, str) and needs_network(_as_one(use))


def mask_of(use: MaskUse, given: Given) -> Generator[Call, Answer, Image.Image | None]:
    """The mask at the taken picture's size, None where nothing is chosen."""
    taken = given.taken[0]
    if isinstance(use, str):
        mask = fitted(masks.from_picture(given.others[use].image, rounded=False), taken.image.size)
    else:
        mask = yield from make_mask(_as_one(use), MaskGiven(taken, given.others))
    return mask if mask is not None and mask.getbbox() else None


def refuse_nothing(use: MaskUse, name: str) -> None:
    """BadRequest where a setting `name` names no mask."""
    if not use:
        raise BadRequest(f'"{name}" is empty; name a mask stage or a mask input, or write a mask, such as {{"kind": "alpha"}}.')


def nothing_found(given: Given) -> BadRequest:
    """For a stage that is to fail then."""
    return BadRequest(f'"{given.stage.id}" found nothing to choose. "when_empty" says what to do then: skip, keep, whole or fail.')


def _as_one(use: MaskSource | tuple[MaskSource, ...]) -> MaskSource:
    if not isinstance(use, tuple):
        return use
    return use[0] if len(use) == 1 else CombinedMask(union=use)
