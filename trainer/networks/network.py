"""What does every kind of network have in common, and what must each kind say of itself?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from peft import PeftConfig
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor, nn

from lib_extension.models.checkpoint import Checkpoint
from lib_extension.spec.training.network import NetworkSettings

ADAPTER = "default"  # peft's name of the one adapter that there is

Layer = Any  # a peft layer: its adapters are attributes that no type of peft's declares
Parts = dict[str, Tensor]


@dataclass(frozen=True)
class Group:
    """Parameters that are trained at one learning rate: that of `network`, times `factor`."""

    name: str
    network: str  # unet, text_encoder, text_encoder_2
    factor: float
    parameters: tuple[nn.Parameter, ...]


@dataclass(frozen=True)
class Target:
    """A module that gets a network. `scale` is what its change is multiplied by."""

    path: str  # in its model, without "unet."
    rank: int
    scale: float

    @property
    def alpha(self) -> float:
        """What makes alpha / rank the scale, also with rsLoRA's."""
        return self.scale * self.rank


@dataclass(frozen=True)
class NetworkKind:
    """One kind of network.

    `config(targets, settings)` is peft's configuration. `parts(layer)` are the tensors of one module as formats.lora_keys and
    lora_delta call them, with its alpha; `put(layer, parts, ratio)` is the way back, `ratio` times as strong, and raises ValueError
    where shapes do not fit. `finish(layer, settings)` is done to each module once it is there.
    """

    name: str
    config: Callable[[Sequence[Target], NetworkSettings], PeftConfig]
    parts: Callable[[Layer], Parts]
    put: Callable[[Layer, Mapping[str, Tensor], float], None]
    finish: Callable[[Layer, NetworkSettings], None] = lambda layer, settings: None


def networks_of(checkpoint: Checkpoint) -> dict[str, nn.Module]:
    """ "unet", "text_encoder" and, of SDXL, "text_encoder_2"."""
    names = ("text_encoder", "text_encoder_2")
    return {"unet": checkpoint.unet, **dict(zip(names, checkpoint.text_encoders, strict=False))}


def layers_of(network: nn.Module) -> Iterator[tuple[str, Layer]]:
    """The modules that have a network now, by path."""
    for path, module in network.named_modules():
        if isinstance(module, BaseTunerLayer):
            yield path, module


def scale_of(layer: Layer) -> float:
    return float(layer.scaling[ADAPTER])


def rank_of(layer: Layer) -> int:
    return int(layer.r[ADAPTER])


def alpha_of(layer: Layer) -> Tensor:
    """What files have; float32, as half precision would round it."""
    return torch.tensor(scale_of(layer) * rank_of(layer), dtype=torch.float32)


def patterns(targets: Sequence[Target]) -> tuple[int, float, dict[str, int], dict[str, float]]:
    """The most frequent rank and alpha, and what differs from them, by path; for peft, to which paths are regular expressions."""
    (rank, alpha), _ = Counter((target.rank, target.alpha) for target in targets).most_common(1)[0]
    ranks = {_exactly(target.path): target.rank for target in targets if target.rank != rank}
    alphas = {_exactly(target.path): target.alpha for target in targets if target.alpha != alpha}
    return rank, alpha, ranks, alphas


def adapted(targets: Sequence[Target], settings: NetworkSettings) -> dict[str, Any]:
    """The arguments that peft's LyCORIS configurations share."""
    rank, alpha, ranks, alphas = patterns(targets)
    return {
        "r": rank,
        "alpha": alpha,
        "rank_pattern": ranks,
        "alpha_pattern": alphas,
        "target_modules": [target.path for target in targets],
        "use_effective_conv2d": settings.tucker,
    }


def _exactly(path: str) -> str:
    return path.replace(".", r"\.")


def adapter_part(layer: Layer, name: str) -> nn.Parameter | None:
    """The parameter of peft's dictionary `name`, if this layer has one."""
    held = getattr(layer, name)
    return held.get(ADAPTER)


def filled(parameter: nn.Parameter, value: Tensor) -> None:
    """Puts a value into a parameter of the same shape; ValueError for another."""
    if parameter.shape != value.shape:
        raise ValueError(f"{tuple(value.shape)} instead of {tuple(parameter.shape)}")
    with torch.no_grad():
        parameter.copy_(value)
