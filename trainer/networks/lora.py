"""How does LoRA work here: W + alpha / rank * up @ down, on matrices and, as LoCon, on convolutions (arXiv:2106.09685)?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from peft import LoraConfig
from torch import Tensor

from lib_extension.spec.training.network import NetworkSettings
from trainer.networks.network import ADAPTER, Layer, NetworkKind, Parts, Target, alpha_of, patterns


def config(targets: Sequence[Target], settings: NetworkSettings) -> LoraConfig:
    rank, alpha, ranks, alphas = patterns(targets)
    return LoraConfig(
        r=rank,
        lora_alpha=alpha,  # pyright: ignore[reportArgumentType] - it only ever is divided
        rank_pattern=ranks,
        alpha_pattern=alphas,  # pyright: ignore[reportArgumentType]
        target_modules=[target.path for target in targets],
        lora_dropout=settings.dropout,
        use_dora=settings.kind == "dora",
    )


def parts(layer: Layer) -> Parts:
    return {"down": layer.lora_A[ADAPTER].weight, "up": layer.lora_B[ADAPTER].weight, "alpha": alpha_of(layer)}


def put(layer: Layer, parts: Mapping[str, Tensor], ratio: float) -> None:
    """A file of a smaller rank fills the first of the network's; `up` of the rest stays 0, and so the change is the file's."""
    down, up = layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER].weight  # (r, in, …), (out, r, …)
    if "mid" in parts:
        raise ValueError("its convolutions are split in three")
    given_down, given_up = parts["down"], parts["up"]
    rank = given_down.shape[0]
    if rank > down.shape[0] or given_down.numel() != rank * down[0].numel() or given_up.numel() != rank * up.shape[0]:
        raise ValueError(f"rank {rank} with {given_down[0].numel()} inputs instead of rank {down.shape[0]} with {down[0].numel()}")
    with torch.no_grad():
        down[:rank] = given_down.reshape(rank, *down.shape[1:]).to(down)
        up.zero_()
        up[:, :rank] = ratio * given_up.reshape(up.shape[0], rank, *up.shape[2:]).to(up)


LORA = NetworkKind("lora", config, parts, put)
