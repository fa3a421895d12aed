"""Which diffusers or transformers configuration do these tensors need? Widths and depths are read off their names and shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from transformers import CLIPTextConfig

from lib_extension.models.families import Family, TextFacts

Tensors = Mapping[str, torch.Tensor]
TEXT_HEAD_WIDTH = 64  # of every published CLIP text encoder
TIME_IDS = 6  # SDXL's picture size, crop and target size


@dataclass(frozen=True)
class Unshaped:
    """What no shape tells: attention heads, where they are not the family's, and how wide the pooled text is (SDXL)."""

    head_count: int | None = None
    head_width: int | None = None
    pooled_width: int = 1280

    def heads(self, width: int, family: Family) -> int:
        """How many heads a level of ``width`` channels has."""
        count, head_width = self.head_count, self.head_width
        if not count and not head_width:
            count, head_width = family.head_count, family.head_width
        return count or max(1, width // (head_width or width))


def unet_config(tensors: Tensors, family: Family, unshaped: Unshaped) -> dict[str, object]:
    """For ``UNet2DConditionModel``, from tensors under diffusers names."""
    config = _encoder_config(tensors, family, unshaped)
    downward = config["down_block_types"]
    assert isinstance(downward, tuple)
    return config | {
        "up_block_types": tuple("CrossAttnUpBlock2D" if "CrossAttn" in kind else "UpBlock2D" for kind in reversed(downward)),
        "out_channels": tensors["conv_out.weight"].shape[0],
        "sample_size": 128 if family.name == "sdxl" else 64,
    }


def controlnet_config(tensors: Tensors, family: Family, unshaped: Unshaped) -> dict[str, object]:
    """For ``ControlNetModel``, from tensors under diffusers names."""
    blocks = _count(tensors, "controlnet_cond_embedding.blocks.")
    hint = [tensors["controlnet_cond_embedding.conv_in.weight"].shape[0]]
    hint += [tensors[f"controlnet_cond_embedding.blocks.{block}.weight"].shape[0] for block in range(1, blocks, 2)]
    return _encoder_config(tensors, family, unshaped) | {
        "conditioning_channels": tensors["controlnet_cond_embedding.conv_in.weight"].shape[1],
        "conditioning_embedding_out_channels": tuple(hint),
    }


def vae_config(tensors: Tensors, family: Family) -> dict[str, object]:
    """For ``AutoencoderKL``, from tensors under diffusers names."""
    levels = _count(tensors, "encoder.down_blocks.")
    return {
        "down_block_types": ("DownEncoderBlock2D",) * levels,
        "up_block_types": ("UpDecoderBlock2D",) * levels,
        "block_out_channels": tuple(tensors[f"encoder.down_blocks.{level}.resnets.0.conv1.weight"].shape[0] for level in range(levels)),
        "layers_per_block": _count(tensors, "encoder.down_blocks.0.resnets."),
        "latent_channels": tensors["decoder.conv_in.weight"].shape[1],
        "scaling_factor": family.vae_scaling,
        "sample_size": 1024 if family.name == "sdxl" else 512,
    }


def text_config(tensors: Tensors, facts: TextFacts, heads: int | None = None) -> CLIPTextConfig:
    """For a CLIP text encoder, from tensors under transformers' names, which begin with ``text_model.``."""
    words, width = tensors["text_model.embeddings.token_embedding.weight"].shape
    projection = tensors.get("text_projection.weight")
    return CLIPTextConfig(
        vocab_size=words,
        hidden_size=width,
        intermediate_size=tensors["text_model.encoder.layers.0.mlp.fc1.weight"].shape[0],
        num_hidden_layers=_count(tensors, "text_model.encoder.layers."),
        num_attention_heads=heads or max(1, width // TEXT_HEAD_WIDTH),
        max_position_embeddings=tensors["text_model.embeddings.position_embedding.weight"].shape[0],
        hidden_act=facts.hidden_act,
        projection_dim=width if projection is None else projection.shape[0],
        bos_token_id=49406,
        eos_token_id=49407,
        pad_token_id=1,
    )


def _encoder_config(tensors: Tensors, family: Family, unshaped: Unshaped) -> dict[str, object]:
    """What a U-Net and a ControlNet have in common."""
    levels = range(_count(tensors, "down_blocks."))
    widths = [tensors[f"down_blocks.{level}.resnets.0.conv1.weight"].shape[0] for level in levels]
    depths = [_count(tensors, f"down_blocks.{level}.attentions.0.transformer_blocks.") for level in levels]
    middle = _count(tensors, "mid_block.attentions.0.transformer_blocks.")
    config: dict[str, object] = {
        "in_channels": tensors["conv_in.weight"].shape[1],
        "down_block_types": tuple("CrossAttnDownBlock2D" if depth else "DownBlock2D" for depth in depths),
        "block_out_channels": tuple(widths),
        "layers_per_block": _count(tensors, "down_blocks.0.resnets."),
        # diffusers takes the middle's depth from the lowest level, whose own depth is 0 in SD1 and SD2.
        "transformer_layers_per_block": (*(depth or 1 for depth in depths[:-1]), depths[-1] or middle),
        "attention_head_dim": tuple(unshaped.heads(width, family) for width in widths),
        "cross_attention_dim": tensors["mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight"].shape[1],
        "use_linear_projection": tensors["mid_block.attentions.0.proj_in.weight"].ndim == 2,
    }
    if "add_embedding.linear_1.weight" in tensors:  # SDXL's vector: the pooled text and the embedded time ids, side by side
        wide = tensors["add_embedding.linear_1.weight"].shape[1]
        config |= {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": (wide - unshaped.pooled_width) // TIME_IDS,
            "projection_class_embeddings_input_dim": wide,
        }
    return config


def _count(tensors: Tensors, prefix: str) -> int:
    """How many different numbers follow ``prefix``."""
    pattern = re.compile(re.escape(prefix) + r"(\d+)\.")
    return len({match[1] for name in tensors if (match := pattern.match(name))})
