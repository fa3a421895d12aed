"""What is a module of a diffusers U-Net called in ldm's U-Net, which kohya's trainer uses for SDXL?

ldm numbers all steps of the way down, and of the way up, in a row; how many belong to one level is read off the model's own names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_OUTSIDE = {
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
}
_IN_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_BLOCK = re.compile(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)")
_MIDDLE = re.compile(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)")


def ldm_name(module: str, paths: tuple[str, ...]) -> list[str]:
    """ldm's name of a module, in a list; the list is empty where ldm has none.

    `module` is a diffusers path without "unet."; `paths` are the paths of all modules, with it.
    """
    if module in _OUTSIDE:
        return [_OUTSIDE[module]]
    if found := _MIDDLE.fullmatch(module):
        kind, number, rest = found.groups()
        return [f"middle_block.{1 if kind == 'attentions' else 2 * int(number)}.{_inside(kind, rest)}"]
    if found := _BLOCK.fullmatch(module):
        way, level, kind, number, rest = found.groups()
        return [_in_block(way, int(level), kind, int(number), rest, paths)]
    return []


def _in_block(way: str, level: int, kind: str, number: int, rest: str, paths: tuple[str, ...]) -> str:
    resnets = _resnets_of_a_level(paths)
    if kind == "downsamplers":
        return f"input_blocks.{(level + 1) * (resnets + 1)}.0.op"
    if kind == "upsamplers":
        return f"output_blocks.{level * (resnets + 1) + resnets}.{2 if level in _levels_with_attention(paths) else 1}.{rest}"
    step = level * (resnets + 1) + number + (1 if way == "down" else 0)
    return f"{'input' if way == 'down' else 'output'}_blocks.{step}.{1 if kind == 'attentions' else 0}.{_inside(kind, rest)}"


def _inside(kind: str, rest: str) -> str:
    return _IN_RESNET.get(rest, rest) if kind == "resnets" else rest


@lru_cache(maxsize=4)
def _resnets_of_a_level(paths: tuple[str, ...]) -> int:
    """On the way down; the way up has one more."""
    return 1 + max(_numbers(r"unet\.down_blocks\.\d+\.(?:resnets|attentions)\.(\d+)\.", paths), default=1)


@lru_cache(maxsize=4)
def _levels_with_attention(paths: tuple[str, ...]) -> frozenset[int]:
    return frozenset(_numbers(r"unet\.up_blocks\.(\d+)\.attentions\.", paths))


def _numbers(pattern: str, paths: Iterable[str]) -> Iterable[int]:
    return (int(found[1]) for path in paths if (found := re.match(pattern, path)))
