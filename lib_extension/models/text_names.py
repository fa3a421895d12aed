"""What is each tensor of a CLIP text encoder called in a checkpoint file, and what in transformers?

Two namings are met in checkpoint files: transformers' own (SD1, SDXL's first encoder), and open_clip's (SD2, SDXL's second encoder),
which keeps query, key and value in one matrix. The names here have no prefix and are transformers' with ``text_model.`` before them.
"""

from __future__ import annotations

import re

import torch

from lib_extension.models.ldm_names import Pairs, Tensors, rename

_OUTSIDE = [
    ("token_embedding", "text_model.embeddings.token_embedding"),
    ("ln_final", "text_model.final_layer_norm"),
]
_LAYER = (
    ("ln_1", "layer_norm1"),
    ("ln_2", "layer_norm2"),
    ("mlp.c_fc", "mlp.fc1"),
    ("mlp.c_proj", "mlp.fc2"),
    ("attn.out_proj", "self_attn.out_proj"),
)
_POSITIONS = ("positional_embedding", "text_model.embeddings.position_embedding.weight")
_PROJECTION = ("text_projection", "text_projection.weight")
_JOINT = re.compile(r"transformer\.resblocks\.(\d+)\.attn\.in_proj_(weight|bias)")


def clip_to_transformers(tensors: Tensors) -> dict[str, torch.Tensor]:
    """Brings transformers' own names, with or without ``text_model.``, to those with it. Position numbers are left out."""
    named = {}
    for name, tensor in tensors.items():
        if name.endswith("position_ids"):
            continue
        inside = name.startswith(("embeddings.", "encoder.", "final_layer_norm."))
        named[f"text_model.{name}" if inside else name] = tensor
    return named


def open_clip_to_transformers(tensors: Tensors, drops_last_layer: bool = False) -> dict[str, torch.Tensor]:
    """Renames an open_clip text encoder's tensors; each joint matrix (3*width, width) becomes query, key and value."""
    layers = 1 + max((int(match[1]) for name in tensors if (match := _JOINT.fullmatch(name))), default=-1) - drops_last_layer
    renamed = rename(tensors, _pairs(layers))
    for name, tensor in tensors.items():
        if (joint := _JOINT.fullmatch(name)) and int(joint[1]) < layers:
            for part, piece in zip("qkv", tensor.chunk(3), strict=True):
                renamed[f"text_model.encoder.layers.{joint[1]}.self_attn.{part}_proj.{joint[2]}"] = piece
    if _POSITIONS[0] in tensors:
        renamed[_POSITIONS[1]] = tensors[_POSITIONS[0]]
    if _PROJECTION[0] in tensors:
        renamed[_PROJECTION[1]] = tensors[_PROJECTION[0]].T  # open_clip multiplies from the right
    return renamed


def transformers_to_open_clip(tensors: Tensors) -> dict[str, torch.Tensor]:
    """The way back, from names with ``text_model.``."""
    layers = 1 + max(int(match[1]) for name in tensors if (match := re.match(r"text_model\.encoder\.layers\.(\d+)\.", name)))
    renamed = rename(tensors, [(new, old) for old, new in _pairs(layers)])
    for layer in range(layers):
        for kind in ("weight", "bias"):
            pieces = [tensors[f"text_model.encoder.layers.{layer}.self_attn.{part}_proj.{kind}"] for part in "qkv"]
            renamed[f"transformer.resblocks.{layer}.attn.in_proj_{kind}"] = torch.cat(pieces)
    renamed[_POSITIONS[0]] = tensors[_POSITIONS[1]]
    if _PROJECTION[1] in tensors:
        renamed[_PROJECTION[0]] = tensors[_PROJECTION[1]].T
    return renamed


def _pairs(layers: int) -> Pairs:
    pairs = list(_OUTSIDE)
    for layer in range(layers):
        pairs += [(f"transformer.resblocks.{layer}.{old}", f"text_model.encoder.layers.{layer}.{new}") for old, new in _LAYER]
    return pairs
