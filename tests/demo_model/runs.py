"""A training run on disk: its log, and its state for going on after a stop."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch


class Run:
    """A folder with ``state.pt`` (replaced whole) and ``log.jsonl`` (appended to).

    ``parts`` are the modules, optimizers and schedules to be saved: all that has ``state_dict`` and ``load_state_dict``.
    Batches and noise are drawn from (seed, step), so a resumed run goes on as if it had not stopped.
    """

    def __init__(self, folder: Path, parts: Mapping[str, Any]) -> None:
        self.folder, self.parts = folder, parts
        folder.mkdir(parents=True, exist_ok=True)
        self.step = 0
        self._sums: dict[str, float] = {}
        self._counted = 0
        self._started = time.monotonic()
        state = folder / "state.pt"
        if state.exists():
            saved = torch.load(state, map_location="cpu", weights_only=True)
            self.step = saved["step"]
            for name, part in parts.items():
                part.load_state_dict(saved[name])

    def generator(self, purpose: str) -> torch.Generator:
        """Randomness that belongs to this step and purpose alone."""
        return torch.Generator().manual_seed(hash_of(purpose) * 1_000_003 + self.step)

    def log(self, every: int, **values: float) -> None:
        """Add up ``values``; every so many steps write their means as one line."""
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._counted += 1
        if self.step % every == 0:
            line: dict[str, float] = {name: round(total / self._counted, 5) for name, total in self._sums.items()}
            line = {"step": self.step, **line, "seconds": round(time.monotonic() - self._started, 1)}
            with (self.folder / "log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            print(line, flush=True)
            self._sums, self._counted = {}, 0

    def save(self) -> None:
        """Write the state aside, then put it in place of the old one."""
        aside = self.folder / "state.pt.part"
        torch.save({"step": self.step, **{name: part.state_dict() for name, part in self.parts.items()}}, aside)
        os.replace(aside, self.folder / "state.pt")


def hash_of(text: str) -> int:
    """A small number that depends on the text only (Python's own hash changes from run to run)."""
    return sum((i + 1) * ord(c) for i, c in enumerate(text)) % 65_537
