"""A mask of the things that a detector was trained for (faces, hands, persons), found in the worker by a YOLO network as ADetailer's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.masks.mask_type import OneMask
from lib_extension.spec.settings import field


@dataclass(frozen=True, kw_only=True)
class DetectorMask(OneMask):
    """Where a detector sees something: its outline if the detector gives one, else its box."""

    kind: Literal["detector"]
    model: str = field(label="Detector", help="The name of its .onnx file in the folder detectors.")
    confidence: float = field(0.3, label="Confidence", minimum=0, maximum=1, step=0.05)
    overlap: float = field(
        0.7,
        label="Overlap",
        minimum=0,
        maximum=1,
        step=0.05,
        help="Of two boxes of a class that share more, one stays.",
        advanced=True,
    )
    classes: tuple[str, ...] = field((), label="Classes", help="None are all that the detector knows.")
    max_count: int = field(100, label="At most", minimum=1, maximum=1000, help="The surest ones stay.", advanced=True)
