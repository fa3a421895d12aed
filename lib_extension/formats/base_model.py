"""What is this safetensors file: a checkpoint, a LoRA, a ControlNet …, of which family of base models, in which naming?

Only the header is looked at: names and shapes, and what the metadata says where those show no family.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from math import sqrt

from lib_extension.formats.control_kind import control_kind
from lib_extension.formats.kind import Family, Kind, Tensors, any_starts
from lib_extension.formats.lora_kind import lora_kind, said_family
from lib_extension.formats.part_kind import part_kind
from lib_extension.formats.safetensors_header import Header
from lib_extension.formats.unet_family import family_of_unet

__all__ = ["KINDS", "Family", "Kind", "family_of_checkpoint", "what_is"]

_LDM = "model.diffusion_model."
_SIDES: dict[Family, int] = {"sd1": 512, "sd2": 768, "sdxl": 1024, "sd3": 1024, "flux": 1024}  # px
_PUBLISHED_WIDTH = 320  # channels that a U-Net begins with
_LDM_NETWORK = ("time_embed.", "input_blocks.", "double_blocks.", "joint_blocks.")
_DIFFUSERS_NETWORK = ("time_embedding.", "time_text_embed.", "down_blocks.", "transformer_blocks.", "single_transformer_blocks.")


def what_is(header: Header) -> Kind:
    """The kind of a file; "unknown" where nothing fits, never an error."""
    for recognised in KINDS:
        if kind := recognised(header):
            return kind if kind.families else replace(kind, family=said_family(header.metadata))
    return Kind("unknown")


def _trained_at(header: Header, family: Family, prefix: str = "") -> int:
    """The side in pixels that the metadata says, or that the family's published models have, whose networks are as wide."""
    said = re.fullmatch(r"(\d{2,4})x(\d{2,4})", header.metadata.get("modelspec.resolution", ""))
    if said:
        return round(sqrt(int(said[1]) * int(said[2])))
    first = header.tensors.get(prefix + "input_blocks.0.0.weight") or header.tensors.get(prefix + "conv_in.weight")
    published = family in ("sd3", "flux") or (first is not None and first.shape[:1] == (_PUBLISHED_WIDTH,))
    return _SIDES.get(family, 0) if published else 0


def family_of_checkpoint(header: Header) -> Family:
    """The family of a single-file checkpoint in ldm's naming, or of a U-Net's own file in either naming."""
    return family_of_unet(header.tensors, _LDM if any_starts(header.tensors, _LDM) else "")


def _checkpoint(header: Header) -> Kind | None:
    if not any_starts(header.tensors, _LDM):
        return None
    family = family_of_checkpoint(header)
    return Kind("checkpoint", family, "ldm", side=_trained_at(header, family, _LDM))


def _unet(header: Header) -> Kind | None:
    tensors: Tensors = header.tensors
    if not any_starts(tensors, *_LDM_NETWORK, *_DIFFUSERS_NETWORK):
        return None
    family = family_of_unet(tensors)
    naming = "ldm" if any_starts(tensors, *_LDM_NETWORK) else "diffusers"
    return Kind("unet", family, naming, side=_trained_at(header, family))


# In this order: a ControlNet has names of half a U-Net too, and both it and a LoRA may have names of a whole checkpoint.
KINDS: tuple[Callable[[Header], Kind | None], ...] = (
    lambda header: control_kind(header.tensors),
    lambda header: lora_kind(header.tensors, header.metadata),
    _checkpoint,
    _unet,
    lambda header: part_kind(header.tensors),
)
