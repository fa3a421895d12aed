"""A training run on disk: its log, and its state for going on after a stop."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed as processes
from torch import nn

Result = TypeVar("Result")


class Run:
    """A folder with ``state.pt`` (replaced whole) and ``log.jsonl`` (appended to).

    ``parts`` are the modules and optimizers to be saved: all that has ``state_dict`` and ``load_state_dict``.
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
        aside.replace(self.folder / "state.pt")


class Shadow:
    """A bfloat16 copy of a float32 model, for the forward and backward pass; the optimizer works on the float32 one.

    On processors with bfloat16 instructions a step takes about two thirds of the time, and small updates are not lost.
    """

    def __init__(self, model: torch.nn.Module) -> None:
        self.model = model
        self.copy = copy.deepcopy(model).bfloat16()

    def pull(self) -> None:
        """Take over the weights of the float32 model."""
        with torch.no_grad():
            for mine, its in zip(self.copy.parameters(), self.model.parameters(), strict=True):
                mine.copy_(its)

    def push_gradients(self) -> None:
        """Hand the gradients over, as float32."""
        for mine, its in zip(self.copy.parameters(), self.model.parameters(), strict=True):
            its.grad = None if mine.grad is None else mine.grad.float()
            mine.grad = None


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Linear warm-up over the first 5 % of ``steps``, then a half cosine down to a hundredth of ``peak``."""
    done = step / steps
    return peak * (done / 0.05 if done < 0.05 else 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (done - 0.05) / 0.95)))


def join_processes() -> int:
    """Join the other processes where torchrun started several; returns this one's number, 0 for the first or only one."""
    if not processes.is_torchelastic_launched():
        return 0
    processes.init_process_group("gloo", timeout=timedelta(hours=2))
    return processes.get_rank()


def first_process_first(rank: int, work: Callable[[], Result]) -> Result:
    """Let the first process do ``work`` before the others, who then find its files."""
    if not processes.is_initialized():
        return work()
    if rank > 0:
        processes.barrier()
    done = work()
    if rank == 0:
        processes.barrier()
    return done


def share_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Average the gradients over all processes."""
    if not processes.is_initialized():
        return
    grads = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.flatten() for g in grads])
    processes.all_reduce(flat)
    flat /= processes.get_world_size()
    for grad, mean in zip(grads, flat.split([g.numel() for g in grads]), strict=True):
        grad.copy_(mean.view_as(grad))


def hash_of(text: str) -> int:
    """A small number that depends on the text only (Python's own hash changes from run to run)."""
    return sum((i + 1) * ord(c) for i, c in enumerate(text)) % 65_537
