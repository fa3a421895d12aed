"""Trains the demo model's ControlNet, its U-Net and text encoder going on beside it: `python -m tests.demo_model.train_controlnet`.

A ControlNet's U-Net is frozen elsewhere so that a large one is not harmed by few pictures. Here both learn from the same drawn scenes:
the U-Net goes on with the plain rows of each batch, and learns to heed its guide from the guided ones.
"""

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
from torch import nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import CLIPTextModel

from tests.demo_model.hints import hint
from tests.demo_model.runs import Run, Shadow, first_process_first, join_processes, learning_rate, share_gradients
from tests.demo_model.scenes import training_scene
from tests.demo_model.train_unet import BATCH, BETAS, draw_batch, loss_weights, prepare, save_pipeline

SCENES, PEAK = 8000, 8e-4
GUIDED = 20  # rows of a batch that have a hint
CELL = 4  # the hint's pixels, two by two, that one latent covers a side


def draw_hints(kept: Path) -> torch.Tensor:
    """A hint for each of the first SCENES scenes, uint8 (SCENES, 3, 128, 128); drawn once, then read from ``kept``."""
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, np.stack([hint(training_scene(i), Random(f"hint {i}")) for i in range(SCENES)]))
    return torch.from_numpy(np.load(kept, mmap_mode="c"))


def shares(hints: torch.Tensor) -> torch.Tensor:
    """How bright each 2x2 pixels of the hints are: (N, 3, 128, 128) to (N, 16, 16, 16), a latent's sixteen squares as channels."""
    return F.pixel_unshuffle(F.avg_pool2d(hints.mean(1, keepdim=True), 2), CELL)


def begin(unet: Path, controlnet: Path | None) -> nn.ModuleDict:
    """U-Net and text encoder from their run; the ControlNet as the U-Net's copy or from ``controlnet``.

    ``recall`` tells from the embedded hint where its edges are, to less than a latent. Learning that along makes the embedding carry it
    from the first steps on; from the noise's loss alone it comes late.
    """
    network = UNet2DConditionModel.from_pretrained(unet / "unet")
    guide = ControlNetModel.from_pretrained(controlnet) if controlnet else ControlNetModel.from_unet(network)
    for part in (network, guide):
        part.set_attn_processor(AttnProcessor())
    encoder = CLIPTextModel.from_pretrained(unet / "text_encoder")
    torch.manual_seed(3)
    recall = nn.Conv2d(network.config.block_out_channels[0], CELL**2, 1)
    return nn.ModuleDict({"unet": network, "text_encoder": encoder, "controlnet": guide, "recall": recall})


def guess_noise(
    model: nn.ModuleDict, noisy: torch.Tensor, times: torch.Tensor, tokens: torch.Tensor, hints: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The noise (N, 4, 16, 16) where the first rows have ``hints`` (GUIDED, 3, 128, 128), and what `recall` makes of them."""
    states = model["text_encoder"](tokens).last_hidden_state
    embedded: list[torch.Tensor] = []
    hook = model["controlnet"].controlnet_cond_embedding.register_forward_hook(lambda _, __, made: embedded.append(made))
    down, middle = model["controlnet"](noisy[:GUIDED], times[:GUIDED], states[:GUIDED], hints, return_dict=False)
    hook.remove()
    unguided = len(noisy) - GUIDED
    down, middle = [F.pad(part, (0, 0, 0, 0, 0, 0, 0, unguided)) for part in down], F.pad(middle, (0, 0, 0, 0, 0, 0, 0, unguided))
    guess = model["unet"](noisy, times, states, down_block_additional_residuals=down, mid_block_additional_residual=middle).sample
    return guess.float(), model["recall"](embedded[0]).float()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--steps", type=int, default=2600)
    options.add_argument("--folder", type=Path, default=Path("demo-training/controlnet"))
    options.add_argument("--unet", type=Path, default=Path("demo-training/unet"))
    options.add_argument("--vae", type=Path, default=Path("demo-training/vae/trained"))
    options.add_argument("--begin", type=Path, help="a ControlNet to go on from, instead of a copy of the U-Net")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    rank = join_processes()

    model = begin(chosen.unet / "trained", chosen.begin)
    shadow = Shadow(model)
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.995))
    run = Run(chosen.folder, {"model": model, "average": average, "optimizer": optimizer})
    lesson = prepare(chosen.vae, chosen.unet / "latents.pt")
    hints = first_process_first(rank, lambda: draw_hints(chosen.folder / "hints.npy"))
    scheduler = DDPMScheduler(**BETAS)
    weights = loss_weights(scheduler)

    while run.step < chosen.steps:
        random = run.generator(f"batch {rank}")
        rows, tokens = draw_batch(lesson, random, SCENES)
        tokens[:GUIDED][torch.rand(GUIDED, generator=random) < 0.2] = lesson.nothing  # so that hints are heeded without words too
        shown = hints[rows[:GUIDED]].float() / 255
        noise = torch.randn((BATCH, 4, 16, 16), generator=random)
        times = torch.randint(1000, (BATCH,), generator=random)
        noisy = scheduler.add_noise(lesson.latents[rows], noise, times)
        shadow.pull()
        guess, recalled = guess_noise(shadow.copy, noisy.bfloat16(), times, tokens, shown.bfloat16())
        errors = (guess - noise).square().mean((1, 2, 3)) * weights[times]
        recall = F.mse_loss(recalled, shares(shown))
        (errors.mean() + recall).backward()
        shadow.push_gradients()
        share_gradients(model.parameters())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(run.step, chosen.steps, PEAK)
        optimizer.step()
        average.update_parameters(model)
        run.step += 1
        if rank == 0:
            run.log(50, guided=errors[:GUIDED].mean().item(), plain=errors[GUIDED:].mean().item(), recall=recall.item())
            if run.step % 250 == 0 or run.step == chosen.steps:
                run.save()
                save_pipeline(average.module, chosen.vae, chosen.folder / "trained")
                average.module["controlnet"].save_pretrained(chosen.folder / "trained" / "controlnet")


if __name__ == "__main__":
    main()
