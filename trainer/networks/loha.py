"""How does LoHa work here: W + alpha / rank * (a1 b1) ⊙ (a2 b2), the product value by value (arXiv:2108.06098, section 2)?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from peft import LoHaConfig
from torch import Tensor

from lib_extension.spec.training.network import NetworkSettings
from trainer.networks.network import Layer, NetworkKind, Parts, Target, adapted, adapter_part, alpha_of, filled

NAMES = ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2")


def config(targets: Sequence[Target], settings: NetworkSettings) -> LoHaConfig:
    return LoHaConfig(**adapted(targets, settings))


def parts(layer: Layer) -> Parts:
    held = {name: adapter_part(layer, name) for name in NAMES}
    return {name: tensor for name, tensor in held.items() if tensor is not None} | {"alpha": alpha_of(layer)}


def put(layer: Layer, parts: Mapping[str, Tensor], ratio: float) -> None:
    """All shapes must be the network's own: a product value by value has no rank that could be filled up."""
    wanted = {name: parameter for name in NAMES if (parameter := adapter_part(layer, name)) is not None}
    if wanted.keys() != parts.keys() - {"alpha"}:
        raise ValueError(f"it is made of {', '.join(sorted(parts))}")
    for name, parameter in wanted.items():
        given = parts[name].reshape(parameter.shape) if parts[name].numel() == parameter.numel() else parts[name]
        filled(parameter, given * ratio if name == "hada_w2_b" else given)


LOHA = NetworkKind("loha", config, parts, put)
