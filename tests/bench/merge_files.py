"""Makes random files as large as SD1.5's and SDXL's, with their true names and shapes, for measuring merges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from lib_extension.models.ldm_names import unet_to_ldm, vae_to_ldm
from lib_extension.models.text_names import clip_to_transformers, transformers_to_open_clip
from lib_extension.models.weights import made
from trainer.merging.lora_names import kohya_name
from trainer.merging.model import Model
from trainer.merging.output_file import OutputFile, planned
from trainer.merging.topology import is_attention

RANK = 32
_WIDTH = 0.02  # standard deviation of a checkpoint's values
_CHANGE = 6e-3  # of a LoRA's up; the change of a weight is about 0.001, as after real training

_SDXL_UNET: dict[str, object] = {
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "block_out_channels": (320, 640, 1280),
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
_SD15_UNET: dict[str, object] = {"cross_attention_dim": 768, "attention_head_dim": 8}
_VAE: dict[str, object] = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (128, 256, 512, 512),
    "layers_per_block": 2,
    "latent_channels": 4,
}


def checkpoint(file: Path, family: str) -> Path:
    """A checkpoint of "sd1" or "sdxl" in fp16 under ldm's names."""
    shapes = {name: tensor.half() for name, tensor in _names(family).items()}
    noise = (torch.randn(1 << 24, generator=torch.Generator().manual_seed(1)) * _WIDTH).half()
    with OutputFile(file.parent, file.stem, [planned(name, tensor) for name, tensor in shapes.items()], {"format": "pt"}) as output:
        for number, tensor in enumerate(shapes.values()):
            for piece in _taken(noise, tensor.numel(), number * 7919):
                output.write_tensor(piece)
        return output.finish()


def lora(file: Path, base: Path, seed: int) -> Path:
    """A LoRA of rank 32 on everything that kohya's trainer changes: attention in the U-Net, and the text encoders."""
    generator = torch.Generator().manual_seed(seed)
    tensors: dict[str, Tensor] = {}
    with Model(base) as model:
        for path, (_, place) in model.places.items():
            if not is_attention(path):
                continue
            name, (out, into) = kohya_name(path, model.family), place.shape[:2]
            one = (1,) * (len(place.shape) - 2)
            tensors[f"{name}.alpha"] = torch.tensor(float(RANK)).half()
            tensors[f"{name}.lora_down.weight"] = (torch.randn(RANK, into, *one, generator=generator) / into**0.5).half()
            tensors[f"{name}.lora_up.weight"] = (torch.randn(out, RANK, *one, generator=generator) * _CHANGE).half()
    with OutputFile(file.parent, file.stem, [planned(name, tensor) for name, tensor in tensors.items()], {}) as output:
        for tensor in tensors.values():
            output.write_tensor(tensor)
        return output.finish()


def _taken(noise: Tensor, count: int, start: int) -> Iterator[Tensor]:
    """So many values, from another place of the noise for every tensor."""
    at = start % (len(noise) // 2)
    while count:
        piece = noise[at : at + count]
        yield piece
        count -= len(piece)
        at = 0


def _names(family: str) -> dict[str, Tensor]:
    """All tensors on torch's device "meta", without memory."""
    with torch.device("meta"):
        unet = made(UNet2DConditionModel, _SDXL_UNET if family == "sdxl" else _SD15_UNET)
        texts: list[nn.Module] = [CLIPTextModel(_clip(768, 12, "quick_gelu"))]
        if family == "sdxl":
            texts.append(CLIPTextModelWithProjection(_clip(1280, 32, "gelu")))
        vae = made(AutoencoderKL, _VAE)
    found = _prefixed("model.diffusion_model.", unet_to_ldm(unet.state_dict()))
    found |= _prefixed("first_stage_model.", vae_to_ldm(vae.state_dict()))
    first = clip_to_transformers(texts[0].state_dict())
    if family == "sd1":
        return found | _prefixed("cond_stage_model.transformer.", first)
    second = transformers_to_open_clip(clip_to_transformers(texts[1].state_dict()))
    return found | _prefixed("conditioner.embedders.0.transformer.", first) | _prefixed("conditioner.embedders.1.model.", second)


def _clip(width: int, layers: int, activation: str) -> CLIPTextConfig:
    return CLIPTextConfig(
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        hidden_act=activation,
        projection_dim=width,
    )


def _prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in tensors.items()}
