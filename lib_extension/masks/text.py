"""A mask of what a text names, found in the worker by CLIPSeg (Lüddecke and Ecker 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.masks.mask_type import OneMask
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import field


@dataclass(frozen=True, kw_only=True)
class TextMask(OneMask):
    """Where a picture shows what a text names."""

    kind: Literal["text"]
    text: str = field(label="Text", help='What to look for, such as "watch, strap".')
    threshold: float = field(0.4, label="Threshold", minimum=0, maximum=1, step=0.05, help="How sure a pixel must be.")

    def check(self) -> None:
        """Refuse to look for nothing."""
        if not self.text.strip(" ,\n"):
            raise BadRequest('A mask of the kind "text" needs "text", what to look for.')
