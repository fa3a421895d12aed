"""What is each tensor of a U-Net, ControlNet or autoencoder called in ldm's (the WebUI's) naming, and what in diffusers'?

Every table pairs module names; a module's parameters, and what lies below it, keep their names. The tables follow from a layout that
is read off the names themselves, so models of any width and depth are renamed, in both directions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch

Tensors = Mapping[str, torch.Tensor]
Pairs = list[tuple[str, str]]  # (ldm module, diffusers module)

_UNET_RESNET = (
    ("in_layers.0", "norm1"),
    ("in_layers.2", "conv1"),
    ("emb_layers.1", "time_emb_proj"),
    ("out_layers.0", "norm2"),
    ("out_layers.3", "conv2"),
    ("skip_connection", "conv_shortcut"),
)
_VAE_ATTENTION = (("norm", "group_norm"), ("q", "to_q"), ("k", "to_k"), ("v", "to_v"), ("proj_out", "to_out.0"))


@dataclass(frozen=True)
class UnetLayout:
    """``resnets`` a level on the way down, and which levels (from the widest picture to the smallest) have attention."""

    resnets: int
    attention: tuple[bool, ...]

    @classmethod
    def of_ldm(cls, names: Iterable[str]) -> UnetLayout:
        """Read off ldm names without their ``model.diffusion_model.`` or ``control_model.`` prefix."""
        names = set(names)
        halvings = sorted(_numbers(names, r"input_blocks\.(\d+)\.0\.op\."))
        if not halvings:
            return cls(0, ())
        resnets = halvings[0] - 1
        firsts = [1, *(index + 1 for index in halvings)]
        return cls(resnets, tuple(f"input_blocks.{first}.1.proj_in.weight" in names for first in firsts))

    @classmethod
    def of_diffusers(cls, names: Iterable[str]) -> UnetLayout:
        """Read off diffusers names."""
        names = set(names)
        levels = len(_numbers(names, r"down_blocks\.(\d+)\."))
        resnets = len(_numbers(names, r"down_blocks\.0\.resnets\.(\d+)\."))
        return cls(resnets, tuple(f"down_blocks.{level}.attentions.0.proj_in.weight" in names for level in range(levels)))


def unet_pairs(layout: UnetLayout) -> Pairs:
    """The modules of a U-Net."""
    pairs = [*_encoder_pairs(layout), ("out.0", "conv_norm_out"), ("out.2", "conv_out")]
    levels = len(layout.attention)
    for block, attention in enumerate(reversed(layout.attention)):
        first = block * (layout.resnets + 1)
        for layer in range(layout.resnets + 1):
            pairs += _below(f"output_blocks.{first + layer}.0", f"up_blocks.{block}.resnets.{layer}", _UNET_RESNET)
            if attention:
                pairs.append((f"output_blocks.{first + layer}.1", f"up_blocks.{block}.attentions.{layer}"))
        if block < levels - 1:
            place = 2 if attention else 1
            pairs.append((f"output_blocks.{first + layout.resnets}.{place}.conv", f"up_blocks.{block}.upsamplers.0.conv"))
    return pairs


def controlnet_pairs(layout: UnetLayout, hint_blocks: int) -> Pairs:
    """The modules of a ControlNet: a U-Net's way down, a zero convolution behind each step, and the picture's own embedding."""
    pairs = _encoder_pairs(layout)
    steps = len(layout.attention) * (layout.resnets + 1)
    pairs += [(f"zero_convs.{step}.0", f"controlnet_down_blocks.{step}") for step in range(steps)]
    pairs += [("middle_block_out.0", "controlnet_mid_block"), ("input_hint_block.0", "controlnet_cond_embedding.conv_in")]
    pairs += [(f"input_hint_block.{2 * block + 2}", f"controlnet_cond_embedding.blocks.{block}") for block in range(hint_blocks)]
    pairs.append((f"input_hint_block.{2 * hint_blocks + 2}", "controlnet_cond_embedding.conv_out"))
    return pairs


def vae_pairs(levels: int, resnets: int) -> Pairs:
    """The modules of an autoencoder whose encoder has ``resnets`` a level; its decoder has one more."""
    pairs: Pairs = []
    for half, new_half in (("encoder.down", "encoder.down_blocks"), ("decoder.up", "decoder.up_blocks")):
        decoder = half == "decoder.up"
        for level in range(levels):
            old = f"{half}.{levels - 1 - level if decoder else level}"  # ldm counts the decoder's levels from the last to the first
            for layer in range(resnets + decoder):
                pairs.append((f"{old}.block.{layer}.nin_shortcut", f"{new_half}.{level}.resnets.{layer}.conv_shortcut"))
                pairs.append((f"{old}.block.{layer}", f"{new_half}.{level}.resnets.{layer}"))
            resampler = ("upsample", "upsamplers") if decoder else ("downsample", "downsamplers")
            pairs.append((f"{old}.{resampler[0]}", f"{new_half}.{level}.{resampler[1]}.0"))
    for half in ("encoder", "decoder"):
        pairs += [(f"{half}.mid.block_{n}", f"{half}.mid_block.resnets.{n - 1}") for n in (1, 2)]
        pairs += _below(f"{half}.mid.attn_1", f"{half}.mid_block.attentions.0", _VAE_ATTENTION)
        pairs.append((f"{half}.norm_out", f"{half}.conv_norm_out"))
        pairs += [(f"{half}.{same}", f"{half}.{same}") for same in ("conv_in", "conv_out")]
    return pairs + [(same, same) for same in ("quant_conv", "post_quant_conv")]


def unet_to_diffusers(tensors: Tensors) -> dict[str, torch.Tensor]:
    """Renames a U-Net's tensors, given without their prefix. Names that no U-Net has are left out."""
    return rename(tensors, unet_pairs(UnetLayout.of_ldm(tensors)))


def unet_to_ldm(tensors: Tensors) -> dict[str, torch.Tensor]:
    return rename(tensors, _turned(unet_pairs(UnetLayout.of_diffusers(tensors))))


def controlnet_to_diffusers(tensors: Tensors) -> dict[str, torch.Tensor]:
    """Renames a ControlNet's tensors, given without ``control_model.``."""
    hints = len(_numbers(tensors, r"input_hint_block\.(\d+)\.weight"))
    return rename(tensors, controlnet_pairs(UnetLayout.of_ldm(tensors), hints - 2))


def controlnet_to_ldm(tensors: Tensors) -> dict[str, torch.Tensor]:
    hints = len(_numbers(tensors, r"controlnet_cond_embedding\.blocks\.(\d+)\."))
    return rename(tensors, _turned(controlnet_pairs(UnetLayout.of_diffusers(tensors), hints)))


def vae_to_diffusers(tensors: Tensors) -> dict[str, torch.Tensor]:
    """Renames an autoencoder's tensors, given without ``first_stage_model.``; the attention's 1x1 convolutions become matrices."""
    levels = len(_numbers(tensors, r"encoder\.down\.(\d+)\."))
    resnets = len(_numbers(tensors, r"encoder\.down\.0\.block\.(\d+)\."))
    renamed = rename(tensors, vae_pairs(levels, resnets))
    return {name: tensor[:, :, 0, 0] if _is_vae_matrix(name) and tensor.ndim == 4 else tensor for name, tensor in renamed.items()}


def vae_to_ldm(tensors: Tensors) -> dict[str, torch.Tensor]:
    levels = len(_numbers(tensors, r"encoder\.down_blocks\.(\d+)\."))
    resnets = len(_numbers(tensors, r"encoder\.down_blocks\.0\.resnets\.(\d+)\."))
    tensors = {name: tensor[:, :, None, None] if _is_vae_matrix(name) and tensor.ndim == 2 else tensor for name, tensor in tensors.items()}
    return rename(tensors, _turned(vae_pairs(levels, resnets)))


def rename(tensors: Tensors, pairs: Pairs) -> dict[str, torch.Tensor]:
    """Each tensor under the new name of the deepest module that ``pairs`` knows; tensors outside all of them are left out."""
    table = dict(pairs)
    renamed = {}
    for name, tensor in tensors.items():
        parts = name.split(".")
        for depth in range(len(parts) - 1, 0, -1):
            module = table.get(".".join(parts[:depth]))
            if module is not None:
                renamed[".".join([module, *parts[depth:]])] = tensor
                break
    return renamed


def _encoder_pairs(layout: UnetLayout) -> Pairs:
    """What a U-Net and a ControlNet have in common: embeddings, the way down, the middle."""
    pairs = [
        ("input_blocks.0.0", "conv_in"),
        ("time_embed.0", "time_embedding.linear_1"),
        ("time_embed.2", "time_embedding.linear_2"),
        ("label_emb.0.0", "add_embedding.linear_1"),
        ("label_emb.0.2", "add_embedding.linear_2"),
    ]
    for level, attention in enumerate(layout.attention):
        first = 1 + level * (layout.resnets + 1)
        for layer in range(layout.resnets):
            pairs += _below(f"input_blocks.{first + layer}.0", f"down_blocks.{level}.resnets.{layer}", _UNET_RESNET)
            if attention:
                pairs.append((f"input_blocks.{first + layer}.1", f"down_blocks.{level}.attentions.{layer}"))
        pairs.append((f"input_blocks.{first + layout.resnets}.0.op", f"down_blocks.{level}.downsamplers.0.conv"))
    pairs += _below("middle_block.0", "mid_block.resnets.0", _UNET_RESNET)
    pairs.append(("middle_block.1", "mid_block.attentions.0"))
    pairs += _below("middle_block.2", "mid_block.resnets.1", _UNET_RESNET)
    return pairs


def _below(old: str, new: str, names: Iterable[tuple[str, str]]) -> Pairs:
    return [(f"{old}.{inner}", f"{new}.{new_inner}") for inner, new_inner in names]


def _turned(pairs: Pairs) -> Pairs:
    return [(new, old) for old, new in pairs]


def _numbers(names: Iterable[str], pattern: str) -> set[int]:
    """The different numbers that ``pattern`` captures at the beginning of the names."""
    return {int(match[1]) for name in names if (match := re.match(pattern, name))}


def _is_vae_matrix(name: str) -> bool:
    return ".attentions." in name and name.endswith(("to_q.weight", "to_k.weight", "to_v.weight", "to_out.0.weight"))
