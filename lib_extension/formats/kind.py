"""What can a model file be, and to which families of base models can it belong?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from lib_extension.formats.safetensors_header import TensorInfo

Family = Literal["sd1", "sd2", "sdxl", "sd3", "flux", "unknown"]
KindName = Literal[
    "checkpoint", "unet", "text-encoder", "vae", "lora", "controlnet", "t2i-adapter", "ip-adapter", "embedding", "upscaler", "unknown"
]

Tensors = Mapping[str, TensorInfo]


@dataclass(frozen=True)
class Kind:
    """What a file is.

    `naming` is "ldm", "diffusers", "kohya", "peft", "control-lora" …, or "" where the kind has one only. `method` is a LoRA's type: "lora",
    "locon", "loha", "lokr", "dora", "oft", "glora", "ia3", "full" or "norm". `among` holds the families of a part that several share, such
    as a VAE: their files do not differ. `side` is that of the squares that a base model was trained on, in pixels, 0 where nothing tells
    it, as of networks that are narrower than the published ones.
    """

    kind: KindName
    family: Family = "unknown"
    naming: str = ""
    method: str = ""
    among: tuple[Family, ...] = ()
    side: int = 0

    @property
    def families(self) -> tuple[Family, ...]:
        """Every family that the file can be used with; empty where nothing is known."""
        return self.among or (() if self.family == "unknown" else (self.family,))


def any_has(names: Iterable[str], *parts: str) -> bool:
    """Whether any of the names holds any of the parts."""
    text = "\n".join(names)  # one search a part through all names takes a hundredth of the time of one a name
    return any(part in text for part in parts)


def any_starts(names: Iterable[str], *starts: str) -> bool:
    """Whether any of the names begins with any of the texts."""
    text = "\n" + "\n".join(names)
    return any("\n" + start in text for start in starts)


def first_shape(tensors: Tensors, prefix: str, ending: str) -> tuple[int, ...] | None:
    """The shape of the first tensor whose name begins and ends so."""
    return next((tensor.shape for name, tensor in tensors.items() if name.endswith(ending) and name.startswith(prefix)), None)


def width_of(shape: tuple[int, ...] | None) -> int:
    """How many values a layer with a weight of this shape takes, 0 where that cannot be said. Shapes are (out, in, …)."""
    return shape[1] if shape and len(shape) > 1 else 0
