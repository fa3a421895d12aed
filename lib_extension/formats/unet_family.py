"""Of which family is a denoising network: a U-Net, a transformer, or the half of one that a ControlNet is?

Topology decides first, and the text encoder's width where it is one of the published ones, so that narrower models are known too.
"""

from __future__ import annotations

from lib_extension.formats.kind import Family, Tensors, any_has, any_starts, first_shape, width_of

BY_TEXT_WIDTH: dict[int, Family] = {768: "sd1", 1024: "sd2", 2048: "sdxl"}  # of what cross-attention reads
_SIZES_WIDTH = 2816  # of what SDXL is told beside the text: 1280 pooled text, 6 sizes of 256

# Models with Flux' blocks that are not Flux, and whose LoRAs and ControlNets are their own: HunyuanVideo, Chroma, Flux 2.
_LIKE_FLUX = ("individual_token_refiner.", "token_refiner.", "distilled_guidance_layer.", "double_stream_modulation_img.")


def family_of_unet(tensors: Tensors, prefix: str = "") -> Family:
    """The family of the network whose tensors' names begin with `prefix`, in ldm's or in diffusers' names."""
    transformer = _family_of_transformer(tensors, prefix)
    return _family_of_convolutions(tensors, prefix) if transformer is None else transformer


def _family_of_transformer(tensors: Tensors, prefix: str) -> Family | None:
    """None for what is no transformer."""
    if any_starts(tensors, prefix + "double_blocks.", prefix + "single_transformer_blocks."):
        is_flux = any_has(tensors, ".img_attn.", ".attn.to_q.") and not any_has(tensors, *_LIKE_FLUX)
        return "flux" if is_flux else "unknown"
    if any_starts(tensors, prefix + "joint_blocks."):
        return "sd3"
    if any_starts(tensors, prefix + "transformer_blocks."):
        # Qwen-Image has the same attention and another modulation; it also has no positions in a convolution.
        return "sd3" if any_has(tensors, ".attn.add_q_proj.") and not any_has(tensors, ".img_mod.") else "unknown"
    return None


def _family_of_convolutions(tensors: Tensors, prefix: str) -> Family:
    context = width_of(first_shape(tensors, prefix, ".attn2.to_k.weight"))
    sizes = tensors.get(prefix + "label_emb.0.0.weight") or tensors.get(prefix + "add_embedding.linear_1.weight")
    if sizes is not None:
        if any_starts(tensors, prefix + "encoder_hid_proj."):
            return "unknown"  # Kolors: SDXL's topology under another text encoder
        if context == 0:  # SDXL's smallest ControlNets have no attention at all
            return "sdxl" if width_of(sizes.shape) == _SIZES_WIDTH else "unknown"
        # The refiner has SDXL's second text encoder only, and SD2 "unclip" takes a picture instead of sizes.
        return "unknown" if context in (1280, 1024) else "sdxl"
    projection = first_shape(tensors, prefix, ".proj_in.weight")
    if projection is None or prefix + "class_embedding.linear_1.weight" in tensors:
        return "unknown"
    return BY_TEXT_WIDTH.get(context, "sd1" if len(projection) == 4 else "sd2")
