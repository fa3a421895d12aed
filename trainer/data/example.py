"""What is known of one picture to train on, before anything random happens to it?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lib_extension.spec.training.data import AugmentationSettings, CaptionSettings, ConceptKind


@dataclass(frozen=True)
class Concept:
    """A folder of pictures as it was found; of a folder of kohya's form there are several."""

    folder: Path
    label: str  # the folder's name; no two concepts share one
    kind: ConceptKind
    repeats: int
    weight: float
    resolution: int
    trigger: str
    captions: CaptionSettings
    augmentation: AugmentationSettings


@dataclass(frozen=True)
class Example:
    """A picture with its caption."""

    file: Path
    name: str  # folder and path in it, with forward slashes; no two examples share one
    concept: Concept
    width: int  # as it is seen, turned as EXIF says
    height: int
    sha256: str  # of the file's bytes
    caption: str
    mask: Path | None = None
    mask_sha256: str = ""
    alpha_mask: bool = False  # its own alpha channel is the mask

    @property
    def masked(self) -> bool:
        """Whether the loss is weighted by place."""
        return self.alpha_mask or self.mask is not None

    @property
    def prior(self) -> bool:
        """Whether it is a regularisation picture."""
        return self.concept.kind == "regularisation"


@dataclass(frozen=True)
class Problem:
    """A mistake in a folder. `what` is the same text for the same kind of mistake, so that they can be counted."""

    file: str  # name as of an example, or the folder's
    what: str
    fatal: bool
    detail: str = ""
