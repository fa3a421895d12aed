"""Infotexts are written as the WebUI wrote them, byte for byte, and read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extension.formats.infotext import GenerationFacts, parse_infotext, quote, unquote, write_infotext

RECORDED: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "data" / "infotexts.json").read_text("utf-8"))


def facts_of(recorded: dict[str, Any]) -> GenerationFacts:
    """From what the WebUI told beside the infotext; without a scheduler in the request it writes "Automatic"."""
    return GenerationFacts(
        prompt=recorded["prompt"],
        negative_prompt=recorded["negative_prompt"],
        steps=recorded["steps"],
        sampler=recorded["sampler_name"],
        schedule_type="Automatic",
        cfg_scale=recorded["cfg_scale"],
        seed=recorded["seed"],
        width=recorded["width"],
        height=recorded["height"],
        model_hash=recorded["sd_model_hash"],
        model=recorded["sd_model_name"],
        clip_skip=recorded["clip_skip"],
        extra=recorded["extra_generation_params"],
        version=recorded["version"],
    )


@pytest.mark.parametrize("recorded", RECORDED, ids=range(len(RECORDED)))
def test_written_as_recorded(recorded: dict[str, Any]):
    assert write_infotext(facts_of(recorded)) == recorded["infotext"]


@pytest.mark.parametrize("recorded", RECORDED, ids=range(len(RECORDED)))
def test_recorded_ones_are_read(recorded: dict[str, Any]):
    read = parse_infotext(recorded["infotext"])
    assert (read["Prompt"], read["Negative prompt"]) == (recorded["prompt"], recorded["negative_prompt"])
    assert (read["Size-1"], read["Size-2"]) == (str(recorded["width"]), str(recorded["height"]))
    assert (read["Seed"], read["Sampler"], read["Model"]) == (str(recorded["seed"]), recorded["sampler_name"], recorded["sd_model_name"])
    for name, value in recorded["extra_generation_params"].items():
        if value is not None:  # made by a function, and not told
            assert read[name] == str(value)


def test_optional_fields_in_their_order():
    facts = GenerationFacts(
        prompt="a\nb",
        negative_prompt="c",
        steps=20,
        sampler="Euler a",
        schedule_type=None,
        cfg_scale=7,
        seed=1,
        width=512,
        height=768,
        vae_hash="ab12",
        vae="v.safetensors",
        variation_seed=5,
        variation_seed_strength=0.25,
        seed_resize_from=(64, 128),
        denoising_strength=0.5,
        clip_skip=2,
        ensd=31337,
        rng="CPU",
        tiling=True,
        extra={"Lora hashes": "a: 1, b: 2", "Denoising strength": 0.7, "Mask blur": 4, "Nothing": None},
    )
    assert write_infotext(facts) == (
        "a\nb\nNegative prompt: c\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x768, VAE hash: ab12, VAE: v.safetensors, "
        "Variation seed: 5, Variation seed strength: 0.25, Seed resize from: 64x128, Denoising strength: 0.7, Clip skip: 2, ENSD: 31337, "
        'RNG: CPU, Tiling: True, Lora hashes: "a: 1, b: 2", Mask blur: 4'
    )


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", {"Prompt": "", "Negative prompt": ""}),
        ("only a prompt", {"Prompt": "only a prompt", "Negative prompt": ""}),
        ("a: 1, b: 2", {"Prompt": "a: 1, b: 2", "Negative prompt": ""}),
        ("p\n\nq\nNegative prompt: n\n m ", {"Prompt": "p\n\nq", "Negative prompt": "n\nm"}),
        (
            'p\nSteps: 1, Seed: 2, Size: 8x16, Hires prompt: "x, y", Empty: , Odd: "no end',
            {
                "Prompt": "p",
                "Negative prompt": "",
                "Steps": "1",
                "Seed": "2",
                "Size-1": "8",
                "Size-2": "16",
                "Hires prompt": "x, y",
                "Odd": '"no end',
            },
        ),
    ],
)
def test_read(text: str, fields: dict[str, str]):
    assert parse_infotext(text) == fields


@given(st.text())
def test_quoting_and_back(text: str):
    if quote(text) != text or not text.startswith('"'):
        assert unquote(quote(text)) == text


lines = st.lists(st.text("abc (){}:<>.,'é0123", min_size=1).map(str.strip).filter(bool), min_size=1, max_size=3).map("\n".join)
values = st.text(min_size=1).map(lambda text: " ".join(text.split()).strip('"')).filter(lambda text: text and "x" not in text)


@given(
    lines.filter(lambda text: "Negative prompt:" not in text),
    lines,
    st.dictionaries(st.sampled_from(["Lora hashes", "Mask blur", "Hires-1"]), values),
)
def test_written_and_back(prompt: str, negative: str, extra: dict[str, str]):
    facts = GenerationFacts(
        prompt=prompt,
        negative_prompt=negative,
        steps=4,
        sampler="Euler",
        schedule_type="Automatic",
        cfg_scale=7.0,
        seed=3,
        width=64,
        height=72,
        extra=extra,
    )
    read = parse_infotext(write_infotext(facts))
    wanted = {"Prompt": prompt, "Negative prompt": negative, "Steps": "4", "CFG scale": "7.0", "Size-1": "64", "Size-2": "72", **extra}
    assert wanted.items() <= read.items()


@given(st.text())
def test_any_text_can_be_read(text: str):
    assert {"Prompt", "Negative prompt"} <= parse_infotext(text).keys()


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("a " * 500_000, {}),
        ('"' * 500_000, {}),
        ("a: " * 300_000, {}),
        ("a" * 10**6 + ":", {}),
        ('\\"' * 300_000, {}),
        ('ab:"' + "\\" * 10**6, {}),
        ("Ab: 1, " * 200_000, {"Ab": "1"}),
        (f"Ab: 1, Cd: 2, Ef: {'x' * 10**6}", {"Ab": "1", "Cd": "2", "Ef": "x" * 10**6}),
    ],
    ids=range(8),
)
def test_long_texts_are_read_in_one_go(text: str, fields: dict[str, str]):
    """Were they searched anew from each of their letters, these would be 10^11 steps and more, and the test would not come back."""
    read = parse_infotext(text)
    assert read == {"Prompt": "" if fields else text.strip(), "Negative prompt": "", **fields}
