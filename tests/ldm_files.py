"""Writes diffusers folders as the single files that the WebUI reads: checkpoints under ldm's names, ControlNets under cldm's."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from lib_extension.models.ldm_names import controlnet_to_ldm, unet_to_ldm, vae_to_ldm
from lib_extension.models.text_names import clip_to_transformers, transformers_to_open_clip

Tensors = dict[str, torch.Tensor]


def write_checkpoint(folder: Path, file: Path, family: str, *, metadata: dict[str, str] | None = None) -> Path:
    """Writes the SD1, SD2 or SDXL model in ``folder``. Returns ``file``."""
    tensors = _prefixed("model.diffusion_model.", unet_to_ldm(weights(folder / "unet")))
    tensors |= _prefixed("first_stage_model.", vae_to_ldm(weights(folder / "vae")))
    text = clip_to_transformers(weights(folder / "text_encoder"))
    if family == "sd1":
        tensors |= _prefixed("cond_stage_model.transformer.", text)
    elif family == "sd2":
        tensors |= _prefixed("cond_stage_model.model.", transformers_to_open_clip(_with_last_layer(text)))
    else:
        tensors |= _prefixed("conditioner.embedders.0.transformer.", text)
        second = transformers_to_open_clip(clip_to_transformers(weights(folder / "text_encoder_2")))
        tensors |= _prefixed("conditioner.embedders.1.model.", second)
    return _write(tensors, file, metadata)


def write_controlnet(folder: Path, file: Path, *, prefix: str = "control_model.") -> Path:
    """Writes the ControlNet in ``folder`` under cldm's names. Returns ``file``."""
    return _write(_prefixed(prefix, controlnet_to_ldm(weights(folder))), file)


def write_vae(folder: Path, file: Path) -> Path:
    """Writes the VAE in ``folder`` under ldm's names, without prefix, as VAEs are published. Returns ``file``."""
    return _write(vae_to_ldm(weights(folder)), file)


def weights(folder: Path) -> Tensors:
    """All tensors of one network's folder."""
    return {name: tensor for file in sorted(folder.glob("*.safetensors")) for name, tensor in load_file(file).items()}


def _with_last_layer(text: Tensors) -> Tensors:
    """SD2's files hold a last layer that nobody uses, and that diffusers leaves out."""
    last = max(int(name.split(".")[3]) for name in text if name.startswith("text_model.encoder.layers."))
    old, new = f"text_model.encoder.layers.{last}.", f"text_model.encoder.layers.{last + 1}."
    return text | {name.replace(old, new): torch.randn_like(tensor) for name, tensor in text.items() if name.startswith(old)}


def _prefixed(prefix: str, tensors: Tensors) -> Tensors:
    return {prefix + name: tensor for name, tensor in tensors.items()}


def _write(tensors: Tensors, file: Path, metadata: dict[str, str] | None = None) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, file, metadata)
    return file
