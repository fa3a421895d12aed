"""Runs of the trainer on a tiny model, in this process and in one of their own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from safetensors.torch import load_file
from torch import Tensor

from trainer.__main__ import main
from trainer.report import Report

ROOT = Path(__file__).parents[2]
SIDE = 64


@dataclass(frozen=True)
class Told:
    """What a run said, and how it ended."""

    status: int
    events: tuple[dict[str, Any], ...]

    def points(self, series: str = "loss") -> dict[float, float]:
        return {event["x"]: event["y"] for event in self.events if event["event"] == "point" and event["series"] == series}

    @property
    def logged(self) -> str:
        return "\n".join(event["text"] for event in self.events if event["event"] == "log")

    @property
    def error(self) -> str:
        return "\n".join(event["detail"] for event in self.events if event["event"] == "error")


def pictures(folder: Path, count: int = 4, side: int = SIDE) -> Path:
    """Discs in as many colours, with captions."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        image = Image.new("RGB", (side, side), (40 * number % 256, 90, 200 - 30 * number))
        ImageDraw.Draw(image).ellipse((side // 4, side // 4, side - side // 4, side - side // 4), fill=(250, 60 * number % 256, 30))
        image.save(folder / f"{number}.png")
        (folder / f"{number}.txt").write_text(f"a disc, colour {number}")
    return folder


def config_file(folder: Path, model: Path, **parts: dict[str, Any]) -> Path:
    """A configuration of a short run on four pictures. What `parts` name replaces fields of that part."""
    config: dict[str, Any] = {
        "name": "disc",
        "model": {"checkpoint": str(model)},
        "data": {"concepts": [{"folder": str(pictures(folder / "pictures"))}], "resolution": SIDE, "batch_size": 2},
        "network": {"rank": 2, "alpha": 2.0, "targets": "attention"},
        "optimizer": {"optimizer": "AdamW", "learning_rate": 1e-3},
        "memory": {"gradient_checkpointing": False, "device": "cpu", "precision": "fp32"},
        "run": {"steps": 6, "save_every": 0, "plot": False},
        "output": {"folder": str(folder / "runs"), "dtype": "fp32"},
        "evaluation": {"on": False},
    }
    for name, values in parts.items():
        config[name] = config[name] | values
    file = folder / "config.json"
    file.write_text(json.dumps(config))
    return file


class At(io.StringIO):
    """What is told; once `words` are, a file is made, such as one that has a run stop."""

    def __init__(self, words: str, file: Path) -> None:
        super().__init__()
        self._words, self._file = words, file

    def write(self, text: str) -> int:
        if self._words in text:
            self._file.touch()
        return super().write(text)


def carried_out(*arguments: object, out: io.StringIO | None = None) -> Told:
    """`python -m trainer`, in this process."""
    out = out or io.StringIO()
    status = main([str(one) for one in arguments], Report(out))
    return Told(status, events_in(out.getvalue()))


def started(*arguments: object, launcher: Sequence[str] = (), **environment: str) -> subprocess.Popen[str]:
    """`python -m trainer` in a process of its own."""
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, *launcher, "-m", "trainer", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def events_in(text: str) -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(line) for line in text.splitlines() if line.startswith("{"))


def trained_weights(file: Path) -> dict[str, Tensor]:
    return load_file(file)
