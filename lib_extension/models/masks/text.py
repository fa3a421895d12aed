"""Where in the picture is what a text names? By CLIPSeg (Lüddecke and Ecker 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import CLIPSegForImageSegmentation, CLIPSegProcessor

from lib_extension.models.masks.found import Kept, Places, Thing, thing_of
from lib_extension.spec.errors import BadFile, BadRequest, NotFound
from lib_extension.spec.settings import Settings, field

FOLDER = "clipseg"
MOST_THINGS = 16


@dataclass(frozen=True)
class TextSettings(Settings):
    """Several things have commas between them, and are looked for one by one."""

    text: str = field(label="Text", help='What to look for, such as "watch, strap".')
    threshold: float = field(0.4, label="Threshold", minimum=0, maximum=1, step=0.05, help="How sure a pixel must be.")

    def check(self) -> None:
        if not self.things:
            raise BadRequest("settings.text is empty. Name what to look for.")
        if len(self.things) > MOST_THINGS:
            raise BadRequest(f"settings.text names {len(self.things)} things; {MOST_THINGS} is the most.")

    @property
    def things(self) -> list[str]:
        return [part.strip() for part in self.text.split(",") if part.strip()]


@dataclass(frozen=True)
class ClipSeg:
    """The network and what prepares its input."""

    model: CLIPSegForImageSegmentation
    processor: CLIPSegProcessor

    @classmethod
    def load(cls, folder: Path) -> ClipSeg:
        try:
            model = CLIPSegForImageSegmentation.from_pretrained(folder, local_files_only=True, use_safetensors=True)
            return cls(model.eval(), CLIPSegProcessor.from_pretrained(folder, local_files_only=True))
        except Exception as error:  # transformers, tokenizers and safetensors each have their own
            raise BadFile(
                f"The files in {FOLDER}/ in the models folder cannot be read as CLIPSeg. They must be a whole download "
                "of CIDAS/clipseg-rd64-refined, with its weights as model.safetensors."
            ) from error

    def shares(self, picture: Image.Image, things: list[str]) -> np.ndarray:
        """How sure every pixel of the network's own picture is to be each thing: (N, h, w), 0..1."""
        inputs = self.processor(text=things, images=[picture] * len(things), padding=True, truncation=True, return_tensors="pt")
        with torch.no_grad():
            logits = self.model(**inputs).logits  # (N, h, w), of one text (h, w) in some versions
        return torch.sigmoid(logits).reshape(len(things), *logits.shape[-2:]).numpy()


class Text:
    """Each thing's mask by itself. The weights are the folder ``clipseg`` in the models folder; nothing is downloaded."""

    name = "text"
    settings = TextSettings

    def __init__(self, places: Places) -> None:
        self._folder = places.models / FOLDER
        self._kept: Kept[ClipSeg] = Kept(1)

    def files(self) -> Mapping[str, Path]:
        weights = self._folder / "model.safetensors"
        return {"clipseg": weights} if weights.is_file() else {}

    def find(self, picture: Image.Image, settings: object) -> list[Thing]:
        assert isinstance(settings, TextSettings)
        found = []
        for label, share in zip(settings.things, self._network().shares(picture, settings.things), strict=True):
            layer = np.asarray(Image.fromarray(share).resize(picture.size, Image.Resampling.BILINEAR)) >= settings.threshold
            if layer.any():
                found.append(thing_of(layer, float(share.max()), label))
        return sorted(found, key=lambda thing: -thing.score)

    def _network(self) -> ClipSeg:
        config = self._folder / "config.json"
        if not config.is_file():
            raise NotFound(
                f"CLIPSeg's weights are missing. Download huggingface.co/CIDAS/clipseg-rd64-refined into {FOLDER}/ in the models folder."
            )
        return self._kept.get(config.stat().st_mtime_ns, lambda: ClipSeg.load(self._folder))
