"""How do the trained weights draw? The same prompts from the same seeds again and again, by a small sampler of the trainer's own.

Classifier-free guidance (Ho & Salimans 2022, arXiv:2207.12598, equation 6) and deterministic DDIM steps (Song et al. 2021,
arXiv:2010.02502, equation 12 with sigma 0). Where the training has no use for the VAE, it is loaded for the drawing alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from lib_extension.models.checkpoint import Checkpoint
from lib_extension.spec.training import TrainingConfig
from lib_extension.spec.training.run import SampleSettings
from trainer.base_model import BaseModel
from trainer.encoders import LateEncoders
from trainer.families import FAMILIES, TextStates
from trainer.step import Noising


@dataclass(frozen=True)
class _Sizes:
    original_sizes: Tensor  # (2, 2)
    crops: Tensor  # (2, 2)
    target_sizes: Tensor  # (2, 2)


class Sampler:
    """Draws the samples of a run. `late`, if given, encodes their prompts now, for runs whose text encoders do not learn."""

    def __init__(self, config: TrainingConfig, base: BaseModel, late: LateEncoders | None) -> None:
        self._config, self._base = config, base
        learns = config.network.text_encoder or config.network.text_encoder_2
        self._texts: dict[tuple[str, str], TextStates] = {}
        if late is not None and not learns and not config.run.sample_by:
            for sample in config.run.samples:
                self._texts[sample.negative_prompt, sample.prompt] = _text(late.checkpoint, sample, config.model.clip_skip)

    @torch.no_grad()
    def draw(self, checkpoint: Checkpoint, noising: Noising) -> list[Image.Image]:
        """A picture of each sample, by the weights as they are now."""
        latents = [self._latents(checkpoint, noising, sample) for sample in self._config.run.samples]
        if not latents:
            return []
        vae = checkpoint.vae if checkpoint.vae.device.type != "meta" else self._base.load(leave_out=("unet", "text")).vae
        return [_decoded(vae, one) for one in latents]

    def _latents(self, checkpoint: Checkpoint, noising: Noising, sample: SampleSettings) -> Tensor:
        """(1, 4, h, w), as the VAE takes them but for its scale."""
        width, height = sample_size(self._config, sample)
        device, dtype = checkpoint.device, checkpoint.dtype
        text = self._texts.get((sample.negative_prompt, sample.prompt)) or _text(checkpoint, sample, self._config.model.clip_skip)
        text = text.to(device, dtype)
        sizes = _Sizes(*(torch.tensor([pair, pair], device=device) for pair in ((height, width), (0, 0), (height, width))))
        latents = torch.randn(1, 4, height // 8, width // 8, generator=torch.Generator().manual_seed(sample.seed)).to(device)
        predict, times = FAMILIES[checkpoint.family].predict, timesteps(sample.steps, len(noising.alphas_cumprod))
        for time, after in zip(times, [*times[1:], None], strict=True):
            seen = torch.cat([latents, latents]).to(dtype)
            with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
                both = predict(checkpoint.unet, seen, torch.tensor([time, time], device=device), text, sizes)
            without, told = both.float().chunk(2)  # (1, 4, h, w)
            latents = stepped(latents, without + sample.cfg_scale * (told - without), noising, time, after)
        return latents


def sample_size(config: TrainingConfig, sample: SampleSettings) -> tuple[int, int]:
    """Width and height."""
    side = config.data.resolution // 8 * 8
    return sample.width or side, sample.height or side


def timesteps(steps: int, trained: int) -> list[int]:
    """From the noisiest down, evenly, "trailing" (Lin et al. 2023, arXiv:2305.08891, table 2)."""
    return [round(trained - trained * step / steps) - 1 for step in range(steps)]


def stepped(latents: Tensor, answer: Tensor, noising: Noising, time: int, after: int | None) -> Tensor:
    """One step from `time` to `after`, or to the picture: x' = sqrt(a') x0 + sqrt(1 - a') noise, both as the model sees them in x."""
    alpha = float(noising.alphas_cumprod[time])
    signal, noise_part = alpha**0.5, (1 - alpha) ** 0.5
    if noising.prediction_type == "v_prediction":  # v = sqrt(a) noise - sqrt(1 - a) x0 (Salimans & Ho 2022, arXiv:2202.00512, section 4)
        picture, noise = signal * latents - noise_part * answer, noise_part * latents + signal * answer
    else:
        picture, noise = (latents - noise_part * answer) / signal, answer
    alpha_after = float(noising.alphas_cumprod[after]) if after is not None else 1.0
    return alpha_after**0.5 * picture + (1 - alpha_after) ** 0.5 * noise


def save_samples(pictures: list[Image.Image], config: TrainingConfig, folder: Path, step: int) -> list[Path]:
    """Into the run's folder, each with its prompt in it."""
    folder.mkdir(exist_ok=True)
    files = []
    for number, (picture, sample) in enumerate(zip(pictures, config.run.samples, strict=True), 1):
        information = PngInfo()
        information.add_itxt("parameters", _infotext(sample, picture.size))
        files.append(folder / f"step-{step:06d}-{number}.png")
        picture.save(files[-1], pnginfo=information)
    return files


def _infotext(sample: SampleSettings, size: tuple[int, int]) -> str:
    negative = f"\nNegative prompt: {sample.negative_prompt}" if sample.negative_prompt else ""
    told = f"Steps: {sample.steps}, Sampler: DDIM, CFG scale: {sample.cfg_scale:g}, Seed: {sample.seed}, Size: {size[0]}x{size[1]}"
    return f"{sample.prompt}{negative}\n{told}"


def _text(checkpoint: Checkpoint, sample: SampleSettings, clip_skip: int) -> TextStates:
    with torch.no_grad():
        return FAMILIES[checkpoint.family].encode_text(checkpoint, (sample.negative_prompt, sample.prompt), clip_skip, 0)


def _decoded(vae: AutoencoderKL, latents: Tensor) -> Image.Image:
    scaled = latents.to(vae.device, vae.dtype) / vae.config["scaling_factor"]
    values = vae.decode(scaled, return_dict=False)[0][0]  # 3 H W
    pixels = ((values.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return Image.fromarray(pixels.permute(1, 2, 0).cpu().numpy())
