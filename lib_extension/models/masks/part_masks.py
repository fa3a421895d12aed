"""Where are the parts that the demo model's own network knows?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from lib_extension.models.masks.found import Kept, Places, Thing, thing_of
from lib_extension.models.parts import PARTS, Parts
from lib_extension.spec.settings import Settings, field

LEAST_SHARE = 0.001  # of the picture; less is a speck, not a part


@dataclass(frozen=True)
class PartSettings(Settings):
    parts: tuple[str, ...] = field(("object",), label="Parts", choices=PARTS)
    threshold: float = field(0.5, label="Threshold", minimum=0, maximum=1, step=0.05, help="How sure a pixel must be.")


class PartMasks:
    """A mask for each part that is asked for and there."""

    name = "parts"
    settings = PartSettings

    def __init__(self, places: Places) -> None:
        self._folder = places.demo / "parts"
        self._kept: Kept[Parts] = Kept(1)

    def files(self) -> Mapping[str, Path]:
        return {"parts": self._folder / "model.onnx"}

    def find(self, picture: Image.Image, settings: object) -> list[Thing]:
        assert isinstance(settings, PartSettings)
        masks = self._kept.get("", lambda: Parts(self._folder)).masks(picture)
        found = []
        for part in dict.fromkeys(settings.parts):
            share = np.asarray(masks[part], np.float32) / 255
            layer = share >= settings.threshold
            if layer.mean() >= LEAST_SHARE:
                found.append(thing_of(layer, float(share.max()), part))
        return sorted(found, key=lambda thing: -thing.score)
