"""What is this safetensors file: a checkpoint, a LoRA, a ControlNet …, of which family of base models, in which naming?

Only names and shapes are looked at. Families are told apart by topology first, and by the width of the text encoder where a LoRA shows
nothing else, so that models narrower than the published ones are known too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from lib_extension.formats.safetensors_header import Header, TensorInfo

Family = Literal["sd1", "sd2", "sdxl", "sd3", "flux", "unknown"]
KindName = Literal[
    "checkpoint", "unet", "text-encoder", "vae", "lora", "controlnet", "t2i-adapter", "ip-adapter", "embedding", "upscaler", "unknown"
]

Tensors = Mapping[str, TensorInfo]


@dataclass(frozen=True)
class Kind:
    """What a file is. `naming` is "ldm", "diffusers", "kohya", "peft" or "" where the kind has one only."""

    kind: KindName
    family: Family = "unknown"
    naming: str = ""


def what_is(header: Header) -> Kind:
    """The kind of a file; "unknown" where nothing fits, never an error."""
    names = tuple(header.tensors)
    if _any(names, *_LORA_PARTS):
        return Kind("lora", _family_of_lora(header.tensors), _naming_of_lora(names))
    if _any(names, "controlnet_cond_embedding."):
        return Kind("controlnet", _family_of_unet(header.tensors, ""), "diffusers")
    if _any(names, "input_hint_block.", "zero_convs."):
        return Kind("controlnet", _family_of_unet(header.tensors, _prefix(names, "control_model.")), "ldm")
    if _any(names, "ip_adapter.", "image_proj."):
        return Kind("ip-adapter")
    if _any(names, "body.0.block1.", "body.0.resnets.0.block1."):
        return Kind("t2i-adapter", _family_of_t2i_adapter(header.tensors))
    if _starts(names, "model.diffusion_model."):
        return Kind("checkpoint", family_of_checkpoint(header), "ldm")
    if _is_network(names):
        naming = "diffusers" if _starts(names, "time_embedding.", "time_text_embed.") else "ldm"
        return Kind("unet", _family_of_unet(header.tensors, ""), naming)
    return _what_else(header.tensors)


def family_of_checkpoint(header: Header) -> Family:
    """The family of a single-file checkpoint in ldm's naming, or of a U-Net's own file in either naming."""
    return _family_of_unet(header.tensors, _prefix(header.tensors, "model.diffusion_model."))


_LORA_PARTS = (".lora_down.", ".lora_up.", ".lora_A.", ".lora_B.", ".lora.down.", "_lora.down.", ".lora_linear_layer.", "_layer.down.")
_LORA_PARTS += (".hada_w1_", ".lokr_w", ".oft_", ".a1.weight", ".diff_b")
_EMBEDDING_NAMES = {"emb_params", "clip_l", "clip_g", "t5xxl", "*"}


def _any(names: Iterable[str], *parts: str) -> bool:
    return any(part in name for name in names for part in parts)


def _starts(names: Iterable[str], *starts: str) -> bool:
    return any(name.startswith(starts) for name in names)


def _prefix(names: Iterable[str], prefix: str) -> str:
    return prefix if _starts(names, prefix) else ""


def _is_network(names: Iterable[str]) -> bool:
    return _starts(names, "time_embed.", "time_embedding.", "double_blocks.", "joint_blocks.", "time_text_embed.")


def _what_else(tensors: Tensors) -> Kind:
    if _starts(tensors, "first_stage_model.", "encoder.down.0.", "decoder.up.0."):
        return Kind("vae", naming="ldm")
    if _starts(tensors, "encoder.down_blocks.", "decoder.up_blocks."):
        return Kind("vae", naming="diffusers")
    if _starts(tensors, "text_model.encoder.", "encoder.layers.", "transformer.resblocks."):
        return Kind("text-encoder")
    if tensors and set(tensors) <= _EMBEDDING_NAMES:
        return Kind("embedding", _family_of_embedding(tensors))
    if _starts(tensors, "conv_first.", "model.1.sub.", "params_ema.conv_first.", "params.conv_first."):
        return Kind("upscaler")
    return Kind("unknown")


def _family_of_unet(tensors: Tensors, prefix: str) -> Family:
    if _starts(tensors, prefix + "double_blocks.", prefix + "single_transformer_blocks."):
        return "flux"
    if _starts(tensors, prefix + "joint_blocks.") or _any(tensors, ".attn.add_q_proj."):
        return "sd3"
    projection = _first(tensors, prefix, ".proj_in.weight")
    if projection is None:
        return "unknown"
    context = _first(tensors, prefix, ".attn2.to_k.weight")
    if _starts(tensors, prefix + "label_emb.", prefix + "add_embedding."):
        width = context.shape[-1] if context else 0
        # The refiner has SDXL's second text encoder only, and SD2 "unclip" takes a picture instead of sizes.
        return "unknown" if width in (1280, 1024) else "sdxl"
    return "sd1" if len(projection.shape) == 4 else "sd2"


def _first(tensors: Tensors, prefix: str, ending: str) -> TensorInfo | None:
    return next((tensor for name, tensor in tensors.items() if name.startswith(prefix) and name.endswith(ending)), None)


_BY_TEXT_WIDTH: dict[int, Family] = {768: "sd1", 1024: "sd2", 2048: "sdxl"}


def _family_of_lora(tensors: Tensors) -> Family:
    if _any(tensors, "single_transformer_blocks", "double_blocks", "single_blocks"):
        return "flux"
    if _any(tensors, "joint_blocks", "add_q_proj"):
        return "sd3"
    for name, tensor in tensors.items():
        if (
            "attn2" in name
            and ("to_k" in name or "to_v" in name)
            and _is_down(name)
            and tensor.shape[1:2]
            and tensor.shape[1] in _BY_TEXT_WIDTH
        ):
            return _BY_TEXT_WIDTH[tensor.shape[1]]
    # Two text encoders, or attention more than one block deep, is what only SDXL has.
    if _any(tensors, "lora_te2_", "text_encoder_2.", "transformer_blocks_1_", "transformer_blocks.1."):
        return "sdxl"
    for name, tensor in tensors.items():
        if "proj_in" in name and _is_down(name):
            return "sd1" if len(tensor.shape) == 4 else "sd2"
    for name, tensor in tensors.items():
        if name.startswith(("lora_te_", "lora_te1_", "text_encoder.")) and "q_proj" in name and _is_down(name) and len(tensor.shape) == 2:
            return _BY_TEXT_WIDTH.get(tensor.shape[1], "unknown")
    return "unknown"


def _is_down(name: str) -> bool:
    return name.endswith(("lora_down.weight", "lora_A.weight", "lora.down.weight", "layer.down.weight"))


def _naming_of_lora(names: Iterable[str]) -> str:
    if _starts(names, "base_model.model."):
        return "peft"
    return "kohya" if _starts(names, "lora_", "lycoris_", "oft_") else "diffusers"


def _family_of_t2i_adapter(tensors: Tensors) -> Family:
    first = _first(tensors, "", "conv_in.weight")
    channels = first.shape[1] if first and len(first.shape) == 4 else 0  # three, times the pixels that are folded into one
    return "sd1" if channels == 3 * 8 * 8 else "sdxl" if channels == 3 * 16 * 16 else "unknown"


def _family_of_embedding(tensors: Tensors) -> Family:
    if "clip_g" in tensors:
        return "sdxl"
    vectors = next(iter(tensors.values()))  # shape (vectors, width)
    return _BY_TEXT_WIDTH.get(vectors.shape[-1], "unknown") if vectors.shape else "unknown"
