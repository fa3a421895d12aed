"""Is a file one part of a model, or small beside one: a VAE, a text encoder, an embedding, an upscaler?

VAEs of SD1, SD2 and SDXL have the same tensors, and so have those of SD3 and Flux: only the latent's channels tell two groups apart.
"""

from __future__ import annotations

from lib_extension.formats.kind import Family, Kind, Tensors, any_has, any_starts, first_shape, width_of

_BY_LATENT_CHANNELS: dict[int, tuple[Family, ...]] = {4: ("sd1", "sd2", "sdxl"), 16: ("sd3", "flux")}
_BY_CLIP_WIDTH: dict[int, tuple[Family, ...]] = {768: ("sd1", "sdxl", "sd3", "flux"), 1024: ("sd2",), 1280: ("sdxl", "sd3")}
_BY_VECTOR_WIDTH: dict[int, Family] = {768: "sd1", 1024: "sd2", 1280: "unknown"}  # 1280: SDXL's refiner has that text encoder alone
_EMBEDDING_NAMES = {"emb_params", "clip_l", "clip_g", "t5xxl", "*"}


def part_kind(tensors: Tensors) -> Kind | None:
    """The kind of a file that holds a part of a model; None for any other."""
    return _vae(tensors) or _text_encoder(tensors) or _embedding(tensors) or _upscaler(tensors)


def _vae(tensors: Tensors) -> Kind | None:
    if any_starts(tensors, "first_stage_model.", "encoder.down.0.", "decoder.up.0."):
        naming = "ldm"
    elif any_starts(tensors, "encoder.down_blocks.", "decoder.up_blocks."):
        naming = "diffusers"
    else:
        return None
    among = _BY_LATENT_CHANNELS.get(width_of(first_shape(tensors, "", "decoder.conv_in.weight")), ())
    return Kind("vae", naming=naming, among=among)


def _text_encoder(tensors: Tensors) -> Kind | None:
    if any_has(tensors, ".SelfAttention."):  # T5
        return Kind("text-encoder", among=("sd3", "flux"))
    if not any_starts(tensors, "text_model.encoder.", "encoder.layers.", "transformer.resblocks."):
        return None
    width = width_of(first_shape(tensors, "", "self_attn.q_proj.weight") or first_shape(tensors, "", ".mlp.c_fc.weight"))
    return Kind("text-encoder", among=_BY_CLIP_WIDTH.get(width, ()))


def _embedding(tensors: Tensors) -> Kind | None:
    if not tensors:
        return None
    first = next(iter(tensors.values())).shape  # (vectors, width), or (width,) of a single vector
    width = first[-1] if 1 <= len(first) <= 2 else 0
    if set(tensors) <= _EMBEDDING_NAMES:
        if "t5xxl" in tensors:
            return Kind("embedding", "sd3")
        return Kind("embedding", "sdxl" if "clip_g" in tensors else _BY_VECTOR_WIDTH.get(width, "unknown"))
    # diffusers names the only tensor by the word that it stands for.
    return Kind("embedding", _BY_VECTOR_WIDTH[width], "diffusers") if len(tensors) == 1 and width in _BY_VECTOR_WIDTH else None


def _upscaler(tensors: Tensors) -> Kind | None:
    is_esrgan = any_starts(tensors, "conv_first.", "model.1.sub.", "params_ema.conv_first.", "params.conv_first.")
    return Kind("upscaler") if is_esrgan else None
