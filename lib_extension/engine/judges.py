"""What is in a picture? The demo's small networks for tags, depth and parts, a CLIP, and whatever finds masks; loaded when first asked."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lib_extension.models.clip_vision import FOLDER as CLIP
from lib_extension.models.clip_vision import ClipVision
from lib_extension.models.masks.found import Places
from lib_extension.models.masks.networks import Found, MaskNetworks
from lib_extension.models.parts import Parts
from lib_extension.models.tagger import Tagger
from lib_extension.spec.errors import NotFound

TAGGER = "demo tagger"


@dataclass
class Judges:
    """`folder` holds `tagger/` and `parts/`, `models` the weights of other networks.

    Any number of threads may ask; no checkpoint is needed or touched.
    """

    folder: Path
    models: Path
    _tagger: Tagger | None = None
    _parts: Parts | None = None
    _loading: threading.Lock = field(default_factory=threading.Lock)
    _mask_networks: MaskNetworks = field(init=False)
    _clip: ClipVision = field(init=False)

    def __post_init__(self) -> None:
        self._clip = ClipVision(self.models)
        self._mask_networks = MaskNetworks(Places(self.models, self.folder))

    def tags(self, image: Image.Image) -> dict[str, float]:
        return self._the_tagger().tags(image)

    def caption(self, image: Image.Image) -> str:
        """Its tags, the surest first, with commas between."""
        return self._the_tagger().caption(image)

    def embedding_network(self) -> str:
        """Which of its networks embeds pictures now: a CLIP that the user has, else the demo's tagger."""
        return CLIP if self._clip.is_there else TAGGER

    def embedding(self, image: Image.Image, network: str) -> list[float]:
        """A vector of length 1 by this network, alike for pictures that show alike things."""
        vector = self._clip.embedding(image) if network == CLIP else self._the_tagger().embedding(image)
        if vector is None:
            raise NotFound("This tagger gives no embeddings; the demo model's does.")
        return (vector / max(float(np.linalg.norm(vector)), 1e-12)).tolist()

    def find_masks(self, kind: str, image: Image.Image, settings: Mapping[str, Any]) -> Found:
        """By one of ``MASK_NETWORKS``."""
        return self._mask_networks.find(kind, image, settings)

    def files(self) -> dict[str, Path]:
        """The weights that find masks and judge pictures, by "kind/name"; a folder stands for all that are in it."""
        tagger = self.folder / "tagger" / "model.onnx"
        embeds = self._clip.folder if self._clip.has_weights else tagger
        judging = {"tags/tags": tagger, "embedding/embedding": embeds}
        return self._mask_networks.files() | {name: path for name, path in judging.items() if path.exists()}

    def masks(self, image: Image.Image) -> dict[str, Image.Image]:
        return self._the_parts().masks(image)

    def depth(self, image: Image.Image) -> Image.Image:
        return self._the_parts().depth(image)

    def _the_tagger(self) -> Tagger:
        with self._loading:
            if self._tagger is None:
                self._tagger = Tagger(self._present("tagger"))
            return self._tagger

    def _the_parts(self) -> Parts:
        with self._loading:
            if self._parts is None:
                self._parts = Parts(self._present("parts"))
            return self._parts

    def _present(self, name: str) -> Path:
        folder = self.folder / name
        if not (folder / "model.onnx").is_file():
            raise NotFound(f"The {name} network is not here. It comes with the demo model: lib_extension/models/demo/{name}/model.onnx.")
        return folder
