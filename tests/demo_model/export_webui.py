"""Writes a small SD1 model, and its ControlNet, into a WebUI: `python -m tests.demo_model.export_webui WEBUI_DIR [--model FOLDER]`.

The WebUI then lists it as any other checkpoint. What its loader cannot know about a narrow model stands in a YAML file beside it, and
in a folder with the configuration and tokenizer of its text encoder, which that file names.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml
from safetensors.torch import save_file

from lib_extension.models.diffusers_folder import read_config
from lib_extension.models.single_file import TOKENIZER
from lib_extension.models.text_names import clip_to_transformers
from tests.ldm_files import weights, write_checkpoint, write_controlnet

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "lib_extension" / "models" / "demo"


def export(model: Path, webui: Path, name: str) -> list[Path]:
    """Writes the diffusers folder ``model``, and its ``controlnet`` subfolder if there is one. Returns what was written."""
    checkpoints = webui / "models" / "Stable-diffusion"
    clip = checkpoints / f"{name}-clip"
    config_text = yaml.safe_dump(webui_yaml(model, clip.resolve()), sort_keys=False)  # refuses before anything is written
    file = write_checkpoint(model, checkpoints / f"{name}.safetensors", "sd1", metadata={"format": "pt"})
    _write_clip(model, clip)
    config = file.with_suffix(".yaml")
    config.write_text(config_text, encoding="utf-8")
    written = [file, config, clip]
    if (model / "controlnet").is_dir():
        written.append(write_controlnet(model / "controlnet", webui / "models" / "ControlNet" / f"{name}-controlnet.safetensors"))
    return written


def webui_yaml(model: Path, clip: Path) -> dict[str, Any]:
    """What the WebUI builds the model from, in ldm's terms."""
    unet, vae = read_config(model / "unet" / "config.json"), read_config(model / "vae" / "config.json")
    noise = read_config(model / "scheduler" / "scheduler_config.json")
    text = read_config(model / "text_encoder" / "config.json")
    params = {
        "linear_start": noise["beta_start"],
        "linear_end": noise["beta_end"],
        "num_timesteps_cond": 1,
        "log_every_t": 200,
        "timesteps": 1000,
        "first_stage_key": "jpg",
        "cond_stage_key": "txt",
        "image_size": unet["sample_size"],
        "channels": 4,
        "cond_stage_trainable": False,
        "conditioning_key": "crossattn",
        "monitor": "val/loss_simple_ema",
        "scale_factor": vae["scaling_factor"],
        "use_ema": False,
        "parameterization": "v" if noise["prediction_type"] == "v_prediction" else "eps",
        "unet_config": {"target": "ldm.modules.diffusionmodules.openaimodel.UNetModel", "params": _unet_params(unet)},
        "first_stage_config": {
            "target": "ldm.models.autoencoder.AutoencoderKL",
            "params": {"embed_dim": 4, "ddconfig": _vae_params(vae), "lossconfig": {"target": "torch.nn.Identity"}},
        },
        "cond_stage_config": {
            "target": "ldm.modules.encoders.modules.FrozenCLIPEmbedder",
            "params": {"version": str(clip), "max_length": text["max_position_embeddings"]},
        },
    }
    return {"model": {"target": "ldm.models.diffusion.ddpm.LatentDiffusion", "params": params}}


def _unet_params(unet: dict[str, Any]) -> dict[str, Any]:
    widths = unet["block_out_channels"]
    base, factors = _factors(widths)
    attention = [2**level for level, kind in enumerate(unet["down_block_types"]) if "CrossAttn" in kind]
    heads = unet["attention_head_dim"]  # diffusers' name for the number of heads
    if isinstance(heads, list) and len(set(heads)) > 1:
        raise SystemExit(f"The WebUI's U-Net has one number of heads for all levels; this model has {heads}.")
    return {
        "image_size": 32,
        "in_channels": unet["in_channels"],
        "out_channels": unet["out_channels"],
        "model_channels": base,
        "attention_resolutions": attention,
        "num_res_blocks": unet["layers_per_block"],
        "channel_mult": factors,
        "num_heads": heads[0] if isinstance(heads, list) else heads,
        "use_spatial_transformer": True,
        "transformer_depth": 1,
        "context_dim": unet["cross_attention_dim"],
        "use_checkpoint": False,
        "legacy": False,
    }


def _vae_params(vae: dict[str, Any]) -> dict[str, Any]:
    base, factors = _factors(vae["block_out_channels"])
    return {
        "double_z": True,
        "z_channels": vae["latent_channels"],
        "resolution": 256,
        "in_channels": vae["in_channels"],
        "out_ch": vae["out_channels"],
        "ch": base,
        "ch_mult": factors,
        "num_res_blocks": vae["layers_per_block"],
        "attn_resolutions": [],
        "dropout": 0.0,
    }


def _factors(widths: list[int]) -> tuple[int, list[int]]:
    """ldm states widths as whole multiples of the first; 1.5 would make a float of a width, which torch refuses."""
    if any(width % widths[0] for width in widths):
        raise SystemExit(f"The WebUI can only build levels that are whole multiples of the first as wide; {widths} are not.")
    return widths[0], [width // widths[0] for width in widths]


def _write_clip(model: Path, folder: Path) -> None:
    """The text encoder as transformers 4.30, which the WebUI has, reads it: names with ``text_model.``, slow tokenizer files."""
    folder.mkdir(parents=True, exist_ok=True)
    text = {name: tensor.float().contiguous() for name, tensor in clip_to_transformers(weights(model / "text_encoder")).items()}
    save_file(text, folder / "model.safetensors", {"format": "pt"})
    config = read_config(model / "text_encoder" / "config.json")
    config |= {"architectures": ["CLIPTextModel"], "model_type": "clip_text_model", "torch_dtype": "float32", "eos_token_id": 49407}
    config.pop("dtype", None)
    tokenizer = {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": config["max_position_embeddings"],
        "do_lower_case": True,
        "errors": "replace",
        "add_prefix_space": False,
        "bos_token": "<|startoftext|>",
        "eos_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
    }
    special = {name: tokenizer[name] for name in ("bos_token", "eos_token", "unk_token", "pad_token")}
    for file, content in (("config.json", config), ("tokenizer_config.json", tokenizer), ("special_tokens_map.json", special)):
        (folder / file).write_text(json.dumps(content, indent=2), encoding="utf-8")
    for file in ("vocab.json", "merges.txt"):
        shutil.copyfile(TOKENIZER / file, folder / file)


def main(arguments: list[str] | None = None) -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("webui", type=Path, help="the WebUI's folder, with models/ in it")
    options.add_argument("--model", type=Path, default=DEMO, help="a diffusers folder of SD1's topology; the demo model by default")
    options.add_argument("--name", help="what the WebUI shall call it; the folder's name by default")
    given = options.parse_args(arguments)
    if not (given.model / "unet" / "config.json").is_file():
        sys.exit(f"{given.model} holds no diffusers model.")
    if not (given.webui / "models").is_dir():
        sys.exit(f"{given.webui} is no WebUI: it has no folder named models.")
    for path in export(given.model, given.webui, given.name or f"atelier-{given.model.name}"):
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
