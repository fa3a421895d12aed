"""A mask of a picture's background or of its subject, found in the worker: by colours alone (GrabCut) or by rembg's networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.masks.mask_type import MaskGiven, MaskWork, OneMask, ask_network
from lib_extension.pictures import masks
from lib_extension.spec.settings import field


@dataclass(frozen=True, kw_only=True)
class BackgroundMask(OneMask):
    """What lies behind the subject, or the subject itself. Without a subject nothing is found, for either."""

    kind: Literal["background"]
    side: Literal["background", "subject"] = field("background", label="Choose")
    engine: Literal["grabcut", "rembg"] = field("grabcut", label="Method")
    border: float = field(
        0.05, label="Border", minimum=0.01, maximum=0.45, step=0.01, help="Surely background; a part of each side.", advanced=True
    )
    box: tuple[float, float, float, float] | None = field(
        None,
        label="Box",
        help="Left, top, right, bottom in pixels, round the subject; for GrabCut, in place of the border.",
        advanced=True,
    )
    iterations: int = field(5, label="Iterations", minimum=1, maximum=20, help="Of GrabCut.", advanced=True)
    model: str = field("u2net", label="rembg's network", help="The name of its .onnx file.", advanced=True)


def find(source: BackgroundMask, given: MaskGiven) -> MaskWork:
    """The worker finds the subject; the background is what that leaves."""
    subject = yield from ask_network(source, given, ours=("side",))
    return masks.invert(subject) if subject is not None and source.side == "background" else subject
