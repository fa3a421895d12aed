"""Trains the demo model's VAE: `python -m tests.demo_model.train_vae [--stage both|decoder] [--steps N]`."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from tests.demo_model.runs import Run, Shadow, learning_rate
from tests.demo_model.scenes import training_scene

BATCH, CROP, PICTURES, PEAK = 16, 64, 6000, 1.5e-3
LATENT_SCALE = 2.0


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
    return torch.stack(cut).float() / 127.5 - 1


def loss_of(made: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Mean absolute error of the pixels, of their differences to the neighbours (sharp edges) and of 8 x 8 means (true colours)."""
    off = made - wanted
    edges = (off[..., 1:] - off[..., :-1]).abs().mean() + (off[..., 1:, :] - off[..., :-1, :]).abs().mean()
    return off.abs().mean() + 0.5 * edges + 2 * F.avg_pool2d(off, 8).abs().mean()


def alignment(latents: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """How far the first three latent channels are from the picture's own 8 x 8 means, times LATENT_SCALE.

    It gives the latents a picture's statistics from the first step on, which a small U-Net learns several times faster.
    """
    return (latents[:, :3] - LATENT_SCALE * F.avg_pool2d(wanted, 8)).abs().mean()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--stage", choices=("both", "decoder"), default="both", help="both halves, or the decoder alone on fixed latents")
    options.add_argument("--steps", type=int, default=1500)
    options.add_argument("--folder", type=Path, default=Path("demo-training/vae"))
    options.add_argument("--begin", type=Path, help="a trained VAE to begin with")
    chosen = options.parse_args()
    torch.set_num_threads(1)

    vae = AutoencoderKL.from_pretrained(chosen.begin) if chosen.begin else new_vae()
    frozen = chosen.stage == "decoder"
    if frozen:
        vae.encoder.requires_grad_(False)
        vae.quant_conv.requires_grad_(False)
    optimizer = torch.optim.AdamW([p for p in vae.parameters() if p.requires_grad], betas=(0.9, 0.99), weight_decay=1e-4)
    average = AveragedModel(vae, multi_avg_fn=get_ema_multi_avg_fn(0.995))
    run = Run(chosen.folder, {"vae": vae, "average": average, "optimizer": optimizer})
    drawn = pictures(PICTURES)
    shadow = Shadow(vae)
    while run.step < chosen.steps:
        wanted = crops(drawn, run.generator("crops"))
        shadow.pull()
        with torch.set_grad_enabled(not frozen):
            posterior = shadow.copy.encode(wanted.bfloat16()).latent_dist
            latents = posterior.sample(run.generator("posterior"))
        made = shadow.copy.decode(latents).sample.float()
        loss = loss_of(made, wanted)
        if not frozen:
            kl = posterior.kl().float().mean() / posterior.mean[0].numel()
            loss = loss + 1e-5 * kl + 0.3 * alignment(posterior.mean.float(), wanted)
        loss.backward()
        shadow.push_gradients()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(run.step, chosen.steps, PEAK)
        optimizer.step()
        average.update_parameters(vae)
        run.step += 1
        run.log(100, mae=(made - wanted).abs().mean().item(), loss=loss.item())
        if run.step % 250 == 0 or run.step == chosen.steps:
            run.save()
            save(average.module, drawn[:512], chosen.folder / "trained", keep_scale=frozen)


@torch.no_grad()
def save(vae: AutoencoderKL, drawn: torch.Tensor, folder: Path, *, keep_scale: bool) -> None:
    """Write the VAE for diffusers, with the scaling factor that gives its latents a standard deviation of 1."""
    if not keep_scale:
        latents = [vae.encode(drawn[i : i + 32].float() / 127.5 - 1).latent_dist.mean for i in range(0, len(drawn), 32)]
        vae.register_to_config(scaling_factor=round(1 / torch.cat(latents).std().item(), 5))
    vae.save_pretrained(folder)


if __name__ == "__main__":
    main()
