"""How does DoRA work here: the direction of W + alpha / rank * up @ down, with magnitudes that are trained apart (arXiv:2402.09353)?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from peft.tuners.lora.dora import DoraLinearLayer
from peft.utils.integrations import dequantize_module_weight
from torch import Tensor, nn

from lib_extension.spec.training.network import NetworkSettings
from trainer.networks import lora
from trainer.networks.network import ADAPTER, Layer, NetworkKind, Parts, filled, scale_of


class ColumnMagnitudes(DoraLinearLayer):
    """In place of peft's layer, whose magnitudes are those of the outputs: one for each input, as in the paper and in the WebUI.

    m * (W + change) / |W + change| has the columns of W + change, each times g = m / norm: it is (W + change) of the inputs times g.
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__(fan_in_fan_out=False)
        self.weight = nn.Parameter(self._norms(layer.get_base_layer(), *_factors(layer), scale_of(layer)).float())

    def forward(self, x: Tensor, *, lora_A: Any, lora_B: Any, scaling: float, base_layer: Any, **_: Any) -> Tensor:  # noqa: N803 - peft's
        """What is added to the base layer's answer. The norms are taken as constants (section 4.3)."""
        norms = self._norms(base_layer, lora_A.weight, lora_B.weight, scaling)
        gain = self.weight / norms.detach()  # (in,)
        if isinstance(base_layer, nn.Conv2d):
            gain = gain[:, None, None]
        more = base_layer((x * (gain - 1)).to(x.dtype))
        if base_layer.bias is not None:
            more = more - base_layer.bias.reshape(-1, *[1] * (gain.ndim - 1))
        return more + scaling * lora_B(lora_A(x * gain))

    @staticmethod
    @torch.no_grad()
    def _norms(base_layer: Any, down: Tensor, up: Tensor, scaling: float) -> Tensor:
        """(in,): the length of each column of W + change, over a convolution's kernel too."""
        weight = dequantize_module_weight(base_layer).to(down)
        merged = weight + scaling * (up.flatten(1) @ down.flatten(1)).reshape(weight.shape)
        return merged.transpose(0, 1).flatten(1).norm(dim=1)


def finish(layer: Layer, settings: NetworkSettings) -> None:
    if settings.magnitudes == "inputs":
        layer.lora_magnitude_vector[ADAPTER] = ColumnMagnitudes(layer)


def parts(layer: Layer) -> Parts:
    """The magnitudes are (1, in, …), or (out, 1, …): by that readers tell the two apart."""
    held = layer.lora_magnitude_vector[ADAPTER]
    others = [1] * (layer.get_base_layer().weight.ndim - 2 if isinstance(layer.get_base_layer(), nn.Conv2d) else 0)
    shape = (1, -1, *others) if isinstance(held, ColumnMagnitudes) else (-1, 1, *others)
    return lora.parts(layer) | {"dora_scale": held.weight.reshape(shape)}


def put(layer: Layer, parts: Mapping[str, Tensor], ratio: float) -> None:
    lora.put(layer, parts, ratio)
    held = layer.lora_magnitude_vector[ADAPTER]
    name = "dora_magnitude" if "dora_magnitude" in parts else "dora_scale"
    by_input = name == "dora_scale" and parts[name].shape[0] == 1
    if by_input != isinstance(held, ColumnMagnitudes):
        raise ValueError(f"its magnitudes are those of {'inputs' if by_input else 'outputs'}; set network.magnitudes so")
    if parts[name].numel() != held.weight.numel():
        raise ValueError(f"{parts[name].numel()} magnitudes instead of {held.weight.numel()}")
    filled(held.weight, parts[name].reshape(held.weight.shape))


def _factors(layer: Layer) -> tuple[Tensor, Tensor]:
    return layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER].weight


DORA = NetworkKind("dora", lora.config, parts, put, finish)
