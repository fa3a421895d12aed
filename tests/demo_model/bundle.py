"""Puts the trained networks together as the demo model: `python -m tests.demo_model.bundle [--training DIR]`."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportIndexIssue=false
# pyright: reportOptionalMemberAccess=false, reportOptionalSubscript=false
# (diffusers' annotations are wider or narrower than what it does; a pipeline's optional parts are not marked so)

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, ControlNetModel, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextModel

from tests.demo_model.networks import new_tokenizer
from tests.demo_model.train_unet import BETAS

DEMO = Path(__file__).parents[2] / "lib_extension" / "models" / "demo"


def bundle(training: Path, demo: Path) -> None:
    """Write the networks found under ``training`` to ``demo``, in half precision, as a folder that diffusers loads."""
    together = training / "controlnet" / "trained"  # the ControlNet, and the U-Net and text encoder that went on with it
    StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(training / "decoder" / "trained").half(),
        text_encoder=CLIPTextModel.from_pretrained(together / "text_encoder").half(),
        tokenizer=new_tokenizer(),
        unet=UNet2DConditionModel.from_pretrained(together / "unet").half(),
        scheduler=DDIMScheduler(**BETAS, clip_sample=False, set_alpha_to_one=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(demo)
    ControlNetModel.from_pretrained(together / "controlnet", torch_dtype=torch.float16).save_pretrained(demo / "controlnet")
    for config in demo.rglob("config.json"):
        settings = json.loads(config.read_text("utf-8"))
        settings.pop("_name_or_path", None)  # where it was trained is nobody's concern
        config.write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for network in ("tagger", "parts"):
        shutil.copytree(training / network / "trained", demo / network, dirs_exist_ok=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--training", type=Path, default=Path("demo-training"))
    options.add_argument("--demo", type=Path, default=DEMO)
    chosen = options.parse_args()
    bundle(chosen.training, chosen.demo)
    size = sum(file.stat().st_size for file in chosen.demo.rglob("*") if file.is_file())
    print(f"{chosen.demo}: {size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
