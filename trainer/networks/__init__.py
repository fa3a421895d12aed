"""How does a network come onto a model, get its weights, and give them?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from lib_extension.models.checkpoint import Checkpoint
from lib_extension.spec.training.network import NetworkSettings
from trainer.networks.network import Group


def attach(checkpoint: Checkpoint, settings: NetworkSettings) -> tuple[Group, ...]:
    """Adds a network that changes nothing yet, in float32, to the checkpoint's frozen networks; the groups hold all that is trained."""
    raise NotImplementedError


def load_into(checkpoint: Checkpoint, settings: NetworkSettings, file: Path) -> int:
    """Starts the attached network from a LoRA file of any naming; how many modules it had. Raises BadFile, Mismatch."""
    raise NotImplementedError


def state(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """What is trained, by names that `restore` takes: for exact resume and EMA. The tensors are the parameters' own, not copies."""
    raise NotImplementedError


def restore(checkpoint: Checkpoint, tensors: Mapping[str, Tensor]) -> None:
    """Puts what `state` gave into the attached network; raises BadFile where it does not fit."""
    raise NotImplementedError
