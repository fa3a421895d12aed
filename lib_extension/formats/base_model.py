"""What is this safetensors file: a checkpoint, a LoRA, a ControlNet …, of which family of base models, in which naming?

Only the header is looked at: names and shapes, and what the metadata says where those show no family.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lib_extension.formats.control_kind import control_kind
from lib_extension.formats.kind import Family, Kind, Tensors, any_starts
from lib_extension.formats.lora_kind import lora_kind, said_family
from lib_extension.formats.part_kind import part_kind
from lib_extension.formats.safetensors_header import Header
from lib_extension.formats.unet_family import family_of_unet

__all__ = ["KINDS", "Family", "Kind", "family_of_checkpoint", "what_is"]

_LDM = "model.diffusion_model."
_LDM_NETWORK = ("time_embed.", "input_blocks.", "double_blocks.", "joint_blocks.")
_DIFFUSERS_NETWORK = ("time_embedding.", "time_text_embed.", "down_blocks.", "transformer_blocks.", "single_transformer_blocks.")


def what_is(header: Header) -> Kind:
    """The kind of a file; "unknown" where nothing fits, never an error."""
    for recognised in KINDS:
        if kind := recognised(header):
            return kind if kind.families else replace(kind, family=said_family(header.metadata))
    return Kind("unknown")


def family_of_checkpoint(header: Header) -> Family:
    """The family of a single-file checkpoint in ldm's naming, or of a U-Net's own file in either naming."""
    return family_of_unet(header.tensors, _LDM if any_starts(header.tensors, _LDM) else "")


def _checkpoint(header: Header) -> Kind | None:
    return Kind("checkpoint", family_of_checkpoint(header), "ldm") if any_starts(header.tensors, _LDM) else None


def _unet(header: Header) -> Kind | None:
    tensors: Tensors = header.tensors
    if not any_starts(tensors, *_LDM_NETWORK, *_DIFFUSERS_NETWORK):
        return None
    return Kind("unet", family_of_unet(tensors), "ldm" if any_starts(tensors, *_LDM_NETWORK) else "diffusers")


# In this order: a ControlNet has names of half a U-Net too, and both it and a LoRA may have names of a whole checkpoint.
KINDS: tuple[Callable[[Header], Kind | None], ...] = (
    lambda header: control_kind(header.tensors),
    lambda header: lora_kind(header.tensors, header.metadata),
    _checkpoint,
    _unet,
    lambda header: part_kind(header.tensors),
)
