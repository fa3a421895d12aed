"""What a stage may ask of a backend, beyond the bodies of /sdapi: maps, masks and scores that a network makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib_extension.spec.sdapi import Detect, ExtraSingle, Img2Img, Txt2Img


@dataclass(frozen=True, kw_only=True)
class ModelMask:
    """A mask that needs a network; the embedded engine answers it without a checkpoint loaded."""

    kind: str  # "background", "text", "detector", "parts"
    image: str  # base64 PNG
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ModelTags:
    """How much a picture shows of each word that the tagger knows (0 to 1)."""

    image: str


@dataclass(frozen=True, kw_only=True)
class ModelEmbedding:
    """A vector a picture, alike for alike subjects, and which network they are of."""

    images: tuple[str, ...]


Call = Txt2Img | Img2Img | ExtraSingle | Detect | ModelMask | ModelTags | ModelEmbedding
MODEL_CALLS = (ModelMask, ModelTags, ModelEmbedding)  # answered by the worker, whatever backend makes the pictures
