"""How alike is what pictures show? By the vision half of a CLIP (Radford et al. 2021) in the user's models folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from PIL import Image
from transformers import AutoConfig, CLIPConfig, CLIPVisionConfig, CLIPVisionModelWithProjection, PreTrainedModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from lib_extension.models.masks.found import Kept
from lib_extension.spec.errors import BadFile

FOLDER = "clip_vision"
WEIGHTS = ".safetensors"

Half = TypeVar("Half", bound=PreTrainedModel)


class _Vision(CLIPVisionModelWithProjection):
    """Leaves the half for texts, which most downloads have too, in the file without a word."""

    _keys_to_ignore_on_load_unexpected = [r"text_model\..*", r"text_projection\..*", r"logit_scale", r".*position_ids"]  # noqa: RUF012


@dataclass(frozen=True)
class Vision:
    """The network and what prepares its input."""

    model: _Vision
    processor: CLIPImageProcessorPil

    @classmethod
    def load(cls, folder: Path) -> Vision:
        """From a transformers folder, or BadFile."""
        with told_as_bad(folder):
            return cls(half_of(folder, _Vision).eval(), CLIPImageProcessorPil.from_pretrained(folder, local_files_only=True))

    @torch.no_grad()
    def embedding(self, picture: Image.Image) -> np.ndarray:
        """The picture's projected embedding, float32 (P,), not scaled."""
        inputs = self.processor(images=[picture.convert("RGB")], return_tensors="pt")
        return self.model(pixel_values=inputs["pixel_values"]).image_embeds[0].float().numpy()


class ClipVision:
    """The transformers folder ``clip_vision`` in the models folder; nothing is downloaded. Any number of threads may ask."""

    def __init__(self, models: Path) -> None:
        self.folder = models / FOLDER
        self._kept: Kept[Vision] = Kept(1)

    @property
    def is_there(self) -> bool:
        """Whether somebody put one there, be it whole or not: what is asked of a broken one says so."""
        return (self.folder / "config.json").is_file()

    @property
    def has_weights(self) -> bool:
        """Whether there are any that are read, and so can be hashed."""
        return self.is_there and any(self.folder.rglob(f"*{WEIGHTS}"))

    def embedding(self, picture: Image.Image) -> np.ndarray:
        """The picture's projected embedding, float32 (P,), not scaled. Raises BadFile."""
        stamps = tuple((str(file), file.stat().st_mtime_ns) for file in sorted(self.folder.iterdir()))
        return self._kept.get(stamps, lambda: Vision.load(self.folder)).embedding(picture)


@contextmanager
def told_as_bad(folder: Path) -> Iterator[None]:
    """What goes wrong while a CLIP is read becomes a BadFile that says what belongs into the folder."""
    try:
        yield
    except Exception as error:  # transformers and safetensors each have their own
        raise BadFile(
            f"The files in {folder.name}/ cannot be read as CLIP. They must be a whole download, such as of "
            "openai/clip-vit-large-patch14: config.json, preprocessor_config.json and the weights as model.safetensors, no pickle."
        ) from error


def half_of(folder: Path, kind: type[Half]) -> Half:
    """The half for pictures or for texts with its projection, from a transformers folder of it or of both.

    Raises ValueError where a weight is missing or of another size: transformers would draw it by lot.
    """
    config: Any = AutoConfig.from_pretrained(folder, local_files_only=True)
    own: Any = kind.config_class
    if config.model_type == CLIPConfig.model_type:  # of both halves: the projection's width stands there, and in the half only by chance
        width = config.projection_dim
        config = config.vision_config if own is CLIPVisionConfig else config.text_config
        config.projection_dim = width
    if not isinstance(config, own):
        raise ValueError(f"{config.model_type} is no CLIP")
    load: Any = kind.from_pretrained
    model, found = load(
        folder, config=config, local_files_only=True, use_safetensors=True, ignore_mismatched_sizes=True, output_loading_info=True
    )
    if found["missing_keys"] or found["mismatched_keys"]:
        raise ValueError("weights are missing or of another size")
    return model
