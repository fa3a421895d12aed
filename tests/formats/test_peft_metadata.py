"""A LoRA's scale is read from what diffusers writes into the metadata."""

from __future__ import annotations

import json
from math import sqrt
from typing import Any

import pytest

from lib_extension.formats.peft_metadata import KEY, scale_of
from lib_extension.spec.errors import BadFile

PATH = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"


def told(**values: Any) -> dict[str, str]:
    return {KEY: json.dumps({f"unet.{name}": value for name, value in values.items()})}


@pytest.mark.parametrize(
    ("metadata", "scale"),
    [
        ({}, None),
        ({"ss_network_dim": "4"}, None),
        (told(r=4, lora_alpha=8), 2.0),
        (told(r=4, lora_alpha=8, use_rslora=True), 8 / sqrt(4)),
        (told(r=4, lora_alpha=8, rank_pattern={"to_q": 16}), 0.5),
        (told(r=4, lora_alpha=8, rank_pattern={"attn2.to_q": 16}, alpha_pattern={PATH[5:]: 1}), 0.25),
        (told(r=4, lora_alpha=8, alpha_pattern={r"^attn1\.to_q$": 4}), 1.0),
        (told(r=4), None),
        ({KEY: '{"text_encoder.r": 4, "text_encoder.lora_alpha": 8}'}, None),
    ],
)
def test_scale(metadata: dict[str, str], scale: float | None):
    assert scale_of(PATH, metadata) == scale


@pytest.mark.parametrize(
    "metadata",
    [
        {KEY: "no json"},
        {KEY: "[" * 100_000},
        {KEY: "[]"},
        told(r=0, lora_alpha=8),
        told(r="4", lora_alpha=8),
        told(r=4, lora_alpha=float("nan")),
        told(r=4, lora_alpha=10**400),
        told(r=4, lora_alpha=8, rank_pattern={"(a+)+$": 16}),
    ],
)
def test_nonsense_is_refused(metadata: dict[str, str]):
    with pytest.raises(BadFile, match=r"^The LoRA's metadata"):
        scale_of(PATH, metadata)
