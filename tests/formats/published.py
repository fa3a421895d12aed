"""Headers with the tensors' names and shapes of published files, and sparse files that hold nothing else.

Networks come from diffusers' own classes in their published configurations, on a device without memory; ldm's names, and what trainers
make of either, follow from those. Only files of a few tensors are written down.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    FluxControlNetModel,
    FluxTransformer2DModel,
    SD3ControlNetModel,
    SD3Transformer2DModel,
    T2IAdapter,
    UNet2DConditionModel,
)

from lib_extension.formats.ldm_unet_names import ldm_name
from lib_extension.formats.safetensors_header import Header, TensorInfo

Shapes = dict[str, tuple[int, ...]]

_UNETS: dict[str, dict[str, Any]] = {
    "sd1": {"cross_attention_dim": 768, "attention_head_dim": 8},
    "sd2": {"cross_attention_dim": 1024, "attention_head_dim": [5, 10, 20, 20], "use_linear_projection": True},
    "sdxl": {
        "cross_attention_dim": 2048,
        "attention_head_dim": [5, 10, 20],
        "use_linear_projection": True,
        "block_out_channels": (320, 640, 1280),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "transformer_layers_per_block": [1, 2, 10],
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    },
}
_XL_UP: dict[str, Any] = {"up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D")}
_SD3: dict[str, Any] = {"num_attention_heads": 24, "caption_projection_dim": 1536, "pos_embed_max_size": 192, "joint_attention_dim": 4096}


def _shapes(make: Callable[[], torch.nn.Module]) -> Shapes:
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # diffusers' Flux ControlNet uses a class from where diffusers wants it no more
        return {name: tuple(tensor.shape) for name, tensor in make().state_dict().items()}


@cache
def diffusers_network(family: str) -> Shapes:
    """unet/ or transformer/ of the family's published model."""
    if family == "sd3":
        return _shapes(lambda: SD3Transformer2DModel(num_layers=24, **_SD3))
    if family == "flux":
        return _shapes(lambda: FluxTransformer2DModel(guidance_embeds=True))
    return _shapes(lambda: UNet2DConditionModel(**_UNETS[family], **(_XL_UP if family == "sdxl" else {})))


@cache
def diffusers_controlnet(family: str) -> Shapes:
    """A ControlNet of the family as diffusers saves it."""
    if family == "sd3":
        return _shapes(lambda: SD3ControlNetModel(num_layers=6, **_SD3))
    if family == "flux":
        return _shapes(lambda: FluxControlNetModel(num_layers=5, num_single_layers=0))
    return _shapes(lambda: ControlNetModel(**_UNETS[family]))


@cache
def small_sdxl_controlnet() -> Shapes:
    """controlnet-canny-sdxl-1.0-small: no attention."""
    sizes = {**_UNETS["sdxl"], "down_block_types": ("DownBlock2D",) * 3, "mid_block_type": "UNetMidBlock2D"}
    return _shapes(lambda: ControlNetModel(**sizes))


@cache
def diffusers_vae(latent_channels: int) -> Shapes:
    """The VAE of SD1, SD2 and SDXL (4 channels), or of SD3 and Flux (16)."""
    sizes: dict[str, Any] = {
        "block_out_channels": (128, 256, 512, 512),
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "latent_channels": latent_channels,
        "use_quant_conv": latent_channels == 4,
        "use_post_quant_conv": latent_channels == 4,
    }
    return _shapes(lambda: AutoencoderKL(**sizes))


@cache
def t2i_adapter(kind: str, channels: int) -> Shapes:
    """A T2I-adapter as diffusers saves it: "full_adapter", "full_adapter_xl" or "light_adapter"."""
    factor = 16 if kind == "full_adapter_xl" else 8
    return _shapes(lambda: T2IAdapter(adapter_type=kind, in_channels=channels, downscale_factor=factor))


def as_ldm(shapes: Shapes, prefix: str = "") -> Shapes:
    """A U-Net's or ControlNet's tensors under ldm's names; those that only a ControlNet has are left out."""
    paths = tuple(dict.fromkeys(f"unet.{name.rpartition('.')[0]}" for name in shapes))
    named = ((ldm_name(name.rpartition(".")[0], paths), name.rpartition(".")[2], shape) for name, shape in shapes.items())
    return {f"{prefix}{modules[0]}.{part}": shape for modules, part, shape in named if modules}


FLUX_LDM: Shapes = {  # flux1-dev.safetensors, the first of its 19 double and 38 single blocks
    "img_in.weight": (3072, 64),
    "txt_in.weight": (3072, 4096),
    "guidance_in.in_layer.weight": (3072, 256),
    "double_blocks.0.img_attn.norm.key_norm.scale": (128,),
    "double_blocks.0.img_attn.qkv.weight": (9216, 3072),
    "double_blocks.0.img_mlp.0.weight": (12288, 3072),
    "double_blocks.0.img_mod.lin.weight": (18432, 3072),
    "single_blocks.0.linear1.weight": (21504, 3072),
    "final_layer.linear.weight": (64, 3072),
}
SD3_LDM: Shapes = {  # sd3_medium.safetensors, the first of its 24 blocks
    "x_embedder.proj.weight": (1536, 16, 2, 2),
    "context_embedder.weight": (1536, 4096),
    "pos_embed": (1, 36864, 1536),
    "y_embedder.mlp.0.weight": (1536, 2048),
    "joint_blocks.0.context_block.adaLN_modulation.1.bias": (9216,),
    "joint_blocks.0.context_block.attn.qkv.weight": (4608, 1536),
    "joint_blocks.0.x_block.attn.qkv.weight": (4608, 1536),
    "joint_blocks.0.x_block.mlp.fc1.weight": (6144, 1536),
}


def ldm_checkpoint(family: str) -> Shapes:
    """A single-file checkpoint: the network, the VAE and a text encoder's first tensors."""
    inside = {"flux": FLUX_LDM, "sd3": SD3_LDM}.get(family) or as_ldm(diffusers_network(family))
    text = {
        "sd1": "cond_stage_model.transformer.text_model.encoder.layers.0.self_attn.q_proj.weight",
        "sd2": "cond_stage_model.model.transformer.resblocks.0.mlp.c_fc.weight",
        "sdxl": "conditioner.embedders.1.model.transformer.resblocks.0.mlp.c_fc.weight",
        "sd3": "text_encoders.clip_l.transformer.text_model.encoder.layers.0.self_attn.q_proj.weight",
        "flux": "text_encoders.t5xxl.transformer.encoder.block.0.layer.0.SelfAttention.q.weight",
    }[family]
    latent = 4 if family in ("sd1", "sd2", "sdxl") else 16
    vae = {"encoder.down.0.block.0.conv1.weight": (128, 128, 3, 3), "decoder.conv_in.weight": (512, latent, 3, 3)}
    network = {f"model.diffusion_model.{name}": shape for name, shape in inside.items()}
    return network | {f"first_stage_model.{name}": shape for name, shape in vae.items()} | {text: (768, 768)}


def attention_modules(family: str, *, convolutions: bool = False) -> Shapes:
    """Modules that kohya's trainer puts LoRAs on, as diffusers names them, with their weights' shapes."""
    weights = {name.removesuffix(".weight"): shape for name, shape in diffusers_network(family).items() if name.endswith(".weight")}
    wanted = ("attentions.", ".resnets.", "samplers.") if convolutions else ("attentions.",)
    return {path: shape for path, shape in weights.items() if any(part in path for part in wanted) and len(shape) in (2, 4)}


def lora(modules: Shapes, spell: Callable[[str], str], method: str = "lora", parts: tuple[str, str] = ("lora_down", "lora_up")) -> Shapes:
    """A file of rank 8 on each of the modules; `spell` makes the file's name of a module's path."""
    shapes: Shapes = {}
    for path, (out, width, *kernel) in modules.items():
        name, inner = spell(path), width * prod(kernel)
        if method in ("lora", "dora"):
            shapes |= {f"{name}.{parts[0]}.weight": (8, width, *kernel), f"{name}.{parts[1]}.weight": (out, 8, *[1] * len(kernel))}
            shapes |= {f"{name}.dora_scale": (out, 1)} if method == "dora" else {}
        elif method == "loha":
            shapes |= {f"{name}.hada_w{i}_a": (out, 8) for i in (1, 2)} | {f"{name}.hada_w{i}_b": (8, inner) for i in (1, 2)}
        elif method == "lokr":
            shapes |= {f"{name}.lokr_w1": (8, 8), f"{name}.lokr_w2_a": (out // 8, 8), f"{name}.lokr_w2_b": (8, inner // 8)}
        elif method == "full":
            shapes[f"{name}.diff"] = (out, width, *kernel)
        shapes[f"{name}.alpha"] = ()
    return shapes


def kohya(path: str) -> str:
    """lora_unet_ and the path without dots."""
    return "lora_unet_" + path.replace(".", "_")


def header(shapes: Mapping[str, tuple[int, ...]], metadata: Mapping[str, str] | None = None) -> Header:
    """What reading a file of these tensors gives; where their bytes lie does not matter."""
    return Header({name: TensorInfo("F16", shape, (0, 0)) for name, shape in shapes.items()}, dict(metadata or {}), 0)


def write_sparse(path: Path, shapes: Mapping[str, tuple[int, ...]], dtype: str = "F16", size: int = 2) -> int:
    """A sound safetensors file with nothing but zeros that take no room on disk. Returns how long it is."""
    told: dict[str, object] = {}
    reached = 0
    for name, shape in shapes.items():
        end = reached + prod(shape) * size
        told[name] = {"dtype": dtype, "shape": shape, "data_offsets": [reached, end]}
        reached = end
    text = json.dumps(told).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + reached)
    return 8 + len(text) + reached
