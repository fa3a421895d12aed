"""Which optimizer is made of the settings, and does it really run here?"""

from __future__ import annotations

from collections.abc import Sequence

from torch.optim import Optimizer

from lib_extension.spec.training.optimizer import OptimizerSettings
from trainer.networks.network import Group


def make_optimizer(settings: OptimizerSettings, groups: Sequence[Group]) -> tuple[Optimizer, str]:
    """The optimizer over all groups, each with its `lr` and `initial_lr`, and what the user should know of the choice ("" for nothing).

    The loop sets `group["lr"] = group["initial_lr"] * factor(...)` before each step, calls `to_training(optimizer)` before training and
    `to_using(optimizer)` before samples, validation and saving: schedule-free optimizers keep other weights for use.
    Raises BadRequest for a class that is not there, does not take the arguments or fails at a trial step.
    """
    raise NotImplementedError


def to_training(optimizer: Optimizer) -> None:
    """Puts the weights that training goes on from into the model; only schedule-free optimizers have others."""
    raise NotImplementedError


def to_using(optimizer: Optimizer) -> None:
    """Puts the weights that are meant for use into the model."""
    raise NotImplementedError
