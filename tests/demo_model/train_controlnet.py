"""Trains the demo model's ControlNet: `torchrun --nproc-per-node N -m tests.demo_model.train_controlnet [--steps N]`."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportIndexIssue=false
# pyright: reportOptionalMemberAccess=false, reportOptionalSubscript=false
# (diffusers' annotations are wider or narrower than what it does; a pipeline's optional parts are not marked so)

from __future__ import annotations

import argparse
from pathlib import Path
from random import Random

import numpy as np
import torch
from diffusers import ControlNetModel, DDPMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import CLIPTextModel

from tests.demo_model.hints import hint
from tests.demo_model.runs import Run, Shadow, first_process_first, join_processes, learning_rate, share_gradients
from tests.demo_model.scenes import training_scene
from tests.demo_model.train_unet import BATCH, BETAS, Lesson, loss_weights, prepare

SCENES, PEAK = 8000, 6e-4


def draw_hints(kept: Path) -> torch.Tensor:
    """A hint for each of the first SCENES scenes, uint8 (SCENES, 3, 128, 128); drawn once, then read from ``kept``."""
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, np.stack([hint(training_scene(i), Random(f"hint {i}")) for i in range(SCENES)]))
    return torch.from_numpy(np.load(kept, mmap_mode="c"))


def draw_batch(lesson: Lesson, hints: torch.Tensor, random: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Latents (BATCH, 4, 16, 16), hints in 0..1 (BATCH, 3, 128, 128), tokens (BATCH, 77): three in ten empty, so that hints are heeded."""
    chosen = torch.randint(SCENES, (BATCH,), generator=random)
    form = (torch.rand(BATCH, generator=random) < 0.3).long()
    tokens = lesson.tokens[chosen, form].clone()
    tokens[torch.rand(BATCH, generator=random) < 0.3] = lesson.nothing
    return lesson.latents[chosen], hints[chosen].float() / 255, tokens


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--steps", type=int, default=2000)
    options.add_argument("--folder", type=Path, default=Path("demo-training/controlnet"))
    options.add_argument("--unet", type=Path, default=Path("demo-training/unet"))
    options.add_argument("--vae", type=Path, default=Path("demo-training/vae/trained"))
    chosen = options.parse_args()
    torch.set_num_threads(1)
    rank = join_processes()

    unet = UNet2DConditionModel.from_pretrained(chosen.unet / "trained" / "unet").requires_grad_(False)
    encoder = CLIPTextModel.from_pretrained(chosen.unet / "trained" / "text_encoder").requires_grad_(False)
    controlnet = ControlNetModel.from_unet(unet)
    unet, encoder = unet.bfloat16(), encoder.bfloat16()
    for network in (unet, controlnet):
        network.set_attn_processor(AttnProcessor())
    shadow = Shadow(controlnet)
    optimizer = torch.optim.AdamW(controlnet.parameters(), betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    average = AveragedModel(controlnet, multi_avg_fn=get_ema_multi_avg_fn(0.99))
    run = Run(chosen.folder, {"controlnet": controlnet, "average": average, "optimizer": optimizer})
    lesson = prepare(chosen.vae, chosen.unet / "latents.pt")
    hints = first_process_first(rank, lambda: draw_hints(chosen.folder / "hints.npy"))
    scheduler = DDPMScheduler(**BETAS)
    weights = loss_weights(scheduler)

    while run.step < chosen.steps:
        random = run.generator(f"batch {rank}")
        latents, shown, tokens = draw_batch(lesson, hints, random)
        noise = torch.randn(latents.shape, generator=random)
        times = torch.randint(1000, (BATCH,), generator=random)
        noisy = scheduler.add_noise(latents, noise, times).bfloat16()
        shadow.pull()
        states = encoder(tokens).last_hidden_state
        down, middle = shadow.copy(noisy, times, states, shown.bfloat16(), return_dict=False)
        guess = unet(noisy, times, states, down_block_additional_residuals=down, mid_block_additional_residual=middle).sample.float()
        loss = ((guess - noise).square().mean((1, 2, 3)) * weights[times]).mean()
        loss.backward()
        shadow.push_gradients()
        share_gradients(controlnet.parameters())
        torch.nn.utils.clip_grad_norm_(controlnet.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(run.step, chosen.steps, PEAK)
        optimizer.step()
        average.update_parameters(controlnet)
        run.step += 1
        if rank == 0:
            run.log(50, loss=loss.item())
            if run.step % 250 == 0 or run.step == chosen.steps:
                run.save()
                average.module.save_pretrained(chosen.folder / "trained")


if __name__ == "__main__":
    main()
