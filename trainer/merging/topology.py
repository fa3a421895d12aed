"""Which modules do SD1, SD2 and SDXL have, so that a LoRA's names can be understood without a checkpoint?

More are listed than any one model has, such as convolutions that only some blocks need: a name that no file holds does no harm.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lib_extension.formats.ldm_unet_names import ldm_name

_IN_ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
_IN_BLOCK = (
    *(f"attn{number}.{name}" for number in (1, 2) for name in _IN_ATTENTION),
    "ff.net.0.proj",
    "ff.net.2",
    "norm1",
    "norm2",
    "norm3",
)
_IN_RESNET = ("conv1", "conv2", "conv_shortcut", "time_emb_proj", "norm1", "norm2")
_OUTSIDE = ("conv_in", "conv_out", "conv_norm_out", "time_embedding.linear_1", "time_embedding.linear_2")
_IN_TEXT = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.out_proj",
    "mlp.fc1",
    "mlp.fc2",
    "layer_norm1",
    "layer_norm2",
)

# Family → whether each level, the widest pictures first, has attention; transformer blocks a level at most; layers of the text encoders.
_FAMILIES = {
    "sd1": ((True, True, True, False), 1, (12,)),
    "sd2": ((True, True, True, False), 1, (24,)),
    "sdxl": ((False, True, True), 10, (12, 32)),
}
_RESNETS = 2
_NARROW = re.compile(r"unet\..*\.(?:conv_shortcut|proj_in|proj_out)")
_WIDE = re.compile(r"unet\.(?:.*\.resnets\.\d+\.conv[12]|.*\.(?:down|up)samplers\.0\.conv|conv_in|conv_out)")
_LDM_BLOCK = re.compile(r"(input|output)_blocks\.(\d+)\.")


@lru_cache(maxsize=4)
def module_names(family: str) -> tuple[str, ...]:
    """Paths as in diffusers, "unet.…", "text_encoder.text_model.…", "text_encoder_2.text_model.…"; empty for another family."""
    if family not in _FAMILIES:
        return ()
    attention, depth, layers = _FAMILIES[family]
    names = [*_OUTSIDE, *(("add_embedding.linear_1", "add_embedding.linear_2") if family == "sdxl" else ())]
    last = len(attention) - 1
    for level, has_attention in enumerate(attention):
        names += _level(f"down_blocks.{level}", _RESNETS, has_attention, depth)
        names += [f"down_blocks.{level}.downsamplers.0.conv"] if level < last else []
        names += _level(f"up_blocks.{level}", _RESNETS + 1, attention[last - level], depth)
        names += [f"up_blocks.{level}.upsamplers.0.conv"] if level < last else []
    names += _level("mid_block", 2, True, depth)
    texts = [_text(f"text_encoder{'_2' if place else ''}", count) for place, count in enumerate(layers)]
    return (*(f"unet.{name}" for name in names), *(name for text in texts for name in text))


def kernel_of(path: str, family: str) -> tuple[int, ...]:
    """The convolution's kernel, () of a matrix. SD1's projections before and after attention are convolutions, the others' are matrices."""
    if _WIDE.fullmatch(path):
        return (3, 3)
    is_matrix = path.endswith(("proj_in", "proj_out")) and family in ("sd2", "sdxl")
    return (1, 1) if _NARROW.fullmatch(path) and not is_matrix else ()


def is_attention(path: str) -> bool:
    """Whether the module is what every LoRA trains: a matrix in or around attention, or of a text encoder."""
    if path.startswith("unet."):
        return ".attentions." in path and "norm" not in path.rpartition(".")[2]
    return path.endswith(_IN_TEXT[:6])


def block_of(path: str, family: str) -> str:
    """BASE for what is outside the U-Net, else IN00 … M00 … OUT11; the embeddings of time and sizes count as IN00, its end as the last."""
    if not path.startswith("unet."):
        return "BASE"
    names = ldm_name(path.removeprefix("unet."), module_names(family))
    found = _LDM_BLOCK.match(names[0]) if names else None
    if found:
        return f"{'IN' if found[1] == 'input' else 'OUT'}{int(found[2]):02}"
    if names and names[0].startswith("middle_block."):
        return "M00"
    if names and names[0].startswith("out."):
        return "OUT08" if family == "sdxl" else "OUT11"
    return "IN00"


def _level(block: str, resnets: int, has_attention: bool, depth: int) -> list[str]:
    names = [f"{block}.resnets.{number}.{part}" for number in range(resnets) for part in _IN_RESNET]
    attentions = range(1 if block == "mid_block" else resnets) if has_attention else ()
    for number in attentions:
        attention = f"{block}.attentions.{number}"
        names += [f"{attention}.{part}" for part in ("proj_in", "proj_out", "norm")]
        names += [f"{attention}.transformer_blocks.{index}.{part}" for index in range(depth) for part in _IN_BLOCK]
    return names


def _text(encoder: str, layers: int) -> list[str]:
    names = [f"{encoder}.text_model.encoder.layers.{layer}.{part}" for layer in range(layers) for part in _IN_TEXT]
    return [*names, f"{encoder}.text_model.final_layer_norm", f"{encoder}.text_model.embeddings.token_embedding"]
