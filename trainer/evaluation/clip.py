"""How well do pictures agree with what was asked for, and how alike are they, as a CLIP sees them (Radford et al. 2021)?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import CLIPTextModelWithProjection

from lib_extension.models.clip_vision import Vision, half_of, told_as_bad
from lib_extension.models.single_file import bundled_tokenizer

_SCALE = 2.5  # CLIPScore's w (Hessel et al. 2021, arXiv:2104.08718, equation 1): cosines to texts are hardly ever above 0.4


class _Text(CLIPTextModelWithProjection):
    """Leaves the half for pictures in the file without a word."""

    _keys_to_ignore_on_load_unexpected = [r"vision_model\..*", r"visual_projection\..*", r"logit_scale", r".*position_ids"]  # noqa: RUF012


class Clip:
    """A transformers folder with both halves of a CLIP; nothing is downloaded. BadFile where it is no whole one."""

    def __init__(self, folder: Path) -> None:
        self._vision = Vision.load(folder)
        with told_as_bad(folder):
            self._text = half_of(folder, _Text).eval()
        self._tokenizer = bundled_tokenizer("<|endoftext|>")  # all CLIPs have the same

    def agreement(self, prompts: Sequence[str], pictures: Sequence[Image.Image]) -> float | None:
        """The mean CLIPScore of the pictures with their prompts, 0..1."""
        if not pictures:
            return None
        scores = [_cosine(self._said(prompt), self.vector(one)) for prompt, one in zip(prompts, pictures, strict=True)]
        return float(np.clip(np.array(scores) * _SCALE, 0, 1).mean())

    def vector(self, picture: Image.Image) -> np.ndarray:
        """(P,)."""
        return self._vision.embedding(picture)

    @torch.no_grad()
    def _said(self, prompt: str) -> np.ndarray:
        """(P,). What is longer than the encoder reads is cut off."""
        tokens = self._tokenizer(prompt, truncation=True, return_tensors="pt")
        return self._text(input_ids=tokens["input_ids"]).text_embeds[0].float().numpy()


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-12))
