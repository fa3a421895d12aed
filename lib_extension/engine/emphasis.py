"""How does a word's weight change what the text encoder says about it? The WebUI's option "Emphasis mode" names four ways."""

from __future__ import annotations

from typing import Literal, get_args

import torch

from lib_extension.spec.errors import BadRequest, near_miss

EmphasisMode = Literal["None", "Ignore", "Original", "No norm"]


def check_mode(mode: str) -> None:
    """Raises BadRequest for a mode that there is not."""
    if mode not in get_args(EmphasisMode):
        known = get_args(EmphasisMode)
        raise BadRequest(f'There is no emphasis mode "{mode}".{near_miss(mode, known)} There are: {", ".join(known)}.')


def emphasise(states: torch.Tensor, weights: torch.Tensor, counts: torch.Tensor, mode: str) -> torch.Tensor:
    """The states of B chunks with their tokens' weights applied.

    "Original" then scales all of them, so that their mean is again what it was. The WebUI takes that mean over every text of a
    prompt's schedule at once, a text as often as it occurs; `counts` says how often.

    Shapes: states (B, 77, C), weights (B, 77), counts (B,); returns (B, 77, C).
    """
    if mode in ("None", "Ignore"):
        return states
    weighted = states * weights[:, :, None]  # (B, 77, C)
    if mode == "No norm":
        return weighted
    mean, mean_now = _mean(states, counts), _mean(weighted, counts)
    return weighted * torch.where(mean_now == 0, 1.0, mean / mean_now)  # an untrained LayerNorm's mean is 0


def _mean(states: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    return (states.mean(dim=(1, 2)) * counts).sum() / counts.sum()
