"""What the WebUI makes of an infotext: /sdapi/v1/png-info's `parameters`, with a value for each field that the text leaves out."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import ceil, sqrt
from typing import Any

from lib_extension.formats.infotext import parse_infotext

Fields = dict[str, Any]

# What a field means that is not there. The WebUI mixes numbers and texts here, and clients see them.
_ABSENT: Fields = {
    "Clip skip": "1",
    "Hires resize-1": 0,
    "Hires resize-2": 0,
    "Hires sampler": "Use same sampler",
    "Hires schedule type": "Use same scheduler",
    "Hires checkpoint": "Use same checkpoint",
    "Hires prompt": "",
    "Hires negative prompt": "",
    "Mask mode": "Inpaint masked",
    "Masked content": "original",
    "Inpaint area": "Whole picture",
    "Masked area padding": 32,
    "RNG": "GPU",
    "Schedule type": "Automatic",
    "Schedule max sigma": 0,
    "Schedule min sigma": 0,
    "Schedule rho": 0,
    "VAE Encoder": "Full",
    "VAE Decoder": "Full",
    "FP8 weight": "Disable",
    "Refiner switch by sampling steps": False,
}


def webui_fields(text: str, uses_emphasis: Callable[[str], bool]) -> Fields:
    """The fields of an infotext as the WebUI 1.10.1 reads them; `uses_emphasis` says whether a prompt weighs any of its words."""
    fields: Fields = dict(parse_infotext(text))
    if fields.get("FP8 weight", "Disable") != "Disable":
        fields.setdefault("Cache FP16 weight for LoRA", False)
    if uses_emphasis(fields["Prompt"]) or uses_emphasis(fields["Negative prompt"]):
        fields.setdefault("Emphasis", "Original")
    if "Hypernet" in fields:
        fields["Prompt"] += f"<hypernet:{fields['Hypernet']}:{fields.get('Hypernet strength', '1.0')}>"
    fields |= {name: value for name, value in _ABSENT.items() if name not in fields}
    return fields | _first_pass(fields) | _older_behaviour(fields)


def _first_pass(fields: Fields) -> Fields:
    """Early versions wrote the final size as Size, and that of the first pass, which may be 0x0, as "First pass size"."""
    if "First pass size-1" not in fields or "First pass size-2" not in fields:
        return {}
    width, height = (_pixels(fields.get(name, "512")) for name in ("Size-1", "Size-2"))
    first_width, first_height = (_pixels(fields[name]) for name in ("First pass size-1", "First pass size-2"))
    if not (first_width and first_height) and width and height:
        scale = sqrt(512 * 512 / (width * height))
        first_width, first_height = ceil(scale * width / 64) * 64, ceil(scale * height / 64) * 64
    return {"Size-1": first_width, "Size-2": first_height, "Hires resize-1": width, "Hires resize-2": height}


def _pixels(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else 0


def _older_behaviour(fields: Fields) -> Fields:
    """Switches that bring back what the version in the infotext did and 1.10.1 does otherwise."""
    version = _version(fields.get("Version"))
    if version is None:
        return {}
    switches: Fields = {}
    if version < (1, 6, 0, 0):
        if "[" in fields["Prompt"]:
            switches["Old prompt editing timelines"] = True
        if fields.get("Sampler") in ("DDIM", "PLMS"):
            switches["Pad conds v0"] = True
    if version < (1, 7, 0, 225):
        switches["Downcast alphas_cumprod"] = True
    if version < (1, 8, 0, 0) and fields.get("Refiner"):
        switches["Refiner switch by sampling steps"] = True
    return switches


def _version(text: str | None) -> tuple[int, int, int, int] | None:
    """("v1.7.0-225-gabc" → (1, 7, 0, 225)): the fourth number counts commits after the release, and is −1 for a release candidate."""
    found = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)(?:-?(rc)\d*)?(?:-(\d+))?(?:-.*)?", (text or "").strip(), re.IGNORECASE)
    if found is None:
        return None
    major, minor, patch, candidate, commits = found.groups()
    return int(major), int(minor), int(patch), -1 if candidate else int(commits or 0)
