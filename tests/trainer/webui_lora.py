"""What WebUI 1.10.1 makes of a LoRA file: a second account of its name mapping and sums, written from what it does, to compare with.

A name's part before the first dot says the module. SD1 and SD2: diffusers' block numbers are turned into ldm's by arithmetic. Names that
this leaves alone are taken to be ldm's own (so SDXL's). Of the text encoders, open_clip's query, key and value are slices of one matrix.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

Weights = dict[str, Tensor]

_RESNET = {
    "conv1": "in_layers_2",
    "conv2": "out_layers_3",
    "time_emb_proj": "emb_layers_1",
    "conv_shortcut": "skip_connection",
}
_RULES: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (r"down_blocks_(\d+)_attentions_(\d+)_(.+)", lambda m: f"input_blocks_{1 + 3 * int(m[1]) + int(m[2])}_1_{m[3]}"),
    (r"down_blocks_(\d+)_resnets_(\d+)_(.+)", lambda m: f"input_blocks_{1 + 3 * int(m[1]) + int(m[2])}_0_{_RESNET[m[3]]}"),
    (r"down_blocks_(\d+)_downsamplers_0_conv", lambda m: f"input_blocks_{3 + 3 * int(m[1])}_0_op"),
    (r"mid_block_attentions_0_(.+)", lambda m: f"middle_block_1_{m[1]}"),
    (r"mid_block_resnets_(\d)_(.+)", lambda m: f"middle_block_{2 * int(m[1])}_{_RESNET[m[2]]}"),
    (r"up_blocks_(\d+)_attentions_(\d+)_(.+)", lambda m: f"output_blocks_{3 * int(m[1]) + int(m[2])}_1_{m[3]}"),
    (r"up_blocks_(\d+)_resnets_(\d+)_(.+)", lambda m: f"output_blocks_{3 * int(m[1]) + int(m[2])}_0_{_RESNET[m[3]]}"),
    (r"up_blocks_(\d+)_upsamplers_0_conv", lambda m: f"output_blocks_{2 + 3 * int(m[1])}_{2 if int(m[1]) else 1}_conv"),
)
_OPEN_CLIP = {"mlp_fc1": "mlp_c_fc", "mlp_fc2": "mlp_c_proj", "self_attn_out_proj": "attn_out_proj"}


def changed(base: Weights, lora: Path) -> tuple[Weights, list[str]]:
    """A checkpoint's weights under the WebUI's names with the LoRA at strength 1 in them, and the names of modules that it would skip."""
    by_flat = {name.removesuffix(".weight").replace(".", "_"): name for name in base if name.endswith(".weight")}
    modules: dict[str, Weights] = {}
    for name, tensor in load_file(lora).items():
        module, _, part = name.partition(".")
        modules.setdefault(module, {})[part] = tensor
    made, skipped = dict(base), []
    for module, parts in modules.items():
        if found := re.fullmatch(r"lora_te(2?)_text_model_encoder_layers_(\d+)_self_attn_([qkv])_proj", module):
            joint = _joint(base, found[1], found[2])
            if joint:
                whole, place = made[joint].clone(), "qkv".index(found[3])
                width = whole.shape[0] // 3
                rows = slice(place * width, (place + 1) * width)
                whole[rows] += change(parts, base[joint][rows])
                made[joint] = whole
                continue
        name = by_flat.get(_flat_ldm(module, base))
        if name is None:
            skipped.append(module)
        else:
            made[name] = base[name] + change(parts, base[name])
    return made, skipped


def _joint(base: Weights, second: str, layer: str) -> str:
    """The matrix that holds query, key and value, if this encoder is open_clip's."""
    prefix = "conditioner.embedders.1.model." if second else "cond_stage_model.model."
    name = f"{prefix}transformer.resblocks.{layer}.attn.in_proj_weight"
    return name if name in base else ""


def _flat_ldm(module: str, base: Weights) -> str:
    if module.startswith("lora_unet_"):
        inside = module.removeprefix("lora_unet_")
        for pattern, to_ldm in _RULES:
            if found := re.fullmatch(pattern, inside):
                inside = to_ldm(found)
                break
        return f"model_diffusion_model_{inside}"
    if found := re.fullmatch(r"lora_te2_text_model_encoder_layers_(\d+)_(.+)", module):
        return f"conditioner_embedders_1_model_transformer_resblocks_{found[1]}_{_OPEN_CLIP[found[2]]}"
    if module.startswith("lora_te1_text_model_"):
        return "conditioner_embedders_0_transformer_" + module.removeprefix("lora_te1_")
    found = re.fullmatch(r"lora_te_text_model_encoder_layers_(\d+)_(.+)", module)
    if found and any(name.startswith("cond_stage_model.model.") for name in base):
        return f"cond_stage_model_model_transformer_resblocks_{found[1]}_{_OPEN_CLIP[found[2]]}"
    return "cond_stage_model_transformer_" + module.removeprefix("lora_te_")


def change(parts: Weights, weight: Tensor) -> Tensor:
    """alpha / rank times the method's product; with `dora_scale`, each column of the sum brought to that length."""
    if "lora_up.weight" in parts:
        up, down = parts["lora_up.weight"], parts["lora_down.weight"]
        product, rank = up.reshape(len(up), -1) @ down.reshape(len(down), -1), len(down)
    elif "hada_w1_a" in parts:
        product, rank = _hada(parts, "1") * _hada(parts, "2"), len(parts["hada_w1_b"])
    else:
        product, rank = _lokr(parts, weight)
    product = product.reshape(weight.shape) * (parts["alpha"].item() / rank if rank else 1)
    if "dora_scale" not in parts:
        return product
    merged = weight + product
    lengths = torch.stack([merged[:, column].norm() for column in range(merged.shape[1])])
    shape = (1, -1, *[1] * (merged.ndim - 2))
    assert parts["dora_scale"].shape == lengths.reshape(shape).shape
    return merged * (parts["dora_scale"] / lengths.reshape(shape)) - weight


def _hada(parts: Weights, number: str) -> Tensor:
    a, b = parts[f"hada_w{number}_a"], parts[f"hada_w{number}_b"]
    core = parts.get(f"hada_t{number}")
    return a @ b if core is None else _tucker(core, a, b)


def _lokr(parts: Weights, weight: Tensor) -> tuple[Tensor, int]:
    rank = 0
    first, second = parts.get("lokr_w1"), parts.get("lokr_w2")
    if first is None:
        first, rank = parts["lokr_w1_a"] @ parts["lokr_w1_b"], len(parts["lokr_w1_b"])
    if second is None:
        a, b, rank = parts["lokr_w2_a"], parts["lokr_w2_b"], len(parts["lokr_w2_b"])
        second = _tucker(parts["lokr_t2"], a, b) if "lokr_t2" in parts else a @ b
    rows = [torch.cat([value * second for value in row], dim=1) for row in first]
    return torch.cat(rows).reshape(weight.shape), rank


def _tucker(core: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """core (r, r, h, w), a (r, out), b (r, in) to (out, in, h, w)."""
    return torch.einsum("io,jn,ijhw->onhw", a, b, core)
