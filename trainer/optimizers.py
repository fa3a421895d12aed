"""Which optimizer is made of the settings, and does it really run here?"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.training.optimizer import OptimizerSettings
from trainer.networks.network import Group


@dataclass(frozen=True)
class Choice:
    """A class by its dotted name, and what it is told besides learning rate and weight decay."""

    name: str
    arguments: tuple[tuple[str, Any], ...] = ()


FUSED = Choice("torch.optim.AdamW", (("fused", True),))
CHOICES = {
    "AdamW8bit": Choice("bitsandbytes.optim.AdamW8bit"),
    "PagedAdamW8bit": Choice("bitsandbytes.optim.PagedAdamW8bit"),
    "Lion8bit": Choice("bitsandbytes.optim.Lion8bit"),
    "AdamW": FUSED,
    # Shazeer and Stern 2018, arXiv:1804.04235, at the rate that is asked for instead of one that it makes of the step and the weights.
    "Adafactor": Choice("transformers.optimization.Adafactor", (("scale_parameter", False), ("relative_step", False))),
    "Prodigy": Choice("prodigyopt.Prodigy"),
    "ScheduleFree": Choice("schedulefree.AdamWScheduleFree"),
}
_LIKE_ADAMW = ("auto", "AdamW8bit", "PagedAdamW8bit")  # torch's own takes the same steps, with a larger state


def make_optimizer(settings: OptimizerSettings, groups: Sequence[Group]) -> tuple[Optimizer, str]:
    """The optimizer over all groups, each with its `lr` and `initial_lr`, and what the user should know of the choice ("" for nothing).

    Before each step the loop sets every group's `lr` to its `initial_lr` times the schedule's factor. While weights are saved, tested or
    sampled they must be those `for_use`. Raises BadRequest for a class that is not there, does not take the arguments or fails at a trial
    step; for AdamW of bitsandbytes that is told, and torch's taken.
    """
    device = groups[0].parameters[0].device
    choice, note = _chosen(settings.optimizer, device)
    try:
        _try(choice, settings, device)
    except BadRequest as problem:
        if settings.optimizer not in _LIKE_ADAMW or settings.arguments:
            raise
        choice, note = FUSED, f"{problem} torch's AdamW is used instead: it takes the same steps, and 4 times the memory for its state."
        _try(choice, settings, device)
    optimizer = _made(choice, settings, _parameter_groups(settings, groups))
    if _has_two_weights(optimizer):
        optimizer.train()  # pyright: ignore[reportAttributeAccessIssue] - schedule-free ones have it
    return optimizer, note


@contextmanager
def for_use(optimizer: Optimizer) -> Iterator[None]:
    """While it lasts, the model has the weights that are meant for use; then exactly those that training goes on from.

    Only schedule-free optimizers (Defazio et al. 2024, arXiv:2405.15682) have two sorts, x for use and y for gradients. They would compute
    each from the other, which does not bring the same bits back.
    """
    if not _has_two_weights(optimizer):
        yield
        return
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    kept = [parameter.detach().clone() for parameter in parameters]
    optimizer.eval()  # pyright: ignore[reportAttributeAccessIssue]
    try:
        yield
    finally:
        optimizer.train()  # pyright: ignore[reportAttributeAccessIssue]
        with torch.no_grad():
            for parameter, value in zip(parameters, kept, strict=True):
                parameter.copy_(value)


def _has_two_weights(optimizer: Optimizer) -> bool:
    return hasattr(optimizer, "train") and hasattr(optimizer, "eval")


def _chosen(name: str, device: torch.device) -> tuple[Choice, str]:
    if name == "auto":
        return CHOICES["AdamW8bit"], ""
    if name == "PagedAdamW8bit" and device.type == "cpu":
        return CHOICES["AdamW8bit"], "Paged optimizers need a GPU; AdamW8bit is used, which takes the same steps."
    return CHOICES.get(name, Choice(name)), ""


def _parameter_groups(settings: OptimizerSettings, groups: Sequence[Group]) -> list[dict[str, Any]]:
    made = []
    for group in groups:
        # Prodigy finds one rate for all and refuses groups with rates of their own.
        rate = settings.learning_rate if settings.optimizer == "Prodigy" else settings.rate_of(group.network) * group.factor
        made.append({"params": list(group.parameters), "lr": rate, "initial_lr": rate, "name": group.name})
    return made


def _try(choice: Choice, settings: OptimizerSettings, device: torch.device) -> None:
    """One real step on a matrix large enough for 8 bits: libraries can be installed and yet not work. BadRequest where it fails."""
    trial = nn.Parameter(torch.ones(128, 64, device=device))
    trial.grad = torch.ones_like(trial)
    short = choice.name.rpartition(".")[2]
    try:
        optimizer = _made(choice, settings, [{"params": [trial], "lr": settings.learning_rate or 1.0}])
        if _has_two_weights(optimizer):
            optimizer.train()  # pyright: ignore[reportAttributeAccessIssue]
        optimizer.step()
    except BadRequest:
        raise
    except Exception as e:  # CUDA libraries fail in kinds of their own; whichever it is, another optimizer is to be taken.
        first = (str(e).strip().splitlines() or ["no reason given"])[0]
        raise BadRequest(f"A trial step of the optimizer {short} failed here: {type(e).__name__}: {first}.") from e
    if not torch.isfinite(trial).all():
        raise BadRequest(f"A trial step of the optimizer {short} made numbers that are none. Look at optimizer.arguments.")


def _made(choice: Choice, settings: OptimizerSettings, groups: list[dict[str, Any]]) -> Optimizer:
    kind = _class(choice.name)
    taken = inspect.signature(kind.__init__).parameters
    usual = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    arguments = {name: value for name, value in usual.items() if name in taken} | dict(choice.arguments) | settings.arguments
    try:
        return kind(groups, **{name: tuple(value) if isinstance(value, list) else value for name, value in arguments.items()})
    except (TypeError, ValueError) as e:
        raise BadRequest(f"The optimizer {choice.name} does not take optimizer.arguments as they are: {e}.") from e


def _class(name: str) -> type[Any]:
    package, _, short = name.rpartition(".")
    try:
        kind = getattr(importlib.import_module(package), short)
    except (ImportError, AttributeError) as e:
        raise BadRequest(f"The optimizer {name} cannot be loaded: {e}. Is its package installed in the worker's environment?") from e
    if not (isinstance(kind, type) and issubclass(kind, Optimizer)):
        raise BadRequest(f"{name} is no optimizer of torch's kind.")
    return kind
