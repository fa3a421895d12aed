"""The demo model's U-Net and text encoder before training: SD 1.x topology, small widths."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

TOKENIZER = Path(__file__).parents[2] / "lib_extension" / "models" / "tokenizer"
CONTEXT = 64


def new_tokenizer() -> CLIPTokenizer:
    """CLIP's own byte-pair vocabulary."""
    return CLIPTokenizer.from_pretrained(TOKENIZER, model_max_length=77)


def new_text_encoder() -> CLIPTextModel:
    """A CLIP text transformer, 64 wide, two layers."""
    torch.manual_seed(1)
    config = CLIPTextConfig(
        vocab_size=49408,
        hidden_size=CONTEXT,
        intermediate_size=4 * CONTEXT,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=77,
        hidden_act="quick_gelu",
        bos_token_id=49406,
        eos_token_id=49407,
        pad_token_id=49407,
    )
    encoder = CLIPTextModel(config)
    # The WebUI's emphasis divides by the mean of the states: with a LayerNorm of zero mean that is a division by almost nothing.
    torch.nn.init.constant_(getattr(encoder, "text_model", encoder).final_layer_norm.bias, 0.25)
    return encoder


def new_unet() -> UNet2DConditionModel:
    """Four levels, two residual blocks a level, attention on the first three.

    Each width is a whole multiple of the first: ldm knows them as multipliers.
    """
    torch.manual_seed(2)
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(64, 128, 128, 128),
        layers_per_block=2,
        cross_attention_dim=CONTEXT,
        attention_head_dim=4,
        norm_num_groups=32,
    )
