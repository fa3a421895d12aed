"""Trains the demo model's VAE: `python -m tests.demo_model.train_vae [--stage both|decoder] [--steps N]`."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportIndexIssue=false
# pyright: reportOptionalMemberAccess=false, reportOptionalSubscript=false
# (diffusers' annotations are wider or narrower than what it does; a pipeline's optional parts are not marked so)

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from diffusers.models.attention_processor import Attention
from diffusers.models.downsampling import Downsample2D
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.upsampling import Upsample2D
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from tests.demo_model.runs import Run, Shadow, learning_rate
from tests.demo_model.scenes import training_scene

BATCH, CROP, PICTURES, PEAK = 8, 64, 6000, 1.5e-3
LATENT_SCALE = 2.0
CARRIERS = 6


def new_vae() -> AutoencoderKL:
    """An f8 autoencoder with 4 latent channels.

    ldm normalises in 32 groups always: with 32 channels that is one channel a group, which removes every mean and with it the colours.
    """
    torch.manual_seed(0)
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(64, 64, 64, 128),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=32,
        sample_size=128,
    )
    begin_as_thumbnail(vae)
    return vae


@torch.no_grad()
def begin_as_thumbnail(vae: AutoencoderKL) -> None:
    """Set the weights so that the untrained network already carries colours through: it halves and doubles the picture.

    Channels 0..5 of every level hold +R, -R, +G, -G, +B, -B (a pair a group norm cannot remove); residual branches begin near zero.
    Otherwise the first thousand steps go into finding the colours, one axis after the other.
    """
    for block in vae.modules():
        if isinstance(block, ResnetBlock2D):
            block.conv2.weight.mul_(0.2)[:CARRIERS] = 0
            if block.conv_shortcut is not None:
                carry(block.conv_shortcut.weight, torch.ones(1, 1))
        elif isinstance(block, Downsample2D):
            carry(block.conv.weight, torch.full((2, 2), 0.25))
        elif isinstance(block, Upsample2D):
            carry(block.conv.weight, torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16)
        elif isinstance(block, Attention):
            block.to_out[0].weight.mul_(0.2)[:CARRIERS] = 0
    for first in (vae.encoder.conv_in, vae.decoder.conv_in):
        first.weight[:CARRIERS] = 0
    for last in (vae.encoder.conv_out, vae.decoder.conv_out):
        last.weight[:3] *= 0.2
    for colour in range(3):
        for channel, sign in ((2 * colour, 1), (2 * colour + 1, -1)):
            vae.encoder.conv_in.weight[channel, colour, 1, 1] = sign
            vae.encoder.conv_out.weight[colour, channel, 1, 1] += sign * LATENT_SCALE / 2
            vae.decoder.conv_in.weight[channel, colour, 1, 1] = sign / LATENT_SCALE
            vae.decoder.conv_out.weight[colour, channel, 1, 1] += sign / 2
    vae.post_quant_conv.weight.copy_(torch.eye(4)[:, :, None, None])
    vae.quant_conv.weight.copy_(torch.eye(8)[:, :, None, None])
    vae.quant_conv.weight[4:] = 0
    vae.quant_conv.bias[4:] = -5  # a small posterior variance: otherwise noise drowns the picture


def carry(weight: torch.Tensor, kernel: torch.Tensor) -> None:
    """Make a convolution apply ``kernel`` (from the corner, or centred if 3 wide) to each carrier and nothing else to it."""
    weight[:CARRIERS] = 0
    height, width = kernel.shape
    for channel in range(CARRIERS):
        weight[channel, channel, :height, :width] = kernel


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
