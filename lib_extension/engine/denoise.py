"""What does the model take a noisy latent for? Guidance, ControlNets, masks and the prompt of the step come together here.

Latents are (B, C, h, w) in fp32 and of unscaled size: x = latent + sigma · noise. The U-Net sees x / sqrt(sigma² + 1).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lib_extension.engine.conditioning import Encoded
from lib_extension.engine.progress import Progress
from lib_extension.engine.schedules import NoiseLevels
from lib_extension.models.checkpoint import Checkpoint

Parts = tuple[tuple[tuple[int, float], ...], ...]


@dataclass(frozen=True)
class Rows:
    """The texts of one step: the parts of all positive prompts, and the negative prompt of each picture."""

    positive: Encoded
    negative: Encoded

    @property
    def plain(self) -> bool:
        """One part of weight 1 for every picture, so that row and picture are the same number."""
        return all(parts == ((picture, 1.0),) for picture, parts in enumerate(self.positive.parts))

    @property
    def pictures(self) -> list[int]:
        """The picture that each positive row belongs to."""
        return [picture for picture, parts in enumerate(self.positive.parts) for _ in parts]


@dataclass(frozen=True)
class Blend:
    """Where ``keep`` is 1 the result is ``init``, where it is 0 what the model makes; both (B or 1, C, h, w).

    With ``before`` not each noiseless estimate is blended but what the U-Net sees, as the WebUI does for scaled samplers.
    """

    init: Tensor
    keep: Tensor
    before: bool = False

    def __call__(self, x: Tensor) -> Tensor:
        return x * (1 - self.keep) + self.init * self.keep


@dataclass(frozen=True)
class Residuals:
    """What ControlNets add to the U-Net's skip connections and its middle."""

    down: tuple[Tensor, ...]
    middle: Tensor


@dataclass(frozen=True)
class Seen:
    """What the U-Net is shown, and so a ControlNet. The last ``negatives`` rows are of negative prompts."""

    x: Tensor
    timestep: Tensor
    states: Tensor
    added: dict[str, Tensor] | None
    negatives: int


Control = Callable[[Seen, float], Residuals | None]
"""(what the U-Net sees, share of the sampling that is done) → what to add, or nothing at this time."""


@dataclass(frozen=True)
class Guidance:
    """How prompts guide. ``rows(evaluation)`` gives the texts for the evaluation of that number, from 0.

    ``size`` is (height, width) in px, which SDXL is told. ``inpainting`` is (B, 5, h, w) for models that are shown mask and
    picture beside the latent. Below ``least_sigma`` every other negative evaluation is left out (the WebUI's NGMS).
    """

    rows: Callable[[int], Rows]
    cfg_scale: float
    size: tuple[int, int]
    control: Control | None = None
    blend: Blend | None = None
    inpainting: Tensor | None = None
    least_sigma: float = 0.0


class Denoiser:
    """Callable as (x, sigma) → noiseless estimate. Raises progress.Stopped when somebody asked for the end."""

    def __init__(self, checkpoint: Checkpoint, levels: NoiseLevels, guidance: Guidance, progress: Progress, steps: int) -> None:
        self._checkpoint = checkpoint
        self._levels = levels
        self._guidance = guidance
        self._progress = progress
        self._steps = steps
        self._evaluation = 0
        self._steps_done = 0
        self.latest: Tensor | None = None  # The last noiseless estimate, for previews and for who is interrupted.
        self.left_out = False  # Whether a negative evaluation ever was.
        self._latest_negative: Tensor | None = None

    def step_done(self, i: int) -> None:
        self._steps_done = i + 1

    def negative(self) -> Tensor:
        """The last noiseless estimate by the negative prompt alone."""
        assert self._latest_negative is not None
        return self._latest_negative

    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        self._progress.check()
        guidance = self._guidance
        rows = guidance.rows(self._evaluation)
        shown = self._shown(x, sigma)
        left_out = self._evaluation % 2 == 1 and sigma < guidance.least_sigma
        self.left_out |= left_out
        if left_out or (guidance.cfg_scale == 1 and rows.plain):
            positive, negative = self._predict(shown, sigma, rows.positive, rows.pictures, 0), None
        else:
            positive, negative = self._both(shown, sigma, rows)
        combined, unguided = _combined(positive, negative, rows.positive.parts, guidance.cfg_scale)
        denoised = self._noiseless(x, shown, combined, sigma)
        if guidance.blend is not None and not guidance.blend.before:
            denoised = guidance.blend(denoised)
        self.latest = denoised
        self._latest_negative = self._noiseless(x, shown, unguided, sigma)
        self._evaluation += 1
        return denoised

    def _shown(self, x: Tensor, sigma: float) -> Tensor:
        """What the U-Net sees of ``x``."""
        shown, blend = x / math.sqrt(sigma**2 + 1), self._guidance.blend
        return blend(shown) if blend is not None and blend.before else shown

    def _both(self, shown: Tensor, sigma: float, rows: Rows) -> tuple[Tensor, Tensor]:
        """Positive and negative outputs, from one evaluation where the texts are equally long, as in the WebUI."""
        everything = list(range(len(shown)))
        if rows.positive.states.shape[1] != rows.negative.states.shape[1]:
            positive = self._predict(shown, sigma, rows.positive, rows.pictures, 0)
            return positive, self._predict(shown, sigma, rows.negative, everything, len(shown))
        both = self._predict(shown, sigma, _joined(rows.positive, rows.negative), [*rows.pictures, *everything], len(shown))
        return both[: -len(shown)], both[-len(shown) :]

    def _predict(self, shown: Tensor, sigma: float, text: Encoded, pictures: list[int], negatives: int) -> Tensor:
        """The U-Net's output for each row of ``text``, which guides the picture of that number."""
        checkpoint, dtype = self._checkpoint, self._checkpoint.dtype
        shown = shown[pictures]
        timestep = torch.tensor(self._levels.timestep_of(sigma), dtype=torch.float32, device=shown.device)
        added = self._added(text)
        residuals = None
        if self._guidance.control is not None:
            seen = Seen(shown.to(dtype), timestep, text.states, added, negatives)
            # One step behind, as the WebUI counts: its step number is set only after the first evaluation of a step.
            residuals = self._guidance.control(seen, max(self._steps_done - 1, 0) / self._steps)
        if self._guidance.inpainting is not None:
            shown = torch.cat([shown, self._guidance.inpainting[pictures]], dim=1)
        return checkpoint.unet(
            shown.to(dtype),
            timestep,
            encoder_hidden_states=text.states,
            added_cond_kwargs=added,
            down_block_additional_residuals=residuals.down if residuals else None,
            mid_block_additional_residual=residuals.middle if residuals else None,
            return_dict=False,
        )[0].float()

    def _added(self, text: Encoded) -> dict[str, Tensor] | None:
        """SDXL's further conditions: the pooled text, and sizes as (original h, w, crop top, left, target h, w)."""
        if text.pooled is None:
            return None
        height, width = self._guidance.size
        ids = torch.tensor([height, width, 0, 0, height, width], dtype=text.pooled.dtype, device=text.pooled.device)
        return {"text_embeds": text.pooled, "time_ids": ids.expand(len(text.pooled), 6)}

    def _noiseless(self, x: Tensor, shown: Tensor, output: Tensor, sigma: float) -> Tensor:
        if self._checkpoint.prediction_type == "v_prediction":
            output = (output + shown * sigma) / math.sqrt(sigma**2 + 1)  # Now it is noise.
        return x - output * sigma


def _combined(positive: Tensor, negative: Tensor | None, parts: Parts, scale: float) -> tuple[Tensor, Tensor]:
    """(guided, unguided) outputs: negative + Σ weight · scale · (part − negative).

    Where no negative was evaluated, each picture's first part stands in for it, and the scale is 1.
    """
    if negative is None:
        negative, scale = positive[[of_picture[0][0] for of_picture in parts]], 1.0
    combined = negative.clone()
    for picture, of_picture in enumerate(parts):
        for row, weight in of_picture:
            combined[picture] += (weight * scale) * (positive[row] - negative[picture])
    return combined, negative


def _joined(first: Encoded, second: Encoded) -> Encoded:
    pooled = None if first.pooled is None or second.pooled is None else torch.cat([first.pooled, second.pooled])
    return replace(first, states=torch.cat([first.states, second.states]), pooled=pooled)
