"""Trains the demo model's U-Net and text encoder: `torchrun --nproc-per-node N -m tests.demo_model.train_unet [--steps N]`."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportIndexIssue=false
# pyright: reportOptionalMemberAccess=false, reportOptionalSubscript=false
# (diffusers' annotations are wider or narrower than what it does; a pipeline's optional parts are not marked so)

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, DDPMScheduler, StableDiffusionPipeline
from diffusers.models.attention_processor import AttnProcessor
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from tests.demo_model.networks import new_text_encoder, new_tokenizer, new_unet
from tests.demo_model.runs import Run, Shadow, first_process_first, join_processes, learning_rate, share_gradients
from tests.demo_model.scenes import Subject, training_scene

BATCH, SCENES, PEAK = 32, 10_000, 1.2e-3
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}  # those of SD 1.x


@dataclass(frozen=True)
class Lesson:
    """What is learnt from: scaled latents (N, 4, 16, 16) and, for each, the tokens of its sentence and its tags (N, 2, 77)."""

    latents: torch.Tensor
    tokens: torch.Tensor
    nothing: torch.Tensor  # (77,), the tokens of an empty prompt


def captions(subject: Subject, random: Random) -> tuple[str, str]:
    """The caption as a sentence and as tags; a watch's plain strap or a character's pose is sometimes left unsaid."""
    sentence = subject.caption
    if subject.object == "character" and random.random() < 0.3:
        sentence = sentence.replace(f" {subject.pose},", "")
    return sentence, subject.tags


def prepare(vae_folder: Path, kept: Path) -> Lesson:
    """Draw and encode the scenes once; later runs read them from ``kept``."""
    tokenizer = new_tokenizer()
    tokens = [captions(training_scene(i, 16).subject, Random(i)) for i in range(SCENES)]
    flat = tokenizer(
        [text for pair in tokens for text in pair] + [""], padding="max_length", truncation=True, return_tensors="pt"
    ).input_ids
    if not kept.exists():
        vae = AutoencoderKL.from_pretrained(vae_folder).bfloat16().eval()
        kept.parent.mkdir(parents=True, exist_ok=True)
        torch.save(encode(vae, range(SCENES)), kept)
    return Lesson(torch.load(kept, weights_only=True), flat[:-1].view(SCENES, 2, 77), flat[-1])


@torch.no_grad()
def encode(vae: AutoencoderKL, indices: Sequence[int]) -> torch.Tensor:
    """The scaled latents of training scenes, float32 (N, 4, 16, 16)."""
    found: list[torch.Tensor] = []
    for start in range(0, len(indices), 32):
        drawn = np.stack([np.asarray(training_scene(i).picture) for i in indices[start : start + 32]])
        pictures = torch.from_numpy(drawn).permute(0, 3, 1, 2).to(vae.dtype) / 127.5 - 1
        found.append(vae.encode(pictures).latent_dist.mean.float() * vae.config.scaling_factor)
    return torch.cat(found)


def loss_weights(scheduler: DDPMScheduler) -> torch.Tensor:
    """Min-SNR weights with gamma 5 for noise prediction, (1000,) (Hang et al. 2023, arXiv:2303.09556, equation 8)."""
    snr = scheduler.alphas_cumprod / (1 - scheduler.alphas_cumprod)
    return snr.clamp(max=5) / snr


def draw_batch(lesson: Lesson, random: torch.Generator, scenes: int = SCENES) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of the lesson (BATCH,), of its first ``scenes``, and tokens (BATCH, 77): 70 % sentences, 30 % tags, one in ten empty."""
    rows = torch.randint(scenes, (BATCH,), generator=random)
    form = (torch.rand(BATCH, generator=random) < 0.3).long()
    tokens = lesson.tokens[rows, form].clone()
    tokens[torch.rand(BATCH, generator=random) < 0.1] = lesson.nothing
    return rows, tokens


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--steps", type=int, default=8000)
    options.add_argument("--folder", type=Path, default=Path("demo-training/unet"))
    options.add_argument("--vae", type=Path, default=Path("demo-training/vae/trained"))
    chosen = options.parse_args()
    torch.set_num_threads(1)
    rank = join_processes()

    unet, encoder = new_unet(), new_text_encoder()
    unet.set_attn_processor(AttnProcessor())  # several times faster in bfloat16 on a processor than the fused attention
    model = nn.ModuleDict({"unet": unet, "text_encoder": encoder})
    shadow = Shadow(model)
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.997))
    run = Run(chosen.folder, {"model": model, "average": average, "optimizer": optimizer})
    lesson = first_process_first(rank, lambda: prepare(chosen.vae, chosen.folder / "latents.pt"))
    scheduler = DDPMScheduler(**BETAS)
    weights = loss_weights(scheduler)

    while run.step < chosen.steps:
        random = run.generator(f"batch {rank}")
        rows, tokens = draw_batch(lesson, random)
        noise = torch.randn((BATCH, 4, 16, 16), generator=random)
        times = torch.randint(1000, (BATCH,), generator=random)
        noisy = scheduler.add_noise(lesson.latents[rows], noise, times)
        shadow.pull()
        states = shadow.copy["text_encoder"](tokens).last_hidden_state  # (BATCH, 77, 64)
        guess = shadow.copy["unet"](noisy.bfloat16(), times, states).sample.float()
        loss = ((guess - noise).square().mean((1, 2, 3)) * weights[times]).mean()
        loss.backward()
        shadow.push_gradients()
        share_gradients(model.parameters())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(run.step, chosen.steps, PEAK)
        optimizer.step()
        average.update_parameters(model)
        run.step += 1
        if rank == 0:
            run.log(50, loss=loss.item())
            if run.step % 250 == 0 or run.step == chosen.steps:
                run.save()
                save_pipeline(average.module, chosen.vae, chosen.folder / "trained")


def save_pipeline(model: nn.Module, vae: Path, folder: Path) -> None:
    """Write a pipeline that diffusers loads."""
    unet, encoder = model["unet"], model["text_encoder"]
    StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(vae),
        text_encoder=encoder,
        tokenizer=new_tokenizer(),
        unet=unet,
        scheduler=DDIMScheduler(**BETAS, clip_sample=False, set_alpha_to_one=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)


if __name__ == "__main__":
    main()
