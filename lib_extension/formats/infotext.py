"""How a picture's infotext is written and read: the text that the WebUI keeps in a picture, and that makes it again.

    prompt, over as many lines as it has
    Negative prompt: the same, left out when empty
    Steps: 20, Sampler: Euler, …, Lora hashes: "a: 1f00, b: 2e11", Version: 1.10.1

A value with a comma, colon or line break is written as a JSON string.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class GenerationFacts:
    """What one picture was made with. A None is left out of the text; numbers are written as Python writes them, so 7.0 and 7 differ."""

    prompt: str
    negative_prompt: str = ""
    steps: int
    sampler: str
    schedule_type: str | None
    cfg_scale: float
    seed: int
    width: int  # px
    height: int
    model_hash: str | None = None  # 10 hex digits
    model: str | None = None
    image_cfg_scale: float | None = None
    face_restoration: str | None = None
    vae_hash: str | None = None
    vae: str | None = None
    variation_seed: int | None = None
    variation_seed_strength: float | None = None
    seed_resize_from: tuple[int, int] | None = None  # px
    denoising_strength: float | None = None
    clip_skip: int = 1
    ensd: int | None = None  # eta noise seed delta
    rng: str | None = None  # "CPU" or "NV"; the WebUI leaves out its default, "GPU"
    tiling: bool = False
    extra: Mapping[str, object] = field(default_factory=dict)  # further fields in their order; a field from above keeps its place
    version: str | None = None


def write_infotext(facts: GenerationFacts) -> str:
    """The infotext of one picture."""
    fields: dict[str, object] = {
        "Steps": facts.steps,
        "Sampler": facts.sampler,
        "Schedule type": facts.schedule_type,
        "CFG scale": facts.cfg_scale,
        "Image CFG scale": facts.image_cfg_scale,
        "Seed": facts.seed,
        "Face restoration": facts.face_restoration,
        "Size": f"{facts.width}x{facts.height}",
        "Model hash": facts.model_hash,
        "Model": facts.model,
        "VAE hash": facts.vae_hash,
        "VAE": facts.vae,
        "Variation seed": facts.variation_seed,
        "Variation seed strength": facts.variation_seed_strength,
        "Seed resize from": facts.seed_resize_from and f"{facts.seed_resize_from[0]}x{facts.seed_resize_from[1]}",
        "Denoising strength": facts.denoising_strength,
        "Clip skip": facts.clip_skip if facts.clip_skip > 1 else None,
        "ENSD": facts.ensd,
        "RNG": facts.rng,
        "Tiling": "True" if facts.tiling else None,
        **facts.extra,
        "Version": facts.version,
    }
    settings = ", ".join(name if name == value else f"{name}: {quote(value)}" for name, value in fields.items() if value is not None)
    negative = f"\nNegative prompt: {facts.negative_prompt}" if facts.negative_prompt else ""
    return f"{facts.prompt}{negative}\n{settings}".strip()


def quote(value: object) -> str:
    """A value as it stands in the settings line."""
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if any(sign in text for sign in ",:\n") else text


def unquote(text: str) -> str:
    """The value behind `quote`; what only looks quoted stays as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    try:
        return str(json.loads(text))
    except ValueError:
        return text


# A name has two letters or more, among them spaces, hyphens and slashes, and begins where a run of those does. Looking back for that is
# what keeps a hostile text from being searched anew from each of its letters.
_FIELD = re.compile(r'(?<![\w \-/])[ \-/]*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
_SIZE = re.compile(r"(\d+)x(\d+)")
_FEWEST_FIELDS = 3  # a last line with fewer is part of the prompt
_NEGATIVE = "Negative prompt:"


def parse_infotext(text: str) -> dict[str, str]:
    """The fields of an infotext, all as text: "Prompt" and "Negative prompt", which are always there, and those of the settings line.

    A size such as "Size: 512x768" becomes two fields, "Size-1" and "Size-2". Any text can be read; one without settings is a prompt.
    """
    *lines, settings = text.strip().split("\n")
    found = _FIELD.findall(settings)
    if len(found) < _FEWEST_FIELDS:
        lines.append(settings)
        found = []
    fields = {}
    for name, value in found:
        if size := _SIZE.fullmatch(value):
            fields[f"{name}-1"], fields[f"{name}-2"] = size.groups()
        elif value:
            fields[name] = unquote(value)
    prompt, negative_prompt = _split_prompts(lines)
    return fields | {"Prompt": prompt, "Negative prompt": negative_prompt}


def _split_prompts(lines: list[str]) -> tuple[str, str]:
    positive: list[str] = []
    negative: list[str] = []
    into = positive
    for line in (line.strip() for line in lines):
        if line.startswith(_NEGATIVE):
            into = negative
            line = line[len(_NEGATIVE) :].strip()
        if into or line:  # blank lines before the first word are dropped
            into.append(line)
    return "\n".join(positive), "\n".join(negative)
