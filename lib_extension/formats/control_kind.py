"""Is a file something that steers a model with a picture: a ControlNet, a T2I-adapter, an IP-adapter, and of which family?"""

from __future__ import annotations

from lib_extension.formats.kind import Family, Kind, Tensors, any_has, any_starts, first_shape, width_of
from lib_extension.formats.unet_family import BY_TEXT_WIDTH, family_of_unet

_CLDM = "control_model."
_UNSHUFFLED = 8 * 8, 16 * 16  # pixels that SD1's and SDXL's T2I-adapters fold into one, of 1 or 3 colours


def control_kind(tensors: Tensors) -> Kind | None:
    """The kind of a file that steers; None for any other."""
    return _controlnet(tensors) or _t2i_adapter(tensors) or _ip_adapter(tensors)


def _controlnet(tensors: Tensors) -> Kind | None:
    if "lora_controlnet" in tensors:  # an empty tensor says so
        return Kind("controlnet", _family_of_control_lora(tensors), "control-lora")
    if any_starts(tensors, "lllite_unet_"):
        return Kind("controlnet", "sdxl", "lllite")  # trained for nothing else
    if any_starts(tensors, "controlnet_blocks."):
        return Kind("controlnet", _family_of_transformer_net(tensors), "ldm" if any_starts(tensors, "double_blocks.") else "diffusers")
    if any_has(tensors, ".motion_modules.") and any_has(tensors, "input_hint_block.", "controlnet_cond_embedding."):
        return Kind("controlnet", "sd1", "sparsectrl")
    if any_starts(tensors, "controlnet_cond_embedding."):
        return Kind("controlnet", family_of_unet(tensors), "diffusers")
    if any_has(tensors, "input_hint_block.", "zero_convs."):
        return Kind("controlnet", family_of_unet(tensors, _CLDM if any_starts(tensors, _CLDM) else ""), "ldm")
    return None


def _family_of_transformer_net(tensors: Tensors) -> Family:
    if any_starts(tensors, "pos_embed_input."):
        return "sd3"
    return "flux" if any_starts(tensors, "controlnet_x_embedder.", "double_blocks.", "single_transformer_blocks.") else "unknown"


def _family_of_control_lora(tensors: Tensors) -> Family:
    """Stability's files, SDXL's halves of a U-Net as up·down; others made the same for SD1."""
    width = width_of(first_shape(tensors, "", ".attn2.to_k.down"))
    return BY_TEXT_WIDTH.get(width, "sdxl" if any_starts(tensors, "label_emb.") else "unknown")


def _t2i_adapter(tensors: Tensors) -> Kind | None:
    naming = "diffusers" if any_starts(tensors, "adapter.") else ""
    if "style_embedding" in tensors or any_has(tensors, "body.0.in_conv."):
        return Kind("t2i-adapter", "sd1", naming)  # the style and the colour adapter, which only SD1 has
    if not any_has(tensors, "body.0.block1.", "body.0.resnets.0.block1."):
        return None
    channels = width_of(first_shape(tensors, "", "conv_in.weight"))
    sd1, sdxl = ((pixels, 3 * pixels) for pixels in _UNSHUFFLED)
    return Kind("t2i-adapter", "sd1" if channels in sd1 else "sdxl" if channels in sdxl else "unknown", naming)


def _ip_adapter(tensors: Tensors) -> Kind | None:
    if not any_starts(tensors, "ip_adapter.", "image_proj."):
        return None
    return Kind("ip-adapter", BY_TEXT_WIDTH.get(width_of(first_shape(tensors, "ip_adapter.", ".to_k_ip.weight")), "unknown"))
