"""How does LoKr work here: W + alpha / rank * a small matrix ⊗ a large one, which may be decomposed (arXiv:2309.14859)?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from peft import LoKrConfig
from torch import Tensor

from lib_extension.spec.training.network import NetworkSettings
from trainer.networks.network import Layer, NetworkKind, Parts, Target, adapted, adapter_part, alpha_of, filled, scale_of

NAMES = ("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2")


def config(targets: Sequence[Target], settings: NetworkSettings) -> LoKrConfig:
    return LoKrConfig(**adapted(targets, settings), decompose_both=settings.decompose_both, decompose_factor=settings.factor)


def parts(layer: Layer) -> Parts:
    """Two whole matrices have no rank, so no reader would multiply them by alpha / rank: that goes into the small one."""
    held = {name: adapter_part(layer, name) for name in NAMES}
    tensors = {name: tensor for name, tensor in held.items() if tensor is not None}
    if _whole(tensors):
        return {"lokr_w1": tensors["lokr_w1"] * scale_of(layer), "lokr_w2": tensors["lokr_w2"], "alpha": alpha_of(layer)}
    return tensors | {"alpha": alpha_of(layer)}


def put(layer: Layer, parts: Mapping[str, Tensor], ratio: float) -> None:
    wanted = {name: parameter for name in NAMES if (parameter := adapter_part(layer, name)) is not None}
    if wanted.keys() != parts.keys() - {"alpha"}:
        raise ValueError(f"it is made of {', '.join(sorted(parts))}")
    scaled = "lokr_w1" if "lokr_w1" in wanted else "lokr_w1_b"
    for name, parameter in wanted.items():
        filled(parameter, parts[name] * ratio if name == scaled else parts[name])


def _whole(parts: Mapping[str, object]) -> bool:
    return {"lokr_w1", "lokr_w2"} <= parts.keys()


LOKR = NetworkKind("lokr", config, parts, put)
