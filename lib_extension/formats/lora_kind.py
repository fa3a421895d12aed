"""Of which family, type and naming is a LoRA file?

Names met: kohya's `lora_unet_down_blocks_…`, for SDXL ldm's `lora_unet_input_blocks_…`, for Flux and SD3 `lora_unet_double_blocks_…` and
`lora_unet_joint_blocks_…`; OneTrainer's `lora_transformer_…`; diffusers' `unet.….lora.down.weight`, `….processor.to_q_lora.down.weight`;
peft's `….lora_A.weight` under `unet.`, `transformer.`, `diffusion_model.` or `base_model.model.`; LyCORIS' `hada_…`, `lokr_…` and others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lib_extension.formats.kind import Family, Kind, Tensors, any_has, any_starts, width_of
from lib_extension.formats.unet_family import BY_TEXT_WIDTH

_DOWN = ("lora_down.weight", "lora_A.weight", "lora_A.default.weight", "lora.down.weight", "lora1.down.weight", "layer.down.weight")
_PARTS = (".lora_down.", ".lora_A.", ".lora.down.", "_lora.down.", "_lora1.down.", ".lora_linear_layer.down.", "_layer.down.")
_METHODS = {  # parts that only one method has; the first that a file has names its type
    "loha": (".hada_w1_",),
    "lokr": (".lokr_w1", ".lokr_w2"),
    "oft": (".oft_blocks", ".oft_diag", ".oft_R."),
    "glora": (".a1.weight", ".b1.weight"),
    "ia3": (".on_input",),
}
_FULL = (".diff", ".diff_b")
_NORM = (".w_norm", ".b_norm")
_DORA = (".dora_scale", ".lora_magnitude_vector")

_SD3_WIDTHS = (1536, 2432)  # medium (also 3.5), 3.5 large
_FLUX_WIDTH = 3072
# In LoRAs for HunyuanVideo and Qwen-Image, whose blocks are named as Flux' are.
_LIKE_FLUX = ("img_mlp_fc1", "img_mlp.fc1", "img_mlp.net", "img_mlp_net", "img_mod.1", "transformer_blocks.59.", "transformer_blocks_59_")
_TRANSFORMER = ("transformer.transformer_blocks.", "transformer_blocks.", "base_model.model.transformer_blocks.")
_TRANSFORMER += ("lora_transformer_transformer_blocks_", "lycoris_transformer_blocks_")


def lora_kind(tensors: Tensors, metadata: Mapping[str, str]) -> Kind | None:
    """The kind of a file with at least one part of a LoRA in it; None for any other."""
    method = _method(tensors)
    if not method:
        return None
    family = _family(tensors)
    return Kind("lora", said_family(metadata) if family == "unknown" else family, _naming(tensors), method)


def said_family(metadata: Mapping[str, str]) -> Family:
    """What kohya's trainers and the modelspec write into a file's metadata about its base model."""
    said = metadata.get("ss_base_model_version", ""), metadata.get("modelspec.architecture", "")
    for start, family in _SAID:
        if any_starts(said, start):
            return family
    return "unknown"


_SAID: tuple[tuple[str, Family], ...] = (
    ("sd_v1", "sd1"),
    ("sd_v2", "sd2"),
    ("sdxl_", "sdxl"),
    ("sd3", "sd3"),
    ("flux1", "flux"),
    ("stable-diffusion-v1", "sd1"),
    ("stable-diffusion-v2", "sd2"),
    ("stable-diffusion-xl-v1-base", "sdxl"),
    ("stable-diffusion-3", "sd3"),
    ("flux-1", "flux"),
)


def _method(tensors: Tensors) -> str:
    """ "" for a file that is no LoRA."""
    for method, parts in _METHODS.items():
        if any_has(tensors, *parts):
            return method
    if any_has(tensors, *_PARTS):
        if any_has(tensors, *_DORA):
            return "dora"
        wide = any(len(shape) == 4 and shape[2:] != (1, 1) for shape in (t.shape for n, t in tensors.items() if n.endswith(_DOWN)))
        return "locon" if wide or any_has(tensors, ".lora_mid.") else "lora"
    if any(name.endswith(_FULL) for name in tensors):
        return "full"
    return "norm" if any(name.endswith(_NORM) for name in tensors) else ""


def _naming(names: Iterable[str]) -> str:
    if any_starts(names, "lora_", "lycoris_", "oft_"):
        return "kohya"
    return "peft" if any_has(names, ".lora_A.", ".lora_B.") else "diffusers"


def _family(tensors: Tensors) -> Family:
    if any_has(tensors, "single_transformer_blocks", "double_blocks", "single_blocks"):
        return "unknown" if any_has(tensors, *_LIKE_FLUX) else "flux"
    if any_has(tensors, "joint_blocks"):
        return "sd3"
    if any_starts(tensors, *_TRANSFORMER):
        return _family_by_attention(tensors)
    for name in tensors:
        if "attn2" in name and ("to_k" in name or "to_v" in name) and (width := _width(tensors, name)) in BY_TEXT_WIDTH:
            return BY_TEXT_WIDTH[width]
    # Attention more than one block deep is what only SDXL has; two CLIP encoders are what SD3 has too, with a third.
    if any_has(tensors, "transformer_blocks_1_", "transformer_blocks.1."):
        return "sdxl"
    if any_starts(tensors, "lora_te2_", "text_encoder_2."):
        return "unknown" if any_starts(tensors, "lora_te3_", "text_encoder_3.") or any_has(tensors, "SelfAttention") else "sdxl"
    for name, tensor in tensors.items():
        if "proj_in" in name and name.endswith(_DOWN):
            return "sd1" if len(tensor.shape) == 4 else "sd2"
    return _family_by_text_encoder(tensors)


def _family_by_attention(tensors: Tensors) -> Family:
    """Of a LoRA on a transformer's attention, whose blocks are named alike in SD3 and in Flux."""
    for name in tensors:
        if name.startswith(_TRANSFORMER) and any_has((name,), "attn.to_q", "attn_to_q", "attn.to_k", "attn_to_k"):
            width = _width(tensors, name)
            if width in _SD3_WIDTHS:
                return "sd3"
            if width == _FLUX_WIDTH:
                return "unknown" if any_has(tensors, *_LIKE_FLUX) else "flux"
    return "unknown"


def _family_by_text_encoder(tensors: Tensors) -> Family:
    """Of a LoRA on a single text encoder. `lora_te1_` is SDXL's, SD3's or Flux' first, and they do not differ."""
    for name, tensor in tensors.items():
        if name.startswith(("lora_te_", "text_encoder.")) and "q_proj" in name and name.endswith(_DOWN):
            return BY_TEXT_WIDTH.get(width_of(tensor.shape), "unknown")
    return "unknown"


def _width(tensors: Tensors, name: str) -> int:
    """How many values the layer takes that the tensor is a part of; 0 where this tensor does not show it."""
    if name.endswith((*_DOWN, ".hada_w1_b", ".diff")):  # (rank or out, in, …)
        return width_of(tensors[name].shape)
    stem, _, part = name.rpartition(".")
    if part in ("lokr_w2", "lokr_w2_b"):  # a Kronecker product: its width is the product of the factors' widths
        other = tensors.get(f"{stem}.lokr_w1") or tensors.get(f"{stem}.lokr_w1_b")
        return width_of(tensors[name].shape) * width_of(other and other.shape)
    return 0
