"""Trains the demo model's VAE: `python -m tests.demo_model.train_vae [--steps N]`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from tests.demo_model.runs import Run
from tests.demo_model.scenes import training_scene

BATCH, CROP, PICTURES = 16, 64, 6000


def new_vae() -> AutoencoderKL:
    """An f8 autoencoder with 4 latent channels; all widths are multiples of 32, the group norm's groups in ldm."""
    torch.manual_seed(0)
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(32, 32, 64, 128),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=32,
        sample_size=128,
    )
    with torch.no_grad():  # Begin with a small posterior variance: otherwise noise drowns the picture for the first hundreds of steps.
        vae.quant_conv.weight[4:] = 0
        vae.quant_conv.bias[4:] = -5
    return vae


def pictures(count: int) -> torch.Tensor:
    """The first ``count`` training pictures, uint8 (count, 3, 128, 128)."""
    drawn = np.stack([np.asarray(training_scene(i).picture) for i in range(count)])
    return torch.from_numpy(drawn).permute(0, 3, 1, 2).contiguous()


def crops(drawn: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A batch of random crops in -1..1, (BATCH, 3, CROP, CROP)."""
    room = drawn.shape[-1] - CROP + 1
    chosen = torch.randint(len(drawn), (BATCH,), generator=generator)
    corners = torch.randint(room, (BATCH, 2), generator=generator)
    cut = [drawn[i, :, y : y + CROP, x : x + CROP] for i, (y, x) in zip(chosen, corners.tolist(), strict=True)]
    return (torch.stack(cut).float() / 127.5 - 1).to(memory_format=torch.channels_last)


def loss_of(made: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Mean absolute error of the pixels plus that of their differences to the right and downwards, which sharpens edges."""
    off = made - wanted
    edges = (off[..., 1:] - off[..., :-1]).abs().mean() + (off[..., 1:, :] - off[..., :-1, :]).abs().mean()
    return off.abs().mean() + edges


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--steps", type=int, default=6000)
    options.add_argument("--folder", type=Path, default=Path("demo-training/vae"))
    chosen = options.parse_args()

    vae = new_vae().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(vae.parameters(), betas=(0.9, 0.99), weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, chosen.steps, pct_start=0.05)
    average = torch.optim.swa_utils.AveragedModel(vae, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995))
    run = Run(chosen.folder, {"vae": vae, "average": average, "optimizer": optimizer, "schedule": schedule})
    drawn = pictures(PICTURES)
    while run.step < chosen.steps:
        wanted = crops(drawn, run.generator("crops"))
        posterior = vae.encode(wanted).latent_dist
        made = vae.decode(posterior.sample(run.generator("posterior"))).sample
        kl = posterior.kl().mean() / posterior.mean[0].numel()
        loss = loss_of(made, wanted) + 1e-5 * kl
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        average.update_parameters(vae)
        run.step += 1
        run.log(100, mae=(made - wanted).abs().mean().item(), kl=kl.item())
        if run.step % 500 == 0:
            run.save()
    run.save()
    trained = average.module
    with torch.no_grad():
        latents = [trained.encode(drawn[i : i + 32].float() / 127.5 - 1).latent_dist.sample() for i in range(0, 512, 32)]
    trained.register_to_config(scaling_factor=round(1 / torch.cat(latents).std().item(), 5))
    trained.save_pretrained(chosen.folder / "trained")


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    main()
