"""How does a run go on exactly where it was? States: folders with everything that the next step depends on.

    states/step-000250/network.safetensors  optimizer.pt  ema.safetensors  state.json

Randomness and the place in the data follow from (seed, step), so the number of the step is all that must be known of them. A state appears
whole or not at all, and an older one is removed only after that.
"""

from __future__ import annotations

import io
import json
import pickle
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from lib_extension.spec.errors import BadFile
from trainer import networks
from trainer.trained import Trained
from trainer.written import fill, new_folder, remove_folder

_FOLDER = re.compile(r"step-(\d+)")
_NETWORK, _OPTIMIZER, _EMA, _STATE = "network.safetensors", "optimizer.pt", "ema.safetensors", "state.json"


@dataclass(frozen=True)
class Position:
    """How far a run is."""

    step: int  # steps that are done
    bad_steps: int = 0  # in a row until now, without a finite loss
    ema_steps: int = 0
    data: str = ""  # a fingerprint of the pictures and captions
    started: float = 0.0  # when the run began, in seconds since 1970


def save_state(states: Path, trained: Trained, position: Position, keep: int) -> Path:
    """Write a state, then remove all but the newest `keep`. DiskFull leaves those that were there."""
    with new_folder(states / f"step-{position.step:06d}") as folder:
        fill(folder / _NETWORK, save(_plain(trained.weights)))
        changing = {"optimizer": trained.optimizer.state_dict(), "scaler": trained.scaler.state_dict() if trained.scaler else None}
        fill(folder / _OPTIMIZER, _pickled(changing))
        if trained.ema is not None:
            fill(folder / _EMA, save(_plain(trained.ema.means)))
        fill(folder / _STATE, json.dumps(asdict(position), indent=2).encode())
    for _, old in saved_states(states)[:-keep]:
        remove_folder(old)
    return states / f"step-{position.step:06d}"


def saved_states(states: Path) -> list[tuple[int, Path]]:
    """(step, folder) of each, the oldest first."""
    found = ((int(match[1]), path) for path in states.glob("step-*") if (match := _FOLDER.fullmatch(path.name)) and path.is_dir())
    return sorted(found)


def load_state(folder: Path, trained: Trained) -> Position:
    """Put a state into what is trained. BadFile where it is damaged or of another network."""
    try:
        position = Position(**json.loads((folder / _STATE).read_text("utf-8")))
        networks.restore(trained.checkpoint, load_file(folder / _NETWORK))
        # Plain values and tensors only: what a pickle could run is refused.
        changing: dict[str, Any] = torch.load(folder / _OPTIMIZER, map_location="cpu", weights_only=True)
        trained.optimizer.load_state_dict(changing["optimizer"])
        if trained.scaler is not None and changing["scaler"]:
            trained.scaler.load_state_dict(changing["scaler"])
        if trained.ema is not None:
            _restore_mean(folder, trained, position)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError, pickle.UnpicklingError) as error:
        reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"
        raise BadFile(f'One cannot go on from "{folder.name}" ({reason}). Delete its folder to go on from the state before.') from error
    return position


def _restore_mean(folder: Path, trained: Trained, position: Position) -> None:
    assert trained.ema is not None
    trained.ema.steps = position.ema_steps
    for name, mean in load_file(folder / _EMA).items():
        trained.ema.means[name].copy_(mean)


def _plain(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _pickled(value: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()
