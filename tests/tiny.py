"""Makes tiny random models with the topology of the real ones, on the spot, in well under a second."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, ControlNetModel, DDIMScheduler, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from lib_extension.models.weights import made

TOKENIZER = Path(__file__).parents[1] / "lib_extension" / "models" / "tokenizer"

CHANNELS = (32, 32, 64, 64)  # Multiples of 32, the group norm's groups in ldm.
HEADS = 2
TEXT_WIDTH = 32
VAE_CHANNELS = (32, 32, 32, 32)


def tiny_sd1(
    folder: Path, *, seed: int = 0, in_channels: int = 4, channels: tuple[int, ...] = CHANNELS, text_width: int = TEXT_WIDTH
) -> Path:
    """An SD1 model as a diffusers folder; 9 ``in_channels`` make it an inpainting model. Returns ``folder``."""
    torch.manual_seed(seed)
    sizes = {"in_channels": in_channels, "cross_attention_dim": text_width, "attention_head_dim": HEADS, "sample_size": 8}
    unet = made(UNet2DConditionModel, _unet_sizes(channels) | sizes)
    text_encoder = CLIPTextModel(_text_config(text_width, hidden_act="quick_gelu"))
    unet.save_pretrained(folder / "unet")
    text_encoder.save_pretrained(folder / "text_encoder")
    tiny_vae(folder / "vae", seed=seed)
    _tokenizer("<|endoftext|>").save_pretrained(folder / "tokenizer")
    _scheduler("epsilon").save_pretrained(folder / "scheduler")
    _index(folder, "StableDiffusionPipeline", text_encoders=1)
    return folder


def tiny_sd2(folder: Path, *, seed: int = 0, prediction_type: str = "v_prediction") -> Path:
    """An SD2 model: linear projections, one head per level (the real one's are 64 wide), an open_clip-like text encoder."""
    torch.manual_seed(seed)
    sizes = {"cross_attention_dim": TEXT_WIDTH, "attention_head_dim": [1] * 4, "use_linear_projection": True, "sample_size": 8}
    unet = made(UNet2DConditionModel, _unet_sizes(CHANNELS) | sizes)
    unet.save_pretrained(folder / "unet")
    CLIPTextModel(_text_config(TEXT_WIDTH, hidden_act="gelu", heads=1)).save_pretrained(folder / "text_encoder")
    tiny_vae(folder / "vae", seed=seed)
    _tokenizer("!").save_pretrained(folder / "tokenizer")
    _scheduler(prediction_type).save_pretrained(folder / "scheduler")
    _index(folder, "StableDiffusionPipeline", text_encoders=1)
    return folder


def tiny_sdxl(folder: Path, *, seed: int = 0) -> Path:
    """An SDXL model: three levels, attention on the lower two (1 and 2 transformer blocks deep), two text encoders, time ids."""
    torch.manual_seed(seed)
    pooled_width = 48
    sizes: dict[str, object] = {
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "block_out_channels": (32, 32, 64),
        "layers_per_block": 2,
        "transformer_layers_per_block": (1, 1, 2),
        "attention_head_dim": (1, 1, 1),
        "cross_attention_dim": TEXT_WIDTH + pooled_width,
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 32,
        "projection_class_embeddings_input_dim": pooled_width + 6 * 32,
        "sample_size": 16,
    }
    unet = made(UNet2DConditionModel, sizes)
    unet.save_pretrained(folder / "unet")
    CLIPTextModel(_text_config(TEXT_WIDTH, hidden_act="quick_gelu", heads=1)).save_pretrained(folder / "text_encoder")
    second = _text_config(pooled_width, hidden_act="gelu", heads=1, projection_dim=pooled_width)
    CLIPTextModelWithProjection(second).save_pretrained(folder / "text_encoder_2")
    tiny_vae(folder / "vae", seed=seed, scaling_factor=0.13025)
    _tokenizer("<|endoftext|>").save_pretrained(folder / "tokenizer")
    _tokenizer("!").save_pretrained(folder / "tokenizer_2")
    _scheduler("epsilon").save_pretrained(folder / "scheduler")
    _index(folder, "StableDiffusionXLPipeline", text_encoders=2)
    return folder


def tiny_vae(folder: Path, *, seed: int = 0, scaling_factor: float = 0.18215) -> Path:
    """An f8 autoencoder with 4 latent channels and one resnet a level."""
    torch.manual_seed(seed)
    sizes: dict[str, object] = {
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "block_out_channels": VAE_CHANNELS,
        "layers_per_block": 1,
        "latent_channels": 4,
        "scaling_factor": scaling_factor,
        "sample_size": 64,
    }
    vae = made(AutoencoderKL, sizes)
    vae.save_pretrained(folder)
    return folder


def tiny_controlnet(folder: Path, checkpoint: Path, *, seed: int = 1) -> Path:
    """A ControlNet that fits the U-Net of the diffusers folder ``checkpoint``; its zero convolutions are not zero, so it has an effect."""
    torch.manual_seed(seed)
    unet = UNet2DConditionModel.from_pretrained(checkpoint / "unet")
    net = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(16, 32, 96, 256))
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name.startswith(("controlnet_down", "controlnet_mid", "controlnet_cond_embedding.conv_out")) and parameter.ndim == 4:
                torch.nn.init.normal_(parameter, std=0.1)
    net.save_pretrained(folder)
    return folder


# What a trainer would change: two matrices and a convolution of the U-Net, a matrix of the text encoder; (out, in, kernel).
LORA_MODULES = {
    "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q": (32, 32, 1),
    "unet.up_blocks.3.attentions.2.transformer_blocks.0.attn2.to_k": (32, TEXT_WIDTH, 1),
    "unet.mid_block.resnets.0.conv1": (64, 64, 3),
    "text_encoder.text_model.encoder.layers.1.mlp.fc1": (4 * TEXT_WIDTH, TEXT_WIDTH, 1),
}


def tiny_lora(file: Path, *, naming: str = "kohya", rank: int = 4, alpha: float = 2.0, seed: int = 2, strength: float = 0.3) -> Path:
    """A LoRA with a convolution (LoCon) for ``tiny_sd1``, under kohya's, diffusers' or peft's names (these two say alpha = rank)."""
    generator = torch.Generator().manual_seed(seed)
    tensors: dict[str, torch.Tensor] = {}
    for module, (outputs, inputs, kernel) in LORA_MODULES.items():
        kernels = (kernel, kernel) if kernel > 1 else ()
        down = torch.randn(rank, inputs, *kernels, generator=generator) * strength
        up = torch.randn(outputs, rank, *(1 for _ in kernels), generator=generator) * strength
        if naming == "kohya":
            name = module.replace("text_encoder.", "te.").replace(".", "_")
            tensors |= {f"lora_{name}.lora_down.weight": down, f"lora_{name}.lora_up.weight": up, f"lora_{name}.alpha": torch.tensor(alpha)}
        elif naming == "diffusers":
            tensors |= {f"{module}.lora.down.weight": down, f"{module}.lora.up.weight": up * alpha / rank}
        else:
            tensors |= {f"{module}.lora_A.weight": down, f"{module}.lora_B.weight": up * alpha / rank}
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, file)
    return file


def _unet_sizes(channels: tuple[int, ...]) -> dict[str, object]:
    """SD1's and SD2's topology: attention on every level but the lowest."""
    levels = len(channels)
    return {
        "down_block_types": ("CrossAttnDownBlock2D",) * (levels - 1) + ("DownBlock2D",),
        "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * (levels - 1),
        "block_out_channels": channels,
        "layers_per_block": 2,
    }


def _text_config(width: int, *, hidden_act: str, heads: int = HEADS, projection_dim: int | None = None) -> CLIPTextConfig:
    """Three layers, so that CLIP skips 1, 2 and 3 differ; CLIP's own vocabulary."""
    return CLIPTextConfig(
        vocab_size=49408,
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=3,
        num_attention_heads=heads,
        max_position_embeddings=77,
        hidden_act=hidden_act,
        projection_dim=projection_dim or width,
        bos_token_id=49406,
        eos_token_id=49407,
        pad_token_id=1,
    )


def _tokenizer(pad: str) -> CLIPTokenizer:
    return CLIPTokenizer(str(TOKENIZER / "vocab.json"), str(TOKENIZER / "merges.txt"), model_max_length=77, pad_token=pad)


def _scheduler(prediction_type: str) -> DDIMScheduler:
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=prediction_type,  # pyright: ignore[reportArgumentType]
    )


def _index(folder: Path, pipeline: str, *, text_encoders: int) -> None:
    """Writes model_index.json, from which a diffusers pipeline knows its parts."""
    parts: dict[str, object] = {
        "_class_name": pipeline,
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    if text_encoders == 2:
        parts |= {"text_encoder_2": ["transformers", "CLIPTextModelWithProjection"], "tokenizer_2": ["transformers", "CLIPTokenizer"]}
    else:
        parts |= {"safety_checker": [None, None], "feature_extractor": [None, None], "requires_safety_checker": False}
    (folder / "model_index.json").write_text(json.dumps(parts, indent=2))
