"""What do ControlNets add to the U-Net at each evaluation?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import ControlNetModel
from numpy.typing import NDArray
from torch import Tensor

from lib_extension.engine.annotators import Module, Numbers
from lib_extension.engine.denoise import Residuals, Seen
from lib_extension.spec.controlnet import ControlNetUnit
from lib_extension.spec.errors import BadRequest

Pixels = NDArray[np.uint8]

DECAY = 0.825  # Soft weights: the deepest layer keeps 1, each one before it has this share of the next.
LAYERS = 13


@dataclass(frozen=True)
class Unit:
    """A unit with its maps made. The second map is of the hires pass."""

    asked: ControlNetUnit
    module: Module
    numbers: Numbers
    network: ControlNetModel
    maps: tuple[Pixels, Pixels | None]
    region: Tensor | None  # (1, 1, H, W), the part of the picture that the unit guides


class Net:
    """One unit's ControlNet in one pass."""

    def __init__(self, unit: Unit, *, hires: bool) -> None:
        self._unit = unit
        pixels = unit.maps[1] if hires and unit.maps[1] is not None else unit.maps[0]
        parameter = next(unit.network.parameters())
        self._hint = _hint(pixels).to(parameter.device, parameter.dtype)
        soft = unit.asked.control_mode != "Balanced" or (hires and unit.module.name == "canny")
        self._soft = soft
        self._positive_only = unit.asked.control_mode == "ControlNet is more important"

    def __call__(self, seen: Seen, share: float) -> list[Tensor] | None:
        """The residuals of all layers, the middle last; None outside the unit's part of the sampling."""
        asked = self._unit.asked
        if not asked.guidance_start <= share <= asked.guidance_end:
            return None
        rows = len(seen.x) - (seen.negatives if self._positive_only else 0)
        if rows == 0:
            return None
        added = {name: values[:rows] for name, values in seen.added.items()} if seen.added else None
        down, middle = self._unit.network(
            seen.x[:rows],
            seen.timestep,
            encoder_hidden_states=seen.states[:rows],
            controlnet_cond=self._hint.expand(rows, -1, -1, -1),
            added_cond_kwargs=added,
            return_dict=False,
        )
        layers = [*down, middle]
        layers = [self._in_region(layer) * scale for layer, scale in zip(layers, self._scales(len(layers)), strict=True)]
        missing = len(seen.x) - rows
        return [F.pad(layer, (0, 0, 0, 0, 0, 0, 0, missing)) for layer in layers] if missing else layers

    def _scales(self, count: int) -> list[float]:
        asked = self._unit.asked
        if asked.advanced_weighting is not None:
            if len(asked.advanced_weighting) != count:
                given = len(asked.advanced_weighting)
                raise BadRequest(f"advanced_weighting has {given} numbers; for this checkpoint it needs {count}.")
            return asked.advanced_weighting
        if self._soft:
            return [asked.weight * DECAY ** (LAYERS - 1 - i) for i in range(count)]
        return [asked.weight] * count

    def _in_region(self, layer: Tensor) -> Tensor:
        region = self._unit.region
        return layer if region is None else layer * F.interpolate(region, layer.shape[-2:], mode="bilinear").to(layer.dtype)


class Nets:
    """Several units: their residuals are added."""

    def __init__(self, nets: Sequence[Net]) -> None:
        self._nets = nets

    def __call__(self, seen: Seen, share: float) -> Residuals | None:
        each = [layers for net in self._nets if (layers := net(seen, share)) is not None]
        if not each:
            return None
        total = each[0]
        for layers in each[1:]:
            total = [one + other for one, other in zip(total, layers, strict=True)]
        return Residuals(tuple(total[:-1]), total[-1])


def _hint(pixels: Pixels) -> Tensor:
    """(H, W, 3 or 4) → (1, 3, H, W) in [0, 1]; what is to be inpainted is −1, as ControlNet 1.1 inpaint was trained."""
    values = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None].float() / 255
    if values.shape[1] == 3:
        return values
    covered = (values[:, 3:] > 0.5).float()
    return values[:, :3] * (1 - covered) - covered
