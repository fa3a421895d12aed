"""What lies beside a LoRA so that a WebUI shows it as a card: a preview, and what to write to call for it.

The WebUI reads NAME.json and NAME.preview.png beside NAME.safetensors; a tag by "activation text" and "preferred weight" is what a click
on the card puts into the prompt.
"""

from __future__ import annotations

import json
from pathlib import Path

from trainer.lora_metadata import LoraTold
from trainer.written import write_bytes

PREFERRED_WEIGHT = 1.0  # what it was trained at
_VERSIONS = {"sd1": "SD1", "sd2": "SD2", "sdxl": "SDXL"}  # as the WebUI's own list of them has it


def card(told: LoraTold, family: str) -> dict[str, str | float]:
    """The content of NAME.json."""
    seen = f"Trained on {told.pictures} pictures in {told.steps} steps."
    return {
        "description": told.description or told.title or told.output_name,
        "sd version": _VERSIONS.get(family, "Unknown"),
        "activation text": told.trigger,
        "preferred weight": PREFERRED_WEIGHT,
        "negative text": "",
        "notes": seen,
    }


def write_card(lora: Path, told: LoraTold, family: str, samples: Path, step: int | None = None) -> list[Path]:
    """Both files, but those that are there already; the preview is the first sample of the last step, or up to `step`, if any was drawn."""
    wanted = {lora.with_suffix(".json"): json.dumps(card(told, family), indent=4, ensure_ascii=False).encode()}
    if (sample := last_sample(samples, step)) is not None:
        wanted[lora.with_suffix(".preview.png")] = sample.read_bytes()
    new = [file for file in wanted if not file.exists()]
    for file in new:
        write_bytes(file, wanted[file])
    return new


def last_sample(folder: Path, step: int | None = None) -> Path | None:
    """step-000250-1.png of the highest step; with `step`, of the highest up to it that anything was learnt in."""
    files = {int(file.stem.split("-")[1]): file for file in folder.glob("step-*-1.png")}
    steps = [number for number in files if step is None or 0 < number <= step]
    return files[max(steps)] if steps else None
