"""Which ways of finding masks are there? Another one is a file beside this, and a line in the list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lib_extension.models.masks.background import Background
from lib_extension.models.masks.detector import Detector
from lib_extension.models.masks.found import MaskNetwork, Places, Thing
from lib_extension.models.masks.part_masks import PartMasks
from lib_extension.models.masks.text import Text
from lib_extension.spec.errors import BadRequest, near_miss
from lib_extension.spec.settings import from_json

MASK_NETWORKS: tuple[type[MaskNetwork], ...] = (Background, Text, Detector, PartMasks)


@dataclass(frozen=True)
class Found:
    """``mask`` is white (255) where any of the things is, of the picture's size; None when nothing was found."""

    mask: Image.Image | None
    things: list[Thing]


class MaskNetworks:
    """One of each. Weights are loaded when they are first needed."""

    def __init__(self, places: Places) -> None:
        self._networks = {network.name: network for network in (make(places) for make in MASK_NETWORKS)}

    def files(self) -> dict[str, Path]:
        """The weights of all of them, by "kind/name"."""
        return {f"{kind}/{name}": path for kind, network in self._networks.items() for name, path in network.files().items()}

    def find(self, kind: str, picture: Image.Image, settings: Mapping[str, Any]) -> Found:
        """Raises BadRequest for a kind or settings that there are not, NotFound where weights are missing, BadFile for wrong ones."""
        if kind not in self._networks:
            known = ", ".join(self._networks)
            raise BadRequest(f'There is no mask of the kind "{kind[:100]}".{near_miss(kind, self._networks)} There are: {known}.')
        network = self._networks[kind]
        things = network.find(picture.convert("RGB"), from_json(network.settings, settings, "settings"))
        if not things:
            return Found(None, [])
        white = np.logical_or.reduce([thing.layer for thing in things])
        return Found(Image.fromarray(np.where(white, 255, 0).astype(np.uint8)), things)
