"""How does a ControlNet get from disk to the checkpoint that it steers?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel

from lib_extension.formats.base_model import what_is
from lib_extension.formats.safetensors_header import read_header
from lib_extension.models.checkpoint import Checkpoint
from lib_extension.models.diffusers_folder import load_network
from lib_extension.models.families import FAMILIES
from lib_extension.models.ldm_names import controlnet_to_diffusers
from lib_extension.models.library import Found, refuse_pickle
from lib_extension.models.shapes import Unshaped, controlnet_config
from lib_extension.models.weights import fill, made, placed, read_tensors
from lib_extension.spec.errors import BadFile, Mismatch

_DIFFUSERS_MARK, _LDM_MARK = "controlnet_cond_embedding.conv_in.weight", "input_hint_block.0.weight"


def load_controlnet(found: Found, checkpoint: Checkpoint) -> ControlNetModel:
    """From a diffusers folder, or a safetensors file under diffusers' or cldm's (``control_model.``) names.

    Raises ``Mismatch`` when it was made for a U-Net of other widths, ``BadFile`` when it is no ControlNet.
    """
    refuse_pickle(found.path, "ControlNet model")
    if found.path.is_dir():
        network = load_network(ControlNetModel, found.path, checkpoint.dtype)
        _check_fit(found, network.config, checkpoint)
    else:
        network = _from_file(found, checkpoint)
    return placed(network, checkpoint.device)


def _from_file(found: Found, checkpoint: Checkpoint) -> ControlNetModel:
    tensors = _diffusers_tensors(found.path)
    unet = checkpoint.unet.config
    family = FAMILIES[checkpoint.family]
    pooled_width = getattr(checkpoint.text_encoders[-1].config, "projection_dim", 0)
    try:
        config = controlnet_config(tensors, family, Unshaped(pooled_width=pooled_width))
    except KeyError as e:
        raise BadFile(f'The ControlNet "{found.path.name}" is of a kind that is not known here: it holds no {e}.') from e
    _check_fit(found, config, checkpoint)
    config["attention_head_dim"] = unet["attention_head_dim"]  # No shape tells it; a ControlNet is a copy of half of its U-Net.
    return fill(lambda: made(ControlNetModel, config), tensors, checkpoint.dtype, f'The ControlNet "{found.path.name}"')


def _diffusers_tensors(path: Path) -> dict[str, torch.Tensor]:
    tensors = read_tensors(path, ("control_model.", ""))
    if "lora_controlnet" in tensors or "difference" in tensors:
        raise BadFile(f'"{path.name}" holds only a ControlNet\'s difference to its base model. Take the complete ControlNet instead.')
    if _DIFFUSERS_MARK in tensors:
        return tensors
    if _LDM_MARK in tensors:
        return controlnet_to_diffusers(tensors)
    raise BadFile(f'"{path.name}" is no ControlNet; it looks like a {what_is(read_header(path)).kind}.')


def _check_fit(found: Found, config: Mapping[str, Any], checkpoint: Checkpoint) -> None:
    """A ControlNet's outputs are added inside the U-Net, so both must have the same widths, and the same text states."""
    unet = checkpoint.unet.config
    for name, meaning in (("cross_attention_dim", "text states"), ("block_out_channels", "levels")):
        given, wanted = _plain(config[name]), _plain(unet[name])
        if given != wanted:
            raise Mismatch(
                f'The ControlNet "{found.stem}" does not fit the checkpoint "{checkpoint.name}" ({checkpoint.family}): '
                f"its {meaning} are {given} wide, the checkpoint's {wanted}. Choose one made for {checkpoint.family}."
            )


def _plain(width: Any) -> str:
    return "/".join(map(str, width)) if isinstance(width, (tuple, list)) else str(width)
